import numpy as np
import pytest
from scipy.linalg import sqrtm

from phosphene.evaluation.pictures.distribution import frechet_distance
from phosphene.evaluation.signals.frechet import (
    frechet_distance_of_samples,
    frechet_distances_between,
    frechet_score,
)


def by_definition(real, fake):
    """Equation 2.11 of the thesis, with the square that it lacks."""
    real, fake = (rows.reshape(len(rows), -1).astype(np.float64) for rows in (real, fake))
    covs = np.cov(real.T), np.cov(fake.T)
    gap = ((real.mean(0) - fake.mean(0)) ** 2).sum()
    return gap + np.trace(covs[0] + covs[1] - 2 * sqrtm(covs[0] @ covs[1]).real)


def test_a_shift_costs_its_square():
    signals = np.random.default_rng(0).standard_normal((20, 3, 5))
    assert frechet_distance_of_samples(signals, signals) == pytest.approx(0, abs=1e-6)
    shifted = signals + np.float64(2)
    assert frechet_distance_of_samples(signals, shifted) == pytest.approx(15 * 4, rel=1e-6)


def test_doubled_signals_are_as_far_as_their_variance():
    # equal directions, standard deviations s and 2 s: the sum of (2 s - s)^2
    signals = np.random.default_rng(1).standard_normal((12, 4, 10))
    expected = signals.var(axis=0, ddof=1).sum() + (signals.mean(axis=0) ** 2).sum()
    assert frechet_distance_of_samples(signals, 2 * signals) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("n_real", "n_fake"), [(60, 80), (80, 60)])
def test_agrees_with_the_matrix_root(n_real, n_fake):
    rng = np.random.default_rng(2)
    real = rng.standard_normal((n_real, 2, 4))
    fake = rng.standard_normal((n_fake, 2, 4)) @ rng.random((4, 4)) + 0.5
    found = frechet_distance_of_samples(real, fake)
    assert found == pytest.approx(by_definition(real, fake), rel=1e-6)


@pytest.mark.parametrize(("n_real", "n_fake"), [(9, 7), (7, 9)])
def test_agrees_with_the_roots_of_wide_covariances(n_real, n_fake):
    rng = np.random.default_rng(3)
    real, fake = rng.standard_normal((n_real, 3, 11)), 2 * rng.standard_normal((n_fake, 3, 11)) + 1
    flat = [rows.reshape(len(rows), -1) for rows in (real, fake)]
    scale, basis = np.linalg.eigh(np.cov(flat[0].T))
    root = (basis * np.sqrt(scale.clip(0))) @ basis.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ np.cov(flat[1].T) @ root).clip(0)).sum()
    gap = ((flat[0].mean(0) - flat[1].mean(0)) ** 2).sum()
    traces = sum(np.trace(np.cov(rows.T)) for rows in flat)
    expected = gap + traces - 2 * overlap
    assert frechet_distance_of_samples(real, fake) == pytest.approx(expected, rel=1e-5)
    assert frechet_distance(*flat) == pytest.approx(expected, rel=1e-5)


def test_thousands_of_samples_in_single_precision_lose_nothing():
    rng = np.random.default_rng(4)
    real = (rng.standard_normal((40, 22, 313)) + 100).astype(np.float32)  # several blocks
    fake = (rng.standard_normal((40, 22, 313)) + 100).astype(np.float32)
    expected = frechet_distance(*(part.reshape(40, -1).astype(np.float64) for part in (real, fake)))
    assert frechet_distance_of_samples(real, fake) == pytest.approx(expected, rel=1e-9)


def test_windows_that_count_several_times_stand_for_copies():
    rng = np.random.default_rng(5)
    real, fake = rng.standard_normal((6, 2, 20)), rng.standard_normal((5, 2, 20))
    drawn = np.array([2, 0, 1, 3, 0, 1]), np.array([0, 1, 4, 0, 1])
    copies = np.repeat(real, drawn[0], axis=0), np.repeat(fake, drawn[1], axis=0)
    found = frechet_distances_between(real, fake)(*drawn)
    assert found == pytest.approx(frechet_distance_of_samples(*copies), rel=1e-9)


def test_fewer_windows_lie_further_apart():
    rng = np.random.default_rng(6)
    few, many = (
        frechet_distance_of_samples(*rng.standard_normal((2, n, 4, 25))) for n in (20, 200)
    )
    assert few > 1.5 * many


@pytest.mark.parametrize("n_samples", [4, 60])  # fewer and more than windows
def test_score_carries_value_interval_and_pictures(n_samples):
    rng = np.random.default_rng(7)
    real, near = rng.standard_normal((2, 40, n_samples))
    picture = np.repeat(np.arange(8), 5)
    kwargs = {"picture": picture, "extractor": "raw", "method": "GAN"}
    score = frechet_score(real, near + 3, **kwargs)
    assert score.name == "Fréchet distance[raw]"
    assert score.value == pytest.approx(frechet_distance(real, near + 3), rel=1e-6)
    assert score.low < score.value < score.high
    assert (score.n, score.unit, score.section) == (8, "pictures", "signals")
    assert not score.higher_is_better
    assert score == frechet_score(real, near + 3, **kwargs)


def test_interval_is_wider_where_pictures_differ():
    rng = np.random.default_rng(8)
    picture = np.repeat(np.arange(10), 20)
    real, fake = rng.standard_normal((2, 200, 5))
    of_pictures = 2 * rng.standard_normal((10, 5))[picture]
    widths = []
    for bent in (fake, fake + of_pictures):
        score = frechet_score(real, bent + 3, picture=picture, extractor="raw", method="x")
        widths.append(score.high - score.low)
    assert widths[1] > 2 * widths[0]


@pytest.mark.slow
def test_interval_is_as_wide_as_distances_vary():
    picture = np.repeat(np.arange(24), 6)
    values, errors = [], []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        of_pictures = rng.standard_normal((24, 60))[picture]
        real = of_pictures + rng.standard_normal((144, 60))
        fake = of_pictures + 1.2 * rng.standard_normal((144, 60))
        score = frechet_score(real, fake, picture=picture, extractor="raw", method="x", seed=seed)
        values.append(score.value)
        errors.append((score.high - score.low) / 2 / 2.069)  # t of 23 degrees of freedom
    assert 0.8 < np.mean(errors) / np.std(values) < 1.6


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.zeros((1, 3)), np.zeros((2, 3)), "got 1 real"),
        (np.zeros((2, 3)), np.zeros((2, 4)), "same shape"),
        (np.zeros((2, 3)), np.full((2, 3), np.inf), "`generated` must be finite"),
    ],
)
def test_refuses(real, fake, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance_of_samples(real, fake)


def test_score_refuses_unequal_numbers():
    with pytest.raises(ValueError, match="need as many"):
        frechet_score(
            np.zeros((4, 3)),
            np.zeros((5, 3)),
            picture=np.array([0, 0, 1, 1]),
            extractor="raw",
            method="x",
        )
