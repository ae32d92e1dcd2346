import numpy as np
import pytest

from phosphene.audit.seams import find_seams


def cut(signal, n_times, step):
    """Windows ``(window, chan, time)`` of a signal, one every `step` samples."""
    views = np.lib.stride_tricks.sliding_window_view(signal, n_times, axis=1)
    return views[:, ::step].transpose(1, 0, 2).astype(np.float32)


def slow_pairs(starts, n_times):
    """Return, of each window that begins inside another one, the least lag."""
    found = {}
    for j, later in enumerate(starts):
        lags = [later - earlier for earlier in starts if 0 < later - earlier < n_times]
        if lags:
            found[j] = min(lags)
    return found


def least_lags(seams):
    found = {}
    for second, lag in zip(seams.second.tolist(), seams.lag.tolist(), strict=True):
        if lag > 0:
            found[second] = min(lag, found.get(second, lag))
    return found


@pytest.fixture
def noise():
    return np.random.default_rng(0).standard_normal((5, 900)).cumsum(axis=1)


@pytest.mark.parametrize("step", [1, 7, 19])
@pytest.mark.parametrize("scaled", [False, True])
def test_finds_what_a_slow_comparison_of_places_finds(noise, step, scaled):
    windows = cut(noise, 24, step)
    starts = np.arange(len(windows)) * step
    if scaled:
        windows = (windows - windows.mean(axis=(1, 2), keepdims=True)) / windows.std(
            axis=(1, 2), keepdims=True
        )
    order = np.random.default_rng(1).permutation(len(windows))
    seams = find_seams(windows[order], np.random.default_rng(2))
    expected = slow_pairs(starts[order], 24)
    assert least_lags(seams) == expected
    assert seams.scaled == (scaled or step == 19)  # five samples are enough for that search alone
    assert (starts[order][seams.second] - starts[order][seams.first] == seams.lag).all()


def test_unrelated_windows_share_nothing():
    rng = np.random.default_rng(3)
    windows = rng.standard_normal((800, 2, 40)).cumsum(axis=2)
    assert len(find_seams(windows, rng)) == 0


def test_slow_signals_that_look_alike_over_few_samples_do_not_match():
    """Without their scale, short pieces of slow waves are all the same straight lines."""
    rng = np.random.default_rng(0)
    times = np.arange(40) / 500
    phases, rates = rng.uniform(0, 7, (600, 3, 1)), rng.uniform(1, 3, (600, 3, 1))
    windows = np.sin(2 * np.pi * rates * times + phases)
    assert len(find_seams(windows, rng)) == 0


def test_equal_windows_are_twins_of_lag_zero(noise):
    windows = cut(noise, 24, 30)
    windows[7] = windows[2]
    seams = find_seams(windows, np.random.default_rng(0))
    assert (seams.first.tolist(), seams.second.tolist(), seams.lag.tolist()) == ([2], [7], [0])


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_constant_windows_are_not_matched(value):
    windows = np.full((50, 3, 32), value, np.float32)
    windows[:5] += np.random.default_rng(0).standard_normal((5, 3, 32)).astype(np.float32)
    assert len(find_seams(windows, np.random.default_rng(0))) == 0


def test_windows_too_short_to_be_told_apart_are_not_searched():
    windows = np.random.default_rng(0).standard_normal((30, 1, 3))
    assert find_seams(windows, np.random.default_rng(0)).n_least == 0
