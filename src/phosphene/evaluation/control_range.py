"""The range under chance of a decoder that was trained on permuted labels."""

import math
from collections.abc import Hashable, Iterable

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from phosphene._checks import check_finite
from phosphene.evaluation.auc import macro_auc, mean_present
from phosphene.evaluation.confusion import count_pairs, mean_recall
from phosphene.evaluation.units import check_labels, group_numbers

MIN_WAYS = 1000
"""Fewer ways to rename the classes are too few for a 95 % range."""
MOST_UNEQUAL = 1.25
"""Trials of the most frequent class over those of the rarest, up to which names are alike."""


def renamed_ranges(
    probabilities: Float[np.ndarray, "trial class"],
    labels: Int[np.ndarray, " trial"],
    *,
    folds: Iterable[Hashable],
    recordings: Iterable[Hashable],
    n_draws: int = 1000,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Range of a decoder of permuted labels, from its own decisions with classes renamed.

    Where classes are frequent alike, a permutation of the training labels is as likely as the same
    permutation with the names of the classes exchanged, and the decoder that it makes says the same
    with the names exchanged. So its score is one of those that its decisions reach under all names
    of the classes, in each fold other ones. Trials of a class that all get one answer stay
    together, so the range is as wide as this decoder's lumps make it, where that of permuted
    held-out labels counts each trial as one observation.

    Parameters
    ----------
    probabilities
        Of held-out trials, by decoders trained on permuted labels, other ones in each fold.
    labels
        True classes.
    folds, recordings
        Of each trial. AUCs are taken inside recordings and averaged by trials.
    n_draws
        Renamings.
    seed
        Of the renamings.

    Returns
    -------
    dict
        From "balanced accuracy" and "AUC" to the ends of the middle 95 %. Empty with fewer than
        1000 ways to rename (two classes in fewer than 10 folds, say) or unequally frequent classes.
    """
    n_classes = probabilities.shape[1]
    check_labels(labels, n_classes)
    check_finite("probabilities", probabilities)
    fold = group_numbers("folds", folds, len(labels))
    recording = group_numbers("recordings", recordings, len(labels))
    counts, n_folds = np.bincount(labels, minlength=n_classes), int(fold.max()) + 1
    few = n_folds * math.lgamma(n_classes + 1) < math.log(MIN_WAYS)
    if few or counts.max() > MOST_UNEQUAL * counts.min():
        return {}
    decoded = probabilities.argmax(axis=1)
    tables = [
        count_pairs(labels[fold == f], decoded[fold == f], n_classes=n_classes)
        for f in range(n_folds)
    ]
    pairs = np.unique(np.stack([fold, recording], axis=1), axis=0)
    parts = [np.flatnonzero((fold == f) & (recording == r)) for f, r in pairs]
    ranks = [stats.rankdata(probabilities[rows], axis=0) for rows in parts]
    sizes = np.array([len(rows) for rows in parts])
    rng = np.random.default_rng(seed)
    draws = np.empty((n_draws, 2))
    for draw in draws:
        names = [rng.permutation(n_classes) for _ in range(n_folds)]
        renamed = np.sum([t[:, n] for t, n in zip(tables, names, strict=True)], axis=0)
        aucs = [
            macro_auc(rank[:, names[f]], labels[rows])
            for (f, _), rank, rows in zip(pairs, ranks, parts, strict=True)
        ]
        draw[:] = mean_recall(renamed), mean_present(np.array(aucs), sizes)
    low = np.quantile(draws, 0.025, axis=0, method="lower")
    high = np.quantile(draws, 0.975, axis=0, method="higher")
    names = ("balanced accuracy", "AUC")
    return {n: (float(low[i]), float(high[i])) for i, n in enumerate(names) if np.isfinite(low[i])}


def widest_range(*ranges: tuple[float | None, float | None] | None) -> tuple[float, float] | None:
    """Return the range that holds all those known; None where none is."""
    known = [(r[0], r[1]) for r in ranges if r and r[0] is not None and r[1] is not None]
    if not known:
        return None
    return min(low for low, _ in known), max(high for _, high in known)
