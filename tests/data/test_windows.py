import pickle

import numpy as np
import pytest

from phosphene.data.windows import Windows, zscore_windows

N_SAMPLES, N_TIMES = 60, 7


@pytest.fixture
def signal():
    return np.random.default_rng(0).normal(size=(3, N_SAMPLES)).astype(np.float32)


def allowed_starts(n_samples, n_times, excluded, gaps=()):
    """Look at every window, every excluded sample and every gap, one by one."""
    forbidden = {s for start, stop in excluded for s in range(start, stop)}
    return [
        start
        for start in range(n_samples - n_times + 1)
        if not forbidden.intersection(range(start, start + n_times))
        and not any(start < gap < start + n_times for gap in gaps)
    ]


EXCLUDED = [
    [],
    [(10, 20)],
    [(30, 31), (0, 3), (29, 40)],
    [(5, 15), (5, 8), (52, 99), (-4, 1)],
    [(10, 10)],
    [(6, 8), (14, 15), (22, 50)],  # leaves a range shorter than a window
]


@pytest.mark.parametrize("excluded", EXCLUDED)
def test_holds_the_windows_that_a_slow_search_finds(signal, excluded):
    windows = Windows(signal, n_times=N_TIMES, excluded=excluded)
    expected = allowed_starts(N_SAMPLES, N_TIMES, excluded)
    assert len(windows) == len(expected)
    assert windows.starts(np.arange(len(windows))).tolist() == expected


def test_random_exclusions_and_gaps_agree_with_the_slow_search(signal):
    rng = np.random.default_rng(1)
    for _ in range(50):
        starts = rng.integers(-3, N_SAMPLES, size=rng.integers(1, 5))
        excluded = [(int(s), int(s + rng.integers(0, 9))) for s in starts]
        gaps = rng.integers(0, N_SAMPLES + 2, size=3).tolist()
        expected = allowed_starts(N_SAMPLES, N_TIMES, excluded, gaps)
        windows = Windows(signal, n_times=N_TIMES, excluded=excluded, gaps=gaps)
        assert windows.starts(np.arange(len(windows))).tolist() == expected


def test_draws_are_pieces_of_the_signal_and_touch_nothing_excluded(signal):
    signal[0] = np.arange(N_SAMPLES)
    windows = Windows(signal, n_times=N_TIMES, excluded=[(10, 20)])
    drawn = windows.draw(np.random.default_rng(0), 200)
    assert drawn.shape == (200, 3, N_TIMES)
    assert drawn.dtype == np.float32
    starts = drawn[:, 0, 0].astype(int)
    np.testing.assert_array_equal(drawn, np.stack([signal[:, s : s + N_TIMES] for s in starts]))
    assert not ((drawn[:, 0] >= 10) & (drawn[:, 0] < 20)).any()
    assert set(starts) <= set(allowed_starts(N_SAMPLES, N_TIMES, [(10, 20)]))


def test_every_window_is_drawn_alike(signal):
    signal[0] = np.arange(N_SAMPLES)
    windows = Windows(signal, n_times=N_TIMES, excluded=[(12, 17)])
    starts = windows.draw(np.random.default_rng(0), 20_000)[:, 0, 0].astype(int)
    counts = np.bincount(starts, minlength=N_SAMPLES)[
        allowed_starts(N_SAMPLES, N_TIMES, [(12, 17)])
    ]
    expected = 20_000 / len(windows)
    assert ((counts - expected) ** 2 / expected).sum() < 80  # 42 degrees of freedom: p < 1e-3


def test_the_generator_alone_decides(signal):
    windows = Windows(signal, n_times=N_TIMES)
    first = windows.draw(np.random.default_rng(3), 5)
    np.testing.assert_array_equal(first, windows.draw(np.random.default_rng(3), 5))
    assert (first != windows.draw(np.random.default_rng(4), 5)).any()


def test_counts_the_windows_of_the_thesis_recording_without_laying_them_out():
    signal = np.broadcast_to(np.float32(0), (22, 12_081_284))
    windows = Windows(signal, n_times=313)
    assert len(windows) == 12_080_972  # the thesis says 12,080,971
    assert windows.at(np.array([12_080_971])).shape == (1, 22, 313)


