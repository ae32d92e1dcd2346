"""The independent unit, the level at which labels were randomised; checks of labels and groups."""

from collections.abc import Hashable, Iterable

import numpy as np
from jaxtyping import Bool, Float, Int

from phosphene._checks import check_finite


def group_numbers(name: str, groups: Iterable[Hashable], n: int) -> Int[np.ndarray, " row"]:
    """Assign numbers from 0, in sorted order, to the groups (recordings, blocks) of ``n`` rows.

    Parameters
    ----------
    name
        What the groups are called in errors.
    groups
        One id per row; compared as text.
    n
        Rows expected.

    Raises
    ------
    ValueError
        If the number of ids is not ``n`` or ``n`` is zero.
    """
    ids = np.array([str(group) for group in groups], dtype=str)
    if len(ids) != n or n == 0:
        raise ValueError(
            f"`{name}` needs one id for each of {n} rows, at least one; got {len(ids)}; "
            "pass the same selection of rows to every argument."
        )
    return np.unique(ids, return_inverse=True)[1].astype(np.int64)


def check_labels(labels: Int[np.ndarray, " row"], n_classes: int, *, complete: bool = True) -> None:
    """Refuse labels outside ``0 .. n_classes - 1`` and, if ``complete``, classes without a row.

    Raises
    ------
    ValueError
        If there are fewer than two classes, a label out of range, or a class without rows.
    """
    if n_classes < 2:
        raise ValueError(
            f"a decoding score needs at least 2 classes; got {n_classes}; add another class."
        )
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= n_classes:
        found = f"{labels.min()} .. {labels.max()}" if len(labels) else "no rows"
        raise ValueError(
            f"labels must lie in 0 .. {n_classes - 1}; got {found}; "
            "number the classes from 0 in the order of the class names."
        )
    missing = np.flatnonzero(np.bincount(labels, minlength=n_classes) == 0)
    if complete and len(missing):
        raise ValueError(
            f"every class needs at least one row; class {', '.join(map(str, missing))} of "
            f"{n_classes} has none; drop the class or split so that each part has all classes."
        )


def check_probabilities(probabilities: Float[np.ndarray, "row class"]) -> None:
    """Refuse rows that are not probabilities of classes.

    Raises
    ------
    ValueError
        If a value is not finite or negative, or a row does not sum to 1 within 0.001.
    """
    check_finite("probabilities", probabilities)
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if probabilities.min(initial=0) < 0 or np.abs(sums - 1).max(initial=0) > 1e-3:
        raise ValueError(
            f"probabilities must be at least 0 and sum to 1 in each row; got a minimum of "
            f"{probabilities.min():.3g} and sums of {sums.min():.3g} to {sums.max():.3g}; "
            "apply a softmax to logits first."
        )


def runs_of_labels(
    labels: Int[np.ndarray, " row"], recordings: Int[np.ndarray, " row"]
) -> Int[np.ndarray, " row"]:
    """Give each run of equal labels inside a recording its number; rows are in the order of time.

    Two blocks of one class in a row count as one run.
    """
    blocks = np.empty(len(labels), dtype=np.int64)
    first_free = 0
    for recording in np.unique(recordings):
        rows = np.flatnonzero(recordings == recording)
        starts = np.concatenate([[0], np.diff(labels[rows]) != 0]).cumsum()
        blocks[rows] = first_free + starts
        first_free = blocks[rows].max() + 1
    return blocks


def independent_unit(
    labels: Int[np.ndarray, " row"],
    *,
    recordings: Iterable[Hashable],
    blocks: Iterable[Hashable] | None = None,
) -> tuple[str, str]:
    """Tell whether labels were randomised by trial or by block, and why.

    Blocked means: every block of the table holds one class (and holds more than one trial), or
    every recording holds one class, or labels come in runs so long that chance does not make them:
    less than half as many runs as a random order of the same labels gives, and more than 4 standard
    deviations fewer (runs test for several classes: Wald and Wolfowitz 1940; Barton and David
    1957).

    Parameters
    ----------
    labels
        Class of each trial, all trials of the data set, in the order of time within a recording.
    recordings
        Recording of each trial.
    blocks
        Block of each trial; None or one constant value when the source has none.

    Returns
    -------
    unit
        ``"trial"`` (permute labels of trials within a recording) or ``"block"`` (permute whole
        blocks).
    reason
        One sentence for the report.
    """
    check_labels(labels, int(labels.max(initial=0)) + 1, complete=False)
    recording = group_numbers("recordings", recordings, len(labels))
    if blocks is not None:
        block = group_numbers("blocks", blocks, len(labels))
        n_blocks = block.max() + 1
        if 1 < n_blocks <= len(labels) / 2 and _constant_within(labels, block).all():
            return "block", f"each of the {n_blocks} blocks shows one class only."
    if recording.max() > 0 and _constant_within(labels, recording).all():
        return "block", f"each of the {recording.max() + 1} recordings shows one class only."
    runs, expected, variance = _count_runs(labels, recording)
    deviation = (runs - expected) / max(variance, 1e-12) ** 0.5
    if runs < expected / 2 and deviation < -4:
        return "block", (
            f"classes come in {runs} runs of equal labels where a random order gives about "
            f"{expected:.0f}."
        )
    return "trial", (
        f"classes alternate within recordings ({runs} runs of equal labels, a random order gives "
        f"about {expected:.0f})."
    )


def _constant_within(
    labels: Int[np.ndarray, " row"], groups: Int[np.ndarray, " row"]
) -> Bool[np.ndarray, " group"]:
    """For each group, whether it holds one label."""
    low = np.full(groups.max() + 1, np.iinfo(np.int64).max)
    high = np.full(groups.max() + 1, -1)
    np.minimum.at(low, groups, labels)
    np.maximum.at(high, groups, labels)
    return low == high


def _count_runs(
    labels: Int[np.ndarray, " row"], recordings: Int[np.ndarray, " row"]
) -> tuple[int, float, float]:
    """Return observed runs, and their mean and variance under random order, over recordings."""
    runs, mean, variance = 0, 0.0, 0.0
    for recording in np.unique(recordings):
        inside = labels[recordings == recording]
        n = len(inside)
        counts = np.bincount(inside).astype(np.float64)
        squares, cubes = (counts**2).sum(), (counts**3).sum()
        runs += 1 + int((np.diff(inside) != 0).sum())
        mean += 1 + n - squares / n
        if n > 1:
            top = squares * (squares + n * (n + 1)) - 2 * n * cubes - n**3
            variance += top / (n**2 * (n - 1))
    return runs, float(mean), float(variance)
