"""Confusion matrices, and balanced accuracy read from them."""

import numpy as np
from jaxtyping import Int

from phosphene.evaluation.intervals import binomial_interval
from phosphene.evaluation.units import check_labels


def confusion_matrix(
    labels: Int[np.ndarray, " trial"], decoded: Int[np.ndarray, " trial"], *, n_classes: int
) -> Int[np.ndarray, "class class"]:
    """Count trials by class shown (row) and class decoded (column)."""
    check_labels(labels, n_classes, complete=False)
    check_labels(decoded, n_classes, complete=False)
    return count_pairs(labels, decoded, n_classes=n_classes)


def count_pairs(labels: np.ndarray, decoded: np.ndarray, *, n_classes: int) -> np.ndarray:
    """Count as `confusion_matrix` does, without any check, for thousands of permutations."""
    cells = np.bincount(labels * n_classes + decoded, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def mean_recall(table: np.ndarray) -> float:
    """Balanced accuracy: mean over the classes shown of the share decoded correctly, 0 to 1."""
    shown = table.sum(axis=1)
    held = shown > 0
    return float((np.diagonal(table)[held] / shown[held]).mean())


def expected_recall(tables: Int[np.ndarray, "recording class class"]) -> float:
    """Balanced accuracy expected when labels are permuted within recordings and decisions stay.

    One over the number of classes when all recordings hold the classes in the same proportion.
    """
    shown, decoded = tables.sum(axis=2), tables.sum(axis=1)
    hits = (shown * decoded / shown.sum(axis=1, keepdims=True)).sum(axis=0)
    held = shown.sum(axis=0) > 0
    return float((hits[held] / shown.sum(axis=0)[held]).mean())


def recall_interval(table: np.ndarray, *, shared: float = 0.0) -> tuple[float, float]:
    """Exact binomial interval of balanced accuracy over trials.

    Clopper-Pearson on the number of trials that gives a mean of recalls its variance: all trials
    when classes are equally frequent, fewer when they are not, and fewer by 1 + ``shared`` where
    trials train the decoders of each other's folds (see `intervals.shared_training`).
    """
    shown = table.sum(axis=1)
    shown = shown[shown > 0]
    effective = float(len(shown) ** 2 / (1 / shown).sum()) / (1 + shared)
    return binomial_interval(min(mean_recall(table) * effective, effective), effective)
