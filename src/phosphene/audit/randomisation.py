"""How the labels of a data set came about, and how to permute them in the same way."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split
from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.units import group_numbers, independent_unit

N_PARTS = 5
"""Parts of the data that take turns in being held out."""


@dataclass(frozen=True, eq=False)
class Randomisation:
    """The independent unit of a data set.

    Parameters
    ----------
    unit
        ``"trial"`` or ``"block"``, see `evaluation.units.independent_unit`.
    reason
        One sentence.
    permute
        Draws labels, permuted at the unit within recordings, one per row of the table.
    """

    unit: str
    reason: str
    permute: Callable[[np.random.Generator], np.ndarray]


def time_order(source: AuditSource) -> np.ndarray | None:
    """Return the rows in the order of recording and time; None where times are not known."""
    times = source.column("start")
    if times is None:
        times = source.column("onset")
    if times is None or len(np.unique(times)) < 2:
        return None
    return np.lexsort([np.arange(len(source)), times, recording_numbers(source)])


def recording_numbers(source: AuditSource) -> np.ndarray:
    """Return the recording of each row as a number; 0 for all where recordings are not known."""
    names = source.column("recording")
    if names is None:
        return np.zeros(len(source), dtype=np.int64)
    return group_numbers("recordings", names, len(source))


def unit_of(source: AuditSource) -> tuple[str, str]:
    """Return the independent unit of a data set, and a sentence that says why.

    Without times, runs of equal labels mean nothing: labels count as randomised by trial unless
    blocks or recordings show one class each. One class only is nothing to randomise.
    """
    if len(np.unique(source.labels)) < 2:
        return "trial", "there is one class only."
    order = time_order(source)
    if order is None:
        order = np.random.default_rng(0).permutation(len(source))
    recording, block = recording_numbers(source)[order], source.column("block")
    blocks = None if block is None else block[order]
    return independent_unit(source.labels[order], recordings=recording, blocks=blocks)


def randomisation_of(source: AuditSource, *, unit: str | None = None) -> Randomisation:
    """Return how labels were randomised, and a permuter that follows it.

    Parameters
    ----------
    source
        What to look at.
    unit
        ``"trial"`` to ask whether labels could have been randomised by trial, whatever it looks
        like; None finds out.

    Raises
    ------
    CheckNotPossibleError
        If every recording holds one class, so that nothing can be permuted inside one.
    """
    found, reason = unit_of(source) if unit is None else (unit, "")
    order = time_order(source)
    order = np.arange(len(source)) if order is None else order
    labels, recordings = source.labels[order], recording_numbers(source)[order]
    blocks = source.column("block") if found == "block" else None
    if blocks is not None and not _is_constant(source.labels, blocks):
        blocks = None
    try:
        draw = label_permuter(
            labels,
            recordings=recordings,
            blocks=None if blocks is None else blocks[order],
            unit=found,
        )
    except ValueError:
        raise CheckNotPossibleError(
            "each recording holds one class, so that labels cannot be permuted inside one"
        ) from None

    def permute(rng: np.random.Generator) -> np.ndarray:
        permuted = np.empty_like(labels)
        permuted[order] = draw(rng)
        return permuted

    return Randomisation(found, reason, permute)


def held_out_parts(
    source: AuditSource,
    split: Split | None,
    rng: np.random.Generator,
    *,
    n_parts: int = N_PARTS,
) -> tuple[np.ndarray, str]:
    """Deal the rows into parts that are kept apart, and say how.

    Whole recordings where there are two or more, else stretches of time; where neither is known,
    the held-out trials of the split's folds, or without a split random trials.
    """
    recordings, order = recording_numbers(source), time_order(source)
    n_recordings = int(recordings.max()) + 1
    if n_recordings > 1:
        return recordings % min(n_parts, n_recordings), "recordings"
    parts = np.arange(len(source)) * n_parts // len(source)
    if order is None and split is not None:
        parts = np.zeros(len(source), dtype=np.int64)
        for number, fold in enumerate(source.folds(split)):
            parts[fold.test] = 1 + number % n_parts
        return parts, "folds of the split"
    if order is None:
        return rng.permutation(parts), "random trials"
    dealt = np.empty_like(parts)
    dealt[order] = parts
    return dealt, "stretches of time"


def _is_constant(labels: np.ndarray, groups: np.ndarray) -> bool:
    """Say whether every group holds one class."""
    number = group_numbers("groups", groups, len(labels))
    pairs = np.unique(number * (int(labels.max()) + 1) + labels)
    return len(pairs) == int(number.max()) + 1
