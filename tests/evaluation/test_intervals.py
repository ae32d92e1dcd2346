import numpy as np
import pytest
from scipy import stats

from phosphene.evaluation.intervals import (
    binomial_interval,
    cluster_bootstrap,
    decision_share,
    middle_of_draws,
    null_range,
    shared_training,
)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (0, 10, 0.0, 1 - 0.025**0.1),  # closed forms at the ends
        (10, 10, 0.025**0.1, 1.0),
        (8, 20, 0.1911901, 0.6394574),  # R: binom.test(8, 20)
    ],
)
def test_binomial_interval_known_values(hits, n, low, high):
    assert binomial_interval(hits, n) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(("hits", "n"), [(3, 7), (50, 400)])
def test_binomial_interval_agrees_with_scipy(hits, n):
    expected = stats.binomtest(hits, n).proportion_ci(0.9, method="exact")
    assert binomial_interval(hits, n, level=0.9) == pytest.approx(tuple(expected), abs=1e-9)


@pytest.mark.parametrize("truth", [0.03, 0.5, 0.9])
def test_binomial_interval_covers_at_least_its_level(truth):
    n = 30
    ends = np.array([binomial_interval(k, n) for k in range(n + 1)])
    inside = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    assert stats.binom.pmf(np.arange(n + 1), n, truth)[inside].sum() >= 0.95


@pytest.mark.parametrize(("hits", "n"), [(3, 2), (-1, 5), (0, 0)])
def test_binomial_interval_refuses(hits, n):
    with pytest.raises(ValueError, match="between 0 and n"):
        binomial_interval(hits, n)


def test_binomial_interval_refuses_a_level_in_percent():
    with pytest.raises(ValueError, match="`level`"):
        binomial_interval(3, 10, level=95.0)


def test_cluster_bootstrap_of_a_mean_is_the_t_interval():
    values = np.array([0.61, 0.66, 0.70, 0.58, 0.72, 0.64])
    found = cluster_bootstrap(
        lambda drawn: float(np.average(values, weights=drawn)), 6, n_resamples=40_000
    )
    expected = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert found == pytest.approx(expected, abs=0.002)


def test_cluster_bootstrap_covers_where_percentiles_do_not():
    rng = np.random.default_rng(0)
    inside = percentile = 0
    for seed in range(400):
        values = rng.standard_normal(6)
        low, high = cluster_bootstrap(
            lambda drawn, values=values: float(values @ drawn / 6), 6, n_resamples=200, seed=seed
        )
        inside += low <= 0 <= high
        draws = rng.multinomial(6, np.full(6, 1 / 6), size=200) @ values / 6
        percentile += np.quantile(draws, 0.025) <= 0 <= np.quantile(draws, 0.975)
    assert 0.92 < inside / 400 < 0.98
    assert percentile / 400 < 0.91


def test_cluster_bootstrap_is_seeded_and_bounded():
    def statistic(drawn):
        return float(drawn @ [0.9, 1.0, 1.0] / 3)

    first = cluster_bootstrap(statistic, 3, bounds=(0.0, 1.0), seed=4)
    assert first == cluster_bootstrap(statistic, 3, bounds=(0.0, 1.0), seed=4)
    assert first != cluster_bootstrap(statistic, 3, bounds=(0.0, 1.0), seed=5)
    assert first[1] == 1


def test_shared_training_is_all_of_the_variance_where_nothing_is_found():
    assert shared_training(0.5) == shared_training(0.2) == 1
    # class means 2 m apart with n m^2 = p: half of the decoder's direction is noise
    m = 1.0
    auc = stats.norm.cdf(m * np.sqrt(m**2 / (m**2 + 1)) * np.sqrt(2))
    assert shared_training(float(auc)) == pytest.approx(0.5)
    shares = [shared_training(auc) for auc in (0.5, 0.6, 0.8, 0.95, 1.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.1


def test_decisions_keep_the_share_that_is_drawn():
    assert decision_share(2) == pytest.approx(2 / np.pi)
    rng, n_classes = np.random.default_rng(0), 5
    scores = rng.standard_normal((200_000, n_classes))
    decided = (scores.argmax(axis=1) == 0).astype(float)
    slopes = scores.T @ (decided - decided.mean()) / len(scores)
    assert decision_share(n_classes) == pytest.approx(slopes @ slopes / decided.var(), rel=0.02)


def test_shared_training_widens_as_clusters_of_equal_correlation_need():
    """Values with correlation shared / (G - 1): their mean varies more, their differences less."""
    rng = np.random.default_rng(1)
    n, shared, inside = 6, 1.0, {0.0: 0, 1.0: 0}
    corr = shared / (n - 1)
    for seed in range(300):
        values = np.sqrt(1 - corr) * rng.standard_normal(n) + np.sqrt(corr) * rng.standard_normal()
        for taken in inside:
            low, high = cluster_bootstrap(
                lambda drawn, values=values: float(values @ drawn / n),
                n,
                n_resamples=200,
                seed=seed,
                shared=taken,
            )
            inside[taken] += low <= 0 <= high
    assert 0.92 < inside[1.0] / 300 < 0.98
    assert inside[0.0] / 300 < 0.9


def test_log_odds_never_leave_the_unit_interval_and_hold_the_value():
    values = np.array([0.95, 1.0, 1.0])
    low, high = cluster_bootstrap(
        lambda drawn: float(values @ drawn / 3), 3, bounds=(0.0, 1.0), log_odds=True
    )
    assert 0 < low < values.mean() < high < 1
    assert values.mean() - low > high - values.mean()


@pytest.mark.parametrize("shared", [-0.1, 1.1])
def test_cluster_bootstrap_refuses_no_share(shared):
    with pytest.raises(ValueError, match="`shared` must be at least 0"):
        cluster_bootstrap(lambda drawn: 0.0, 3, shared=shared)


def test_cluster_bootstrap_of_all_draws_at_once_is_that_of_one_after_another():
    values = np.random.default_rng(0).normal(size=6)
    alone = cluster_bootstrap(lambda drawn: float((drawn * values).sum() / 6), 6, seed=4)
    at_once = cluster_bootstrap(
        lambda drawn: (drawn * values).sum(axis=-1) / 6, 6, seed=4, at_once=True
    )
    assert at_once == alone


def test_cluster_bootstrap_refuses_one_cluster():
    with pytest.raises(ValueError, match="at least 2"):
        cluster_bootstrap(lambda drawn: 0.0, 1)


def test_null_range_of_several_values():
    mean, low, high = null_range(
        lambda rng: np.array([rng.random(), 7.0]), n_draws=2000, level=0.9, seed=0
    )
    np.testing.assert_allclose(mean, [0.5, 7], atol=0.03)
    np.testing.assert_allclose(low, [0.05, 7], atol=0.03)
    np.testing.assert_allclose(high, [0.95, 7], atol=0.03)


def test_values_drawn_already_have_the_range_of_those_drawn_now():
    values = np.random.default_rng(3).random(50)
    found = middle_of_draws(values, level=0.9)
    expected = null_range(lambda rng: rng.random(), n_draws=50, level=0.9, seed=3)
    np.testing.assert_array_equal(found, expected)
