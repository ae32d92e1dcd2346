"""What stands on both sides of a split: trials, samples, recordings, subjects, pictures."""

from collections.abc import Callable

import numpy as np

from phosphene.audit.checks.design import class_from_group, is_nested
from phosphene.audit.finding import CheckNotPossibleError, Finding, first_rows
from phosphene.audit.randomisation import recording_numbers, unit_of
from phosphene.audit.source import AuditSource, FoldRows
from phosphene.data.shared_samples import find_shared_samples
from phosphene.data.splits import SEAM, STIMULUS, UNITS, Split

LEVELS = ("recording", "block", "session", "subject")
ALIGNED = 0.5
"""How far above chance, as a share of the way to 1, a group must tell the class to count as aligned
with it."""


def check_same_trials(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for trials that train (or choose a checkpoint) and test in one fold."""
    folds = _folds(source, split)
    both = _affected(folds, lambda known, asked: np.isin(asked, known))
    if not len(both):
        return []
    return [
        Finding(
            kind="same_trial_on_both_sides",
            severity="severe",
            title=f"{len(both)} test trials train too",
            evidence={"trials": len(both), "folds": len(folds)},
            effect="A model that learns its training trials by heart scores 100 % on them.",
            remedy="Remove them from one side, or split anew with `phosphene train --split-unit "
            "recording`.",
            trials=first_rows(both),
            n_trials=len(both),
        )
    ]


def check_raw_ranges(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for test windows that hold samples of training windows.

    One sample at the seam of two windows is a note. Without a split, say whether windows overlap.
    """
    start, stop = source.column("start"), source.column("stop")
    if start is None or stop is None or source.column("recording") is None:
        raise CheckNotPossibleError("the source does not say which samples its windows hold")
    if split is None:
        return _overlapping_at_all(source, start, stop)
    folds = _folds(source, split)

    def sharing(more_than: int) -> np.ndarray:
        return _affected(
            folds,
            lambda known, asked: find_shared_samples(
                source.table, known, asked, more_than=more_than
            ),
        )

    both, severity = sharing(SEAM), "severe"
    if not len(both) and split.unit != STIMULUS:
        both, severity = sharing(0), "note"  # one sample, of windows cut back to back
    if not len(both):
        return []
    n_test = _n_test(folds)
    return [
        Finding(
            kind="overlapping_windows",
            severity=severity,
            title=f"{len(both)} of {n_test} test windows hold samples of training windows"
            + (", one each" if severity == "note" else ""),
            evidence={
                "test windows": n_test,
                "that share samples": len(both),
                "window, samples": int(np.median(stop - start)),
                "onsets apart, samples (median)": _median_step(source, start),
            },
            effect="The model is tested on samples that it was trained on, noise included. Where "
            "labels come in runs the score can reach 100 % with no response at all.",
            remedy="Keep whole recordings apart (--split-unit recording), or cut windows that do "
            "not overlap (--tmax).",
            trials=first_rows(both),
            n_trials=len(both),
        )
    ]


def check_shared_groups(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for recordings, blocks, sessions and subjects on both sides.

    Of two that are the same but for the names, only the first is looked at.
    """
    folds = _folds(source, split)
    assert split is not None  # or `_folds` has refused
    findings: list[Finding] = []
    seen: list[np.ndarray] = []
    for level in LEVELS:
        groups = source.column(level)
        if groups is None or (level in ("session", "subject") and len(set(groups)) < 2):
            continue  # a single one cannot be kept apart
        number = np.unique(groups, return_inverse=True)[1]
        if any(is_nested(number, other) and is_nested(other, number) for other in seen):
            continue
        seen.append(number)
        both = _affected(folds, lambda known, asked, g=groups: np.isin(g[asked], g[known]))
        if len(both):
            findings.append(_shared_group(source, split, level, groups, both))
    if all(source.column(level) is None for level in LEVELS):
        raise CheckNotPossibleError("the data name neither recordings nor subjects")
    return findings


def check_shared_stimuli(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for pictures that were shown in training and in test trials."""
    folds = _folds(source, split)
    assert split is not None  # or `_folds` has refused
    stimuli = source.column("stimulus")
    if stimuli is None:
        raise CheckNotPossibleError("the data do not say which picture a trial showed")
    both = _affected(
        folds, lambda known, asked: np.isin(stimuli[asked], stimuli[known]) & (stimuli[asked] != "")
    )
    if not len(both):
        return []
    claimed = split.unit == STIMULUS
    n_test = _n_test(folds)
    return [
        Finding(
            kind="shared_stimulus",
            severity="severe" if claimed else "warning",
            title=f"{len(both)} of {n_test} test trials show a picture that training trials show"
            + (", though the split says that it keeps pictures apart" if claimed else ""),
            evidence={
                "test trials": n_test,
                "with a known picture": len(both),
                "pictures on both sides": len(set(stimuli[both])),
                "pictures": len(set(stimuli)),
            },
            effect="The decoder may know the picture (its brightness, its contours) and not the "
            "class. In published comparisons repeated pictures added 4 to 7 points "
            "(arXiv:2508.00531); the score does not speak of new pictures.",
            remedy="Keep pictures apart as well (a split with the unit 'stimulus'), or say beside "
            "the score that the pictures are known.",
            trials=first_rows(both),
            n_trials=len(both),
        )
    ]


def check_leave_one_out(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for folds that hold out one window while others of its recording train."""
    folds = _folds(source, split)
    recordings = recording_numbers(source)
    single = [
        int(fold.test[0])
        for fold in folds
        if len(fold.test) == 1 and np.isin(recordings[fold.test], recordings[fold.train]).all()
    ]
    if len(single) < max(2, len(folds) / 2):
        return []
    unit, reason = unit_of(source)
    known = source.raw_ranges_known and source.column("recording") is not None
    rows = np.array(single)
    overlap = 0
    if known:
        everything = np.arange(len(source))
        overlap = sum(
            bool(find_shared_samples(source.table, np.delete(everything, row), rows[[i]])[0])
            for i, row in enumerate(rows[:200])
        )
    harmless = known and not overlap and unit == "trial"
    return [
        Finding(
            kind="leave_one_window_out",
            severity="warning" if harmless else "severe",
            title=f"{len(single)} of {len(folds)} folds hold out a single window, and train on "
            "others of its recording",
            evidence={
                "folds": len(folds),
                "with a single window": len(single),
                "labels were randomised by": unit,
                "because": reason,
                "of the first 200, windows that share samples": overlap,
            },
            effect="Each window is decoded by its neighbours in time. Windows are counted as if "
            "each stood alone, so the interval is too narrow; and as a held-out window is missing "
            "from the training windows of its class, a score without any effect lies below chance, "
            "not at it.",
            remedy="Leave one recording out instead (--split-unit recording).",
            trials=first_rows(rows),
            n_trials=len(rows),
        )
    ]


def _shared_group(
    source: AuditSource, split: Split, level: str, groups: np.ndarray, both: np.ndarray
) -> Finding:
    told, _ = class_from_group(source.labels, groups)
    n_shared, rank = len(set(groups[both])), {name: place for place, name in enumerate(UNITS)}
    claimed = rank.get(split.unit, 0) >= rank[level]
    blocked = level in ("block", "recording") and unit_of(source)[0] == "block"
    severity = "warning" if rank.get(split.unit, 0) == 0 else "note"
    reasons = []
    if claimed:
        reasons.append(f"the split says that it keeps every {split.unit} apart")
    if told >= ALIGNED:
        reasons.append(f"the {level} tells the class")
    elif blocked:
        reasons.append("each class was shown in stretches of time")
    if reasons:
        severity = "severe"
    effect = (
        f"A decoder may recognise the {level} (cap, impedance, drift, gain) instead of the class, "
        f"which alone would score far above chance: {', and '.join(reasons)}."
        if reasons
        else f"The score says how well classes are decoded in a {level} that the decoder knows, "
        f"and nothing about another {level}."
    )
    return Finding(
        kind=f"shared_{level}",
        severity=severity,
        title=f"{n_shared} of {len(set(groups))} {level}s stand on both sides of the split",
        evidence={
            f"{level}s": len(set(groups)),
            "on both sides": n_shared,
            "test trials in them": len(both),
            "the split keeps apart": split.unit,
            f"class told by the {level}, from 0 (chance) to 1": round(max(told, 0.0), 4),
        },
        effect=effect,
        remedy=f"Keep every {level} apart: --split-unit {level}"
        + (", or audit what else the labels follow first." if reasons else "."),
        trials=first_rows(both),
        n_trials=len(both),
    )


def _overlapping_at_all(source: AuditSource, start: np.ndarray, stop: np.ndarray) -> list[Finding]:
    order = np.lexsort([start, recording_numbers(source)])
    same = np.diff(recording_numbers(source)[order]) == 0
    overlaps = same & (start[order][1:] < stop[order][:-1])
    if not overlaps.any():
        return []
    rows = order[1:][overlaps]
    return [
        Finding(
            kind="overlapping_windows",
            severity="note",
            title=f"{len(rows)} of {len(source)} windows share samples with the one before",
            evidence={
                "windows": len(source),
                "that share samples": len(rows),
                "window, samples": int(np.median(stop - start)),
                "onsets apart, samples (median)": _median_step(source, start),
            },
            effect="A split of single windows would put the same samples on both sides.",
            remedy="Keep whole recordings apart (--split-unit recording), as `phosphene train` "
            "does unless told otherwise.",
            trials=first_rows(rows),
            n_trials=len(rows),
        )
    ]


def _median_step(source: AuditSource, start: np.ndarray) -> int:
    order = np.lexsort([start, recording_numbers(source)])
    same = np.diff(recording_numbers(source)[order]) == 0
    steps = np.diff(start[order])[same]
    return int(np.median(steps)) if len(steps) else 0


def _folds(source: AuditSource, split: Split | None) -> list[FoldRows]:
    if split is None:
        raise CheckNotPossibleError("no split was named (--split)")
    return source.folds(split)


def _affected(
    folds: list[FoldRows], shares: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the test trials, each once, that share something with what trains or validates."""
    found: list[np.ndarray] = []
    for fold in folds:
        known = np.concatenate([fold.train, fold.val])
        found.append(fold.test[shares(known, fold.test)])
    return np.unique(np.concatenate(found))


def _n_test(folds: list[FoldRows]) -> int:
    return len(np.unique(np.concatenate([fold.test for fold in folds])))
