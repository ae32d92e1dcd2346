"""Area under the ROC curve, inside recordings."""

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from phosphene.evaluation.intervals import binomial_interval, cluster_bootstrap


def macro_auc(ranks: np.ndarray, labels: np.ndarray) -> float:
    """Mean over classes of the one-versus-rest AUC, 0 to 1, by the Mann-Whitney statistic.

    For two classes the AUC of class 1. Classes without a trial, or without a trial of another
    class, are left out; NaN when none is left.

    Parameters
    ----------
    ranks
        Shape (trial, class). Probabilities turned to ranks from 1 within each column, ties averaged
        (``scipy.stats.rankdata(probabilities, axis=0)``), so that permutations need not sort again.
    labels
        Class of each trial.
    """
    n_trials, n_classes = ranks.shape
    inside = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, ranks[np.arange(n_trials), labels], minlength=n_classes)
    valid = (inside > 0) & (inside < n_trials)
    if n_classes == 2:
        valid[0] = False  # the AUC of class 0 is the same number
    if not valid.any():
        return np.nan
    inside, sums = inside[valid], sums[valid]
    return float(((sums - inside * (inside + 1) / 2) / (inside * (n_trials - inside))).mean())


def mean_present(values: np.ndarray, weights: np.ndarray) -> float:
    """Weighted mean of the values that are not NaN; NaN if no weight is left."""
    weights = np.where(np.isfinite(values), weights, 0)
    total = weights.sum()
    return float((np.nan_to_num(values) * weights).sum() / total) if total else np.nan


def auc_interval(
    probabilities: Float[np.ndarray, "trial class"],
    labels: Int[np.ndarray, " trial"],
    *,
    parts: list[np.ndarray],
    seed: int,
) -> tuple[float, float]:
    """Interval over trials of the AUC averaged over recordings.

    `cluster_bootstrap` with single trials as clusters, 200 draws. Where all draws agree, as for an
    AUC of 1, exact binomial on as many trials as the rarest class has.

    Parameters
    ----------
    parts
        Row numbers of each recording.
    """

    def statistic(drawn: np.ndarray) -> float:
        again = [np.repeat(rows, drawn[rows]) for rows in parts]
        again = [rows for rows in again if len(rows)]
        values = [
            macro_auc(stats.rankdata(probabilities[rows], axis=0), labels[rows]) for rows in again
        ]
        return mean_present(np.array(values), np.array([len(rows) for rows in again]))

    low, high = cluster_bootstrap(
        statistic, len(labels), bounds=(0.0, 1.0), n_resamples=200, seed=seed
    )
    if high - low > 1e-12:
        return low, high
    rarest = int(min(count for count in np.bincount(labels) if count))
    return binomial_interval(statistic(np.ones(len(labels), dtype=np.int64)) * rarest, rarest)
