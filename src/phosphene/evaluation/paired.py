"""Two systems on the same held-out recordings: whether one is better."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from phosphene._checks import check_finite


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """The difference of two systems, first minus second."""

    difference: float
    low: float
    high: float
    """Ends of the 95 % interval."""
    p_value: float
    """Two-sided."""
    n_recordings: int
    n_seeds: tuple[int, int]
    seed_sds: tuple[float | None, float | None]
    """Standard deviation of either system's score between seeds; None for a single one."""


def paired_test(
    first: Float[np.ndarray, "seed recording"],
    second: Float[np.ndarray, "other recording"],
    *,
    n_trials: Float[np.ndarray, " recording"],
) -> PairedTest:
    """Test the difference of two systems that were scored on the same held-out recordings.

    Student's t over recordings, of differences between the means over seeds. Folds train on each
    other's trials, so differences of recordings are not independent: the variance of their mean is
    taken larger by 1 + G / (G - 1) for G recordings, as Nadeau and Bengio propose (1/G + test
    trials / training trials in place of 1/G). It is never taken smaller than what seeds alone make:
    the sum of the variances of either mean over seeds. With one seed of a system that part is not
    known beyond what it adds to the differences of recordings.

    Parameters
    ----------
    first, second
        Score of each run (seed) of a system in each recording, in the same order of recordings;
        decoders never saw the recording.
    n_trials
        Trials of each recording, which weigh it.

    Raises
    ------
    ValueError
        For fewer than 3 recordings, or values that are not finite.

    References
    ----------
    Nadeau and Bengio, Machine Learning 2003, https://doi.org/10.1023/A:1024068626366
    """
    n = first.shape[1]
    if n < 3 or second.shape[1] != n or len(n_trials) != n:
        raise ValueError(
            f"a paired test needs the same recordings of either system, at least 3; got {n}, "
            f"{second.shape[1]} and {len(n_trials)} counts of trials; decode more folds."
        )
    check_finite("first", first)
    check_finite("second", second)
    share = n_trials / n_trials.sum()
    gaps = first.mean(axis=0) - second.mean(axis=0)
    gap = float(gaps @ share)
    spread = float(((gaps - gap) ** 2 @ share**2) * n / (n - 1))  # variance of the weighted mean
    variance = spread * (1 + n / (n - 1))
    sds = (_seed_sd(first @ share), _seed_sd(second @ share))
    counts = (len(first), len(second))
    if sds[0] is not None or sds[1] is not None:
        seeds = sum((sd or 0.0) ** 2 / k for sd, k in zip(sds, counts, strict=True))
        variance = max(variance, seeds)
    error = math.sqrt(variance)
    reach = float(stats.t.ppf(0.975, n - 1)) * error
    p = 2 * stats.t.sf(abs(gap) / error, n - 1) if error > 0 else float(gap == 0)
    return PairedTest(
        difference=gap,
        low=gap - reach,
        high=gap + reach,
        p_value=float(p),
        n_recordings=n,
        n_seeds=counts,
        seed_sds=sds,
    )


def _seed_sd(scores: np.ndarray) -> float | None:
    return float(scores.std(ddof=1)) if len(scores) > 1 else None
