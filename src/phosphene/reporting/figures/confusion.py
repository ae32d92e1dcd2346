"""The confusion matrix: of the trials of each class, the share that was decoded as each class."""

from dataclasses import dataclass

import numpy as np

from phosphene.reporting.contents import Contents

MAX_NUMBERS = 20
"""Classes up to which the cells hold numbers."""


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Row-normalised counts with the names of the classes."""

    names: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]
    """Rows are true classes, columns decoded classes; a row without trials is zero."""
    counts: tuple[int, ...]
    """Trials of each true class."""
    write_numbers: bool
    worst: str
    """The most frequent confusion, in words."""


def confusion_matrix(contents: Contents) -> Confusion | None:
    """Return the matrix over all held-out trials, None before anything is decoded."""
    pooled = contents.pooled("labels", "probabilities")
    if pooled is None:
        return None
    labels, probabilities = pooled
    n_classes = probabilities.shape[1]
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, None]
    names = tuple(contents.class_name(label) for label in range(n_classes))
    wrong = shares * (1 - np.eye(n_classes))
    true, taken = np.unravel_index(wrong.argmax(), wrong.shape)
    worst = ""
    if wrong.max() > 0:
        share = round(100 * wrong.max())
        worst = f"The most frequent confusion: {names[true]} decoded as {names[taken]} ({share} %)."
    return Confusion(
        names=names,
        shares=tuple(tuple(round(float(v), 4) for v in row) for row in shares),
        counts=tuple(totals.tolist()),
        write_numbers=n_classes <= MAX_NUMBERS,
        worst=worst,
    )
