"""Intervals of a number, and the range it takes when there is nothing to find."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Real
from scipy import integrate, special, stats

from phosphene._checks import check_share

_INSIDE = 1e-3
"""How near to 0 and 1 the scale of log odds is taken for a score."""


def shared_training(auc: float) -> float:
    """Share of a score's variance that comes twice because folds train on each other's trials.

    A pair of trials of two recordings that are alike by chance helps (or harms) the decoder of
    either fold, so scores of folds rise and fall together. For a linear decoder of p features from
    n trials whose class means lie 2 m standard deviations apart, this concerns the share p / (p +
    n m^2) of the variance: all of it where there is nothing to find, little where the class is
    plain. p is not known for a network and is taken to be n, so the share is a little too large
    where features are few. m follows from the AUC that such a decoder reaches.

    Parameters
    ----------
    auc
        Of held-out trials; 0.5 and less give 1.

    Returns
    -------
    float
        From 1 down to 0. Multiply by `decision_share` for an accuracy.

    Notes
    -----
    ``benchmarks/honest_bench.py`` measures the coverage that follows, for 16 to 224 features with
    and without differences between recordings.
    """
    check_share("auc", auc)
    found = max(0.0, float(special.ndtri(min(auc, 1 - 1e-9)))) ** 2 / 2
    return 1 / (1 + (found + math.sqrt(found**2 + 4 * found)) / 2)


@lru_cache
def decision_share(n_classes: int) -> float:
    """Share of the variance of decisions that is linear in Gaussian scores of the classes.

    Scores of folds share trials in the linear part; decisions keep 2/pi of it for two classes, and
    e^2 K / (K - 1)^2 for K, where e is the expected maximum of K standard normal values.
    """
    highest, _ = integrate.quad(
        lambda x: x * n_classes * stats.norm.pdf(x) * special.ndtr(x) ** (n_classes - 1), -9, 9
    )
    return float(highest**2 * n_classes / (n_classes - 1) ** 2)


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
    statistic: Callable[[np.ndarray], Any],
    n_clusters: int,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
    shared: float = 0.0,
    log_odds: bool = False,
    at_once: bool = False,
) -> tuple[float, float]:
    """Interval of a statistic when clusters (recordings, pictures), not rows, are independent.

    Whole clusters are drawn with replacement. Percentiles of such draws cover too little when there
    are few clusters (with 6 recordings about 87 % instead of 95 %), so only the standard error is
    taken from them, enlarged by sqrt(G / (G - 1)) and multiplied by Student's t with G - 1 degrees
    of freedom. For the mean of G values this is the ordinary t interval. It is symmetric, then cut
    at ``bounds``; on the scale of log odds it is wider towards one half and never leaves 0 to 1.

    Recordings whose decoders trained on each other rise and fall together, and their differences do
    not show it (Bengio and Grandvalet, JMLR 2004: no estimate without bias exists). ``shared`` says
    how much of the variance comes twice: the error of the mean is larger by sqrt(1 + shared), and
    the differences between recordings are smaller by sqrt(1 - shared / (G - 1)).

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
    shared
        From `shared_training`, 0 where clusters do not train each other's decoders.
    log_odds
        Whether the interval is symmetric in log odds: for shares, which crowd near 0 and 1.
    at_once
        Whether ``statistic`` also takes all draws in one call, one to a row: faster.

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
    value = float(statistic(np.ones(n_clusters, dtype=np.int64)))
    rng = np.random.default_rng(seed)
    share = np.full(n_clusters, 1 / n_clusters)
    counts = rng.multinomial(n_clusters, share, size=n_resamples)
    draws = statistic(counts) if at_once else np.array([statistic(drawn) for drawn in counts])
    error = np.nanstd(draws) * np.sqrt(n_clusters / (n_clusters - 1))
    check_share("shared", shared)
    error *= np.sqrt((1 + shared) / (1 - min(shared / (n_clusters - 1), 0.5)))
    reach = stats.t.ppf((1 + level) / 2, n_clusters - 1) * error
    if log_odds and reach > 0:
        at = min(max(value, _INSIDE), 1 - _INSIDE)
        centre, reach = special.logit(at), reach / (at * (1 - at))
        low, high = special.expit([centre - reach, centre + reach])
        return float(max(bounds[0], min(low, value))), float(min(bounds[1], max(high, value)))
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
    rng = np.random.default_rng(seed)
    return middle_of_draws(np.array([draw(rng) for _ in range(n_draws)]), level=level)


def middle_of_draws(
    values: Real[np.ndarray, " draw *values"], *, level: float = 0.95
) -> tuple[
    Float[np.ndarray, "*values"], Float[np.ndarray, "*values"], Float[np.ndarray, "*values"]
]:
    """Mean and range of values that were drawn already, as `null_range` gives them."""
    _check_level(level)
    values, tail = np.asarray(values, np.float64), (1 - level) / 2
    low = np.quantile(values, tail, axis=0, method="lower")
    high = np.quantile(values, 1 - tail, axis=0, method="higher")
    return np.asarray(values.mean(axis=0)), np.asarray(low), np.asarray(high)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1; got {level}; 0.95 is usual.")
