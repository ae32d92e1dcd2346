"""Area under the ROC curve, inside recordings."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, Real

from phosphene.evaluation.confusion import cells_of_rows
from phosphene.evaluation.intervals import binomial_interval, cluster_bootstrap


def macro_auc(
    ranks: Float[np.ndarray, "trial class"], labels: Int[np.ndarray, "*draws trial"]
) -> Float[np.ndarray, "*draws"]:
    """Mean over classes of the one-versus-rest AUC, 0 to 1, by the Mann-Whitney statistic.

    For two classes the AUC of class 1. Classes without a trial, or without a trial of another
    class, are left out; NaN when none is left.

    Parameters
    ----------
    ranks
        Probabilities turned to ranks from 1 within each column, ties averaged
        (``scipy.stats.rankdata(probabilities, axis=0)``), so that permutations need not sort again.
    labels
        Class of each trial; for many permutations of them in one call, one to a row.
    """
    n_trials, n_classes = ranks.shape
    cells, shape = cells_of_rows(labels, n_cells=n_classes)
    inside = np.bincount(cells, minlength=np.prod(shape))
    sums = np.bincount(cells, ranks[np.arange(n_trials), labels].ravel(), minlength=np.prod(shape))
    return _from_rank_sums(sums.reshape(shape), inside.reshape(shape))


def _from_rank_sums(sums: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the mean AUC from the sum of ranks and the number of trials of each class (last)."""
    n_trials = inside.sum(axis=-1, keepdims=True)
    valid = (inside > 0) & (inside < n_trials)
    if inside.shape[-1] == 2:
        valid[..., 0] = False  # the AUC of class 0 is the same number
    pairs = np.where(valid, inside * (n_trials - inside), 1)
    aucs = np.where(valid, (sums - inside * (inside + 1) / 2) / pairs, 0)
    n_valid = valid.sum(axis=-1)
    return np.where(n_valid > 0, aucs.sum(axis=-1) / np.maximum(n_valid, 1), np.nan)


def mean_present(
    values: Float[np.ndarray, "*#draws part"], weights: Real[np.ndarray, "*#draws part"]
) -> Float[np.ndarray, "*draws"]:
    """Weighted mean of the values that are not NaN; NaN if no weight is left."""
    weights = np.where(np.isfinite(values), weights, 0)
    total = weights.sum(axis=-1)
    weighted = (np.nan_to_num(values) * weights).sum(axis=-1)
    return np.where(total > 0, weighted / np.where(total > 0, total, 1), np.nan)


def weighted_auc(
    probabilities: Float[np.ndarray, "trial class"], labels: Int[np.ndarray, " trial"]
) -> Callable[[np.ndarray], float]:
    """Prepare `macro_auc` of the same trials for many bootstrap draws.

    The function that is returned takes how often each trial was drawn, integers, and gives what
    `macro_auc` gives for trials that are repeated so often, to the bit; NaN if none was drawn.
    Sorting is done once: the rank of a trial follows from how many draws lie before it.
    """
    n_trials, n_classes = probabilities.shape
    order = probabilities.argsort(axis=0)
    first, last = np.zeros((2, n_trials), dtype=np.int64)  # of those that tie with a trial
    for label in np.unique(labels):
        ranked, mine = probabilities[order[:, label], label], labels == label
        first[mine] = np.searchsorted(ranked, probabilities[mine, label], side="left")
        last[mine] = np.searchsorted(ranked, probabilities[mine, label], side="right")

    def auc(drawn: np.ndarray) -> float:
        before = np.zeros((n_trials + 1, n_classes), dtype=np.int64)
        np.cumsum(drawn[order], axis=0, out=before[1:])
        ranks = (before[first, labels] + before[last, labels] + 1) / 2  # ties share their mean
        inside = np.bincount(labels, drawn, minlength=n_classes).astype(np.int64)
        sums = np.bincount(labels, drawn * ranks, minlength=n_classes)
        return float(_from_rank_sums(sums, inside))

    return auc


def auc_interval(
    probabilities: Float[np.ndarray, "trial class"],
    labels: Int[np.ndarray, " trial"],
    *,
    parts: list[np.ndarray],
    seed: int,
    shared: float = 0.0,
) -> tuple[float, float]:
    """Interval over trials of the AUC averaged over recordings.

    `cluster_bootstrap` with single trials as clusters, 200 draws. Where all draws agree, as for an
    AUC of 1, exact binomial on as many trials as the rarest class has.

    Parameters
    ----------
    parts
        Row numbers of each recording.
    shared
        As for `cluster_bootstrap`.
    """
    weighted = [weighted_auc(probabilities[rows], labels[rows]) for rows in parts]

    def statistic(drawn: np.ndarray) -> float:
        values = [auc(drawn[rows]) for auc, rows in zip(weighted, parts, strict=True)]
        weights = np.array([drawn[rows].sum() for rows in parts])
        return float(mean_present(np.array(values), weights))

    low, high = cluster_bootstrap(
        statistic,
        len(labels),
        bounds=(0.0, 1.0),
        n_resamples=200,
        seed=seed,
        shared=shared,
        log_odds=True,
    )
    if high - low > 1e-12:
        return low, high
    rarest = int(min(count for count in np.bincount(labels) if count))
    return binomial_interval(statistic(np.ones(len(labels), dtype=np.int64)) * rarest, rarest)