def test_a_copy_in_another_process_opens_the_file_again(signal, tmp_path):
    np.save(tmp_path / "s.npy", np.tile(signal, 200))
    mapped = np.load(tmp_path / "s.npy", mmap_mode="c")
    windows = Windows(mapped, n_times=N_TIMES, excluded=[(3, 9)])
    content = pickle.dumps(windows)
    assert len(content) < 2000
    again = pickle.loads(content)
    assert isinstance(again.signal, np.memmap)
    for n in (1, 30):
        rng, same = np.random.default_rng(n), np.random.default_rng(n)
        np.testing.assert_array_equal(windows.draw(rng, n), again.draw(same, n))


@pytest.mark.parametrize("part", [np.s_[1:, 50:], np.s_[:, ::2], np.s_[:, :100], np.s_[::-1]])
def test_a_part_of_a_file_is_copied_as_it_is(signal, tmp_path, part):
    np.save(tmp_path / "s.npy", np.tile(signal, 10))
    windows = Windows(np.load(tmp_path / "s.npy", mmap_mode="c")[part], n_times=N_TIMES)
    again = pickle.loads(pickle.dumps(windows))
    starts = np.arange(len(windows))
    np.testing.assert_array_equal(windows.at(starts), again.at(starts))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"n_times": 61}, "must hold a window"),
        ({"n_times": 0}, "`n_times` must be greater"),
        ({"excluded": [(0, 60)]}, "must leave a window"),
        ({"excluded": [(i, i + 1) for i in range(5, 60, 6)]}, "must leave a window"),
        ({"excluded": [(9, 3)]}, r"got \(9, 3\)"),
        ({"signal": np.zeros((3, 60))}, "float64"),
        ({"signal": np.zeros(60, dtype=np.float32)}, "shape"),
    ],
)
def test_refuses(signal, change, match):
    arguments = {"signal": signal, "n_times": N_TIMES, **change}
    with pytest.raises(ValueError, match=match):
        Windows(arguments.pop("signal"), **arguments)


def test_refuses_starts_and_numbers_outside(signal):
    windows = Windows(signal, n_times=N_TIMES)
    with pytest.raises(ValueError, match="0 to 53"):
        windows.at(np.array([54]))
    with pytest.raises(ValueError, match="0 to 53"):
        windows.at(np.array([-1]))
    with pytest.raises(ValueError, match="count from 0 to 53"):
        windows.starts(np.array([54]))


def test_zscore_is_per_window_over_channels_and_times_and_can_be_undone():
    rng = np.random.default_rng(0)
    scale = np.array([1e-6, 1e-3, 5]).reshape(3, 1, 1)
    raw = (rng.normal(size=(3, 4, 50)) * scale + 2 * scale).astype(np.float32)
    scaled, mean, sd = zscore_windows(raw)
    for each, before, m, s in zip(scaled, raw, mean, sd, strict=True):
        np.testing.assert_allclose(m, before.astype(np.float64).mean(), rtol=1e-5)
        np.testing.assert_allclose(s, before.astype(np.float64).std(), rtol=1e-5)
        np.testing.assert_allclose(each, (before - m) / s, rtol=1e-4, atol=1e-5)
    assert scaled.dtype == mean.dtype == sd.dtype == np.float32
    np.testing.assert_allclose(scaled * sd[:, None, None] + mean[:, None, None], raw, rtol=1e-3)
    assert np.abs(scaled[:, 0].mean(axis=1)).max() > 1e-3  # not per channel


@pytest.mark.parametrize("value", [0.0, 0.1, np.nan, np.inf])
def test_zscore_refuses_windows_that_do_not_vary(value):
    raw = np.random.default_rng(0).normal(size=(4, 2, 9)).astype(np.float32)
    raw[2] = value
    with pytest.raises(ValueError, match=r"1 of 4 do not, the first is number 2"):
        zscore_windows(raw)
