import numpy as np
import pytest

from phosphene.evaluation.controls import (
    class_mean_features,
    label_permuter,
    noise_like,
    noise_like_recordings,
    permute_labels,
    shuffle_rows,
)


def test_labels_stay_in_their_recording():
    rng = np.random.default_rng(0)
    labels, recordings = rng.integers(0, 3, 200), rng.integers(0, 4, 200)
    permuted = permute_labels(labels, recordings=recordings, seed=1)
    assert (permuted != labels).mean() > 0.5
    for r in range(4):
        inside = recordings == r
        assert (np.bincount(permuted[inside]) == np.bincount(labels[inside])).all()
    assert (permuted == permute_labels(labels, recordings=recordings, seed=1)).all()
    assert (permuted != permute_labels(labels, recordings=recordings, seed=2)).any()


def test_every_order_is_equally_likely():
    permute = label_permuter(np.array([0, 1, 2]), recordings=["a"] * 3)
    rng = np.random.default_rng(0)
    orders = [tuple(permute(rng)) for _ in range(6000)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6
    assert max(counts) < 1150


def test_whole_blocks_move_together():
    blocks = np.repeat(np.arange(8), 5)
    labels = np.array([0, 1, 2, 3, 3, 2, 1, 0])[blocks]
    for given in (blocks, None):
        permuted = permute_labels(
            labels, recordings=blocks // 4, blocks=given, unit="block", seed=3
        ).reshape(8, 5)
        assert (permuted == permuted[:, :1]).all() or given is None
        assert sorted(permuted[:4, 0]) == [0, 1, 2, 3]
    assert (permuted == permuted[:, :1]).mean() > 0.5


def test_block_names_may_repeat_in_other_recordings():
    labels = np.array([0, 0, 1, 1, 1, 1, 0, 0])
    permuted = permute_labels(
        labels,
        recordings=list("aaaabbbb"),
        blocks=[1, 1, 2, 2, 1, 1, 2, 2],
        unit="block",
        seed=0,
    )
    assert (permuted[::2] == permuted[1::2]).all()


def test_refuses_what_cannot_be_permuted():
    labels = np.repeat([0, 1], 4)
    with pytest.raises(ValueError, match="larger group"):
        permute_labels(labels, recordings=labels, seed=0)
    with pytest.raises(ValueError, match="one class per block"):
        permute_labels(labels, recordings=[0] * 8, blocks=[0] * 8, unit="block", seed=0)
    with pytest.raises(ValueError, match="Did you mean 'trial'"):
        permute_labels(labels, recordings=[0] * 8, unit="trials", seed=0)


@pytest.mark.parametrize("n_times", [32, 33])
def test_noise_has_mean_covariance_and_spectrum_of_the_epochs(n_times):
    rng = np.random.default_rng(0)
    mixing = np.array([[1, 0, 0], [0.8, 0.5, 0], [0, -0.7, 2]])
    sources = rng.standard_normal((4000, 3, n_times + 2))
    smooth = sources[..., 2:] + sources[..., 1:-1] + sources[..., :-2]
    offset = np.array([1.0, 0.0, -3.0])[:, None]
    epochs = (1e-6 * (mixing @ smooth + offset)).astype(np.float32)
    noise = noise_like(epochs, seed=1)
    assert noise.dtype == epochs.dtype
    flat = [x.transpose(1, 0, 2).reshape(3, -1).astype(np.float64) * 1e6 for x in (epochs, noise)]
    np.testing.assert_allclose(flat[1].mean(axis=1), flat[0].mean(axis=1), atol=0.05)
    np.testing.assert_allclose(np.cov(flat[1]), np.cov(flat[0]), rtol=0.03, atol=0.05)
    power = [
        (np.abs(np.fft.rfft(x * 1e6 - offset, axis=-1)) ** 2).mean(axis=0) for x in (epochs, noise)
    ]
    np.testing.assert_allclose(power[1], power[0], rtol=0.15, atol=1)


def test_noise_keeps_neither_evoked_response_nor_class():
    rng = np.random.default_rng(0)
    labels = np.arange(1200) % 2
    evoked = np.sin(np.linspace(0, 2 * np.pi, 40))
    epochs = rng.standard_normal((1200, 2, 40)) + np.where(labels, 3, -3)[:, None, None] * evoked
    noise = noise_like(epochs, seed=0)
    gap = noise[labels == 1].mean(axis=0) - noise[labels == 0].mean(axis=0)
    assert np.abs(gap).max() < 0.7  # 6 in the epochs
    assert np.abs(noise.mean(axis=0)).max() < 0.4


def test_noise_refuses_what_it_cannot_match():
    with pytest.raises(ValueError, match="at least 2 trials"):
        noise_like(np.zeros((1, 2, 8)), seed=0)
    with pytest.raises(ValueError, match="finite"):
        noise_like(np.full((3, 2, 8), np.nan), seed=0)


def test_shuffled_rows_are_the_same_rows():
    rows = np.arange(20).reshape(10, 2)
    shuffled = shuffle_rows(rows, seed=0)
    assert sorted(map(tuple, shuffled)) == sorted(map(tuple, rows))
    assert (shuffled == rows[shuffle_rows(np.arange(10), seed=0)]).all()
    assert (shuffled != rows).any()


def test_class_means_by_hand():
    features = np.array([[1.0, 0], [3, 2], [5, 5]], dtype=np.float32)
    means = class_mean_features(features, np.array([0, 0, 1]), n_classes=2)
    assert means.tolist() == [[2, 1], [5, 5]]
    assert means.dtype == np.float64
    with pytest.raises(ValueError, match="class 2 of 3"):
        class_mean_features(features, np.array([0, 0, 1]), n_classes=3)


def test_noise_of_a_recording_is_like_it_alone():
    rng = np.random.default_rng(0)
    epochs = rng.normal(size=(60, 2, 16)).astype(np.float32)
    epochs[30:] *= 100
    recordings = ["a"] * 30 + ["b"] * 30
    noise = noise_like_recordings(epochs, recordings, others=epochs, seed_of=len)
    assert noise.dtype == np.float32
    assert noise[:30].std() == pytest.approx(1, rel=0.2)
    assert noise[30:].std() == pytest.approx(100, rel=0.2)
    np.testing.assert_array_equal(noise[:30], noise_like(epochs[:30], seed=1))


def test_noise_for_single_trials_is_like_what_there_is_more_of():
    rng = np.random.default_rng(0)
    epochs = rng.normal(size=(3, 2, 16)).astype(np.float32)
    others = 100 * rng.normal(size=(40, 2, 16)).astype(np.float32)

    def noise(n, names):
        return noise_like_recordings(epochs[:n], names, others=others, seed_of=len)

    assert noise(1, ["a"]).std() > 30  # one trial alone: like the others
    assert noise(3, ["a", "b", "b"]).std() < 3  # one beside more: like the held-out trials
    assert not np.array_equal(noise(3, ["a", "b", "c"]), epochs)


@pytest.mark.parametrize("unit", ["trial", "block"])
def test_many_permutations_at_once_are_those_of_as_many_calls(unit):
    labels, recordings = np.repeat([0, 1, 2, 1], 3), np.repeat([0, 1], 6)
    permute = label_permuter(labels, recordings=recordings, unit=unit)
    rng = np.random.default_rng(5)
    one_by_one = [permute(rng) for _ in range(20)]
    np.testing.assert_array_equal(permute(np.random.default_rng(5), 20), one_by_one)
