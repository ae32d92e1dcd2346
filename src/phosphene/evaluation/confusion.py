"""Confusion matrices, and balanced accuracy read from them."""

import numpy as np
from jaxtyping import Float, Int

from phosphene.evaluation.intervals import binomial_interval
from phosphene.evaluation.units import check_labels


def confusion_matrix(
    labels: Int[np.ndarray, " trial"], decoded: Int[np.ndarray, " trial"], *, n_classes: int
) -> Int[np.ndarray, "class class"]:
    """Count trials by class shown (row) and class decoded (column)."""
    check_labels(labels, n_classes, complete=False)
    check_labels(decoded, n_classes, complete=False)
    return count_pairs(labels, decoded, n_classes=n_classes)


def count_pairs(
    labels: Int[np.ndarray, "*draws trial"], decoded: Int[np.ndarray, " trial"], *, n_classes: int
) -> Int[np.ndarray, "*draws class class"]:
    """Count as `confusion_matrix` does, without any check, one table to a row of labels."""
    cells, shape = cells_of_rows(labels * n_classes + decoded, n_cells=n_classes**2)
    return np.bincount(cells, minlength=np.prod(shape)).reshape(*shape[:-1], n_classes, n_classes)


def cells_of_rows(
    cells: Int[np.ndarray, "*draws trial"], *, n_cells: int
) -> tuple[Int[np.ndarray, " entry"], tuple[int, ...]]:
    """Give the cells of every row numbers of their own, so that one count serves all rows.

    Parameters
    ----------
    cells
        Numbers from 0 to n_cells - 1.
    n_cells
        Cells of a row.

    Returns
    -------
    cells, shape
        All in one line, and the shape to bring their counts to: a row of `n_cells` for each.
    """
    n_rows = int(np.prod(cells.shape[:-1]))
    apart = cells.reshape(n_rows, -1) + n_cells * np.arange(n_rows)[:, None]
    return apart.ravel(), (*cells.shape[:-1], n_cells)


def mean_recall(table: Int[np.ndarray, "*draws class class"]) -> Float[np.ndarray, "*draws"]:
    """Balanced accuracy: mean over the classes shown of the share decoded correctly, 0 to 1."""
    shown = table.sum(axis=-1)
    hits = np.diagonal(table, axis1=-2, axis2=-1)
    recalls = np.where(shown > 0, hits / np.maximum(shown, 1), 0)
    return np.asarray(recalls.sum(axis=-1) / (shown > 0).sum(axis=-1))


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
    return binomial_interval(min(float(mean_recall(table)) * effective, effective), effective)
