"""Intervals of a number, and the range it takes when there is nothing to find."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy import stats


def binomial_interval(
    hits: int | float, n: int | float, *, level: float = 0.95
) -> tuple[float, float]:
    """Exact (Clopper-Pearson) interval of a proportion.

    Covers at least ``level`` for any true proportion, so it is a little too wide for small ``n``.
    Counts may be fractional: an effective number of independent trials.

    Parameters
    ----------
    hits
        Successes, 0 to ``n``.
    n
        Independent trials.
    level
        Coverage.

    Raises
    ------
    ValueError
        If ``n`` is not positive or ``hits`` lies outside 0 to ``n``.

    References
    ----------
    Clopper and Pearson, Biometrika 1934.
    """
    if n <= 0 or not 0 <= hits <= n:
        raise ValueError(
            f"hits must lie between 0 and n, and n above 0; got {hits} of {n}; count both again."
        )
    _check_level(level)
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, hits, n - hits + 1) if hits > 0 else 0.0
    high = stats.beta.ppf(1 - tail, hits + 1, n - hits) if hits < n else 1.0
    return float(low), float(high)


def cluster_bootstrap(
    statistic: Callable[[np.ndarray], float],
    n_clusters: int,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of a statistic when clusters (recordings, pictures), not rows, are independent.

    Whole clusters are drawn with replacement. Percentiles of such draws cover too little when there
    are few clusters (with 6 recordings about 87 % instead of 95 %), so only the standard error is
    taken from them, enlarged by sqrt(G / (G - 1)) and multiplied by Student's t with G - 1 degrees
    of freedom. For the mean of G values this is the ordinary t interval. It is symmetric, then cut
    at ``bounds``.

    Scores of folds share most of their training data, which no interval from one run can show: read
    it as slightly too narrow (Bengio and Grandvalet, JMLR 2004).

    Parameters
    ----------
    statistic
        Value as a function of how often each cluster was drawn, an int64 array of length
        ``n_clusters``; all ones gives the value itself. May return NaN for a draw that lacks a
        class: left out.
    n_clusters
        Independent clusters, at least 2.
    bounds
        Smallest and largest value that the statistic can take.
    level
        Coverage.
    n_resamples
        Draws; 1000 leave an error of 2 % in the width.
    seed
        Seed of the draws.

    Raises
    ------
    ValueError
        If there are fewer than 2 clusters.

    References
    ----------
    Hesterberg, The American Statistician 2015, section 5, on how narrow bootstraps of few units
    are.
    """
    if n_clusters < 2:
        raise ValueError(
            f"an interval over clusters needs at least 2; got {n_clusters}; "
            "hold out more recordings or use an interval over trials."
        )
    _check_level(level)
    value = statistic(np.ones(n_clusters, dtype=np.int64))
    rng = np.random.default_rng(seed)
    share = np.full(n_clusters, 1 / n_clusters)
    draws = np.array([statistic(w) for w in rng.multinomial(n_clusters, share, size=n_resamples)])
    error = np.nanstd(draws) * np.sqrt(n_clusters / (n_clusters - 1))
    reach = stats.t.ppf((1 + level) / 2, n_clusters - 1) * error
    return float(max(bounds[0], value - reach)), float(min(bounds[1], value + reach))


def null_range(
    draw: Callable[[np.random.Generator], np.ndarray],
    *,
    n_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[
    Float[np.ndarray, "*values"], Float[np.ndarray, "*values"], Float[np.ndarray, "*values"]
]:
    """Mean and range of values computed after labels were permuted.

    Ends of the range are order statistics on the safe side, so at least ``level`` of the draws lie
    inside.

    Parameters
    ----------
    draw
        Returns one or several values for one permutation made with the generator it is given.
    n_draws
        Permutations.
    level
        Share inside.
    seed
        Seed of the permutations.

    Returns
    -------
    mean, low, high
        One entry per value; shape () when ``draw`` returns a number.
    """
    _check_level(level)
    rng = np.random.default_rng(seed)
    values = np.array([draw(rng) for _ in range(n_draws)], dtype=np.float64)
    tail = (1 - level) / 2
    low = np.quantile(values, tail, axis=0, method="lower")
    high = np.quantile(values, 1 - tail, axis=0, method="higher")
    return np.asarray(values.mean(axis=0)), np.asarray(low), np.asarray(high)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1; got {level}; 0.95 is usual.")
