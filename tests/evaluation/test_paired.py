import numpy as np
import pytest
from scipy import stats

from phosphene.evaluation.paired import paired_test

EQUAL = np.full(6, 50.0)


def test_single_runs_give_the_corrected_t_test():
    first, second = np.random.default_rng(0).normal(0.7, 0.05, size=(2, 1, 6))
    found = paired_test(first, second, n_trials=EQUAL)
    gaps = (first - second)[0]
    error = np.sqrt((1 / 6 + 1 / 5) * gaps.var(ddof=1))  # Nadeau and Bengio, 50 / 250 trials
    assert found.difference == pytest.approx(gaps.mean())
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(gaps.mean()) / error, 5))
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, 5) * error)
    assert (found.n_seeds, found.seed_sds) == ((1, 1), (None, None))


def test_sides_change_sign_together():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.7, 0.1, size=(3, 6)), rng.normal(0.6, 0.1, size=(2, 6))
    there = paired_test(first, second, n_trials=EQUAL)
    back = paired_test(second, first, n_trials=EQUAL)
    assert there.difference == pytest.approx(-back.difference)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.low == pytest.approx(-back.high)


def test_large_recordings_weigh_more():
    first, second = np.array([[0.9, 0.5, 0.5]]), np.full((1, 3), 0.5)
    found = paired_test(first, second, n_trials=np.array([200.0, 50.0, 50.0]))
    assert found.difference == pytest.approx(0.4 * 200 / 300)


def test_seeds_that_differ_are_not_hidden_by_recordings_that_agree():
    """All recordings move together with the seed: their differences alone would show nothing."""
    level = np.array([[0.6], [0.7], [0.8]])
    first, second = level + np.zeros((3, 6)), np.full((3, 6), 0.6) + 1e-6 * np.arange(6)
    found = paired_test(first, second, n_trials=EQUAL)
    assert found.seed_sds[0] == pytest.approx(0.1)
    assert found.high - found.low > 2 * 0.1 / 3**0.5
    assert found.p_value > 0.05


def test_equal_systems_differ_as_rarely_as_the_level_says():
    """Differences of recordings correlate by 1 / G, as test folds over training folds make them."""
    rng, n = np.random.default_rng(2), 6
    p = []
    for _ in range(400):
        gaps = np.sqrt(1 - 1 / n) * rng.standard_normal(n) + np.sqrt(1 / n) * rng.standard_normal()
        p.append(paired_test(gaps[None], np.zeros((1, n)), n_trials=EQUAL).p_value)
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08
    plain = stats.ttest_1samp(np.array([[0.3, 0.1, 0.2, 0.4, 0.2, 0.1]]), 0, axis=1).pvalue
    corrected = paired_test(
        np.array([[0.3, 0.1, 0.2, 0.4, 0.2, 0.1]]), np.zeros((1, 6)), n_trials=EQUAL
    ).p_value
    assert corrected > plain[0]


def test_the_same_system_twice_does_not_differ():
    scores = np.full((1, 4), 0.7)
    found = paired_test(scores, scores, n_trials=np.ones(4))
    assert (found.difference, found.p_value) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones((1, 2)), np.ones((1, 2)), "at least 3"),
        (np.full((1, 6), np.nan), np.ones((1, 6)), "finite"),
    ],
)
def test_refuses(first, second, message):
    with pytest.raises(ValueError, match=message):
        paired_test(first, second, n_trials=np.ones(first.shape[1]))
