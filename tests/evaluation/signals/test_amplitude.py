import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from phosphene.evaluation.signals.amplitude import (
    amplitude_scores,
    wasserstein_by_channel,
    wasserstein_over_time,
)

PICTURE = np.repeat(np.arange(8), 10)


def scores_of(real, generated, **kwargs):
    kwargs = {"picture": PICTURE, "method": "GAN"} | kwargs
    return amplitude_scores(real, generated, **kwargs)


def test_a_shift_is_as_far_as_it_is_long():
    real = np.random.default_rng(0).standard_normal((30, 2, 7))
    fake = real + np.array([[0.5], [-2.0]])
    assert wasserstein_by_channel(real, fake) == pytest.approx([0.5, 2])
    np.testing.assert_allclose(wasserstein_over_time(real, fake)[1], 2)


@pytest.mark.parametrize("n_fake", [30, 17])
def test_agrees_with_scipy(n_fake):
    rng = np.random.default_rng(1)
    real, fake = rng.standard_normal((30, 2, 5)), 2 * rng.standard_normal((n_fake, 2, 5))
    by_channel = [wasserstein_distance(real[:, c].ravel(), fake[:, c].ravel()) for c in (0, 1)]
    assert wasserstein_by_channel(real, fake) == pytest.approx(by_channel)
    over_time = wasserstein_over_time(real, fake)
    assert over_time.shape == (2, 5)
    assert over_time[1, 3] == pytest.approx(wasserstein_distance(real[:, 1, 3], fake[:, 1, 3]))


def test_edges_show_over_time_only():
    rng = np.random.default_rng(2)
    wide = 1 + 2 * (np.arange(64) >= 48)
    real = rng.standard_normal((80, 2, 64)) * wide
    turned = rng.standard_normal((80, 2, 64)) * wide[::-1]
    by_channel, over_time = scores_of(real, turned)
    assert by_channel.value < 0.1
    # half of all samples have one and three times the spread exchanged: 2 * E|x| / 2
    assert over_time.value == pytest.approx(np.sqrt(2 / np.pi), rel=0.15)
    assert over_time.low < over_time.value < over_time.high
    assert over_time.name == "amplitude distance over time"
    assert (by_channel.n, by_channel.unit, by_channel.section) == (8, "pictures", "signals")


@pytest.mark.parametrize("which", [0, 1])
def test_values_are_exact_and_intervals_those_of_exact_draws(which):
    rng = np.random.default_rng(3)
    of_pictures = rng.standard_normal((8, 1, 1))[PICTURE]
    real = rng.standard_normal((80, 2, 64)) + of_pictures
    fake = rng.standard_normal((80, 2, 64)) + 2 * of_pictures + 1
    score = scores_of(real, fake, n_resamples=200)[which]
    exact = (wasserstein_by_channel, wasserstein_over_time)[which]
    assert score.value == pytest.approx(exact(real, fake).mean())
    draws = []
    for drawn in rng.multinomial(8, np.full(8, 1 / 8), size=100):
        rows = np.concatenate(
            [np.flatnonzero(p == PICTURE) for p in np.repeat(np.arange(8), drawn)]
        )
        draws.append(exact(real[rows], fake[rows]).mean())
    error = np.std(draws) * np.sqrt(8 / 7)
    assert (score.high - score.low) / 2 == pytest.approx(2.365 * error, rel=0.25)


def test_equal_sets_are_at_zero_even_where_nothing_changes():
    still = np.ones((80, 2, 20), dtype=np.float32)
    assert [score.value for score in scores_of(still, still)] == [0, 0]


def test_refuses_other_channels():
    with pytest.raises(ValueError, match="same channels and samples"):
        wasserstein_by_channel(np.zeros((3, 2, 5)), np.zeros((3, 3, 5)))
