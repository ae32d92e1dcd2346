"""Does the design give the class away: blocks, recordings, order; balance and number of units."""

import numpy as np
from jaxtyping import Int

from phosphene.audit.finding import CheckNotPossibleError, Finding, first_rows
from phosphene.audit.nuisances import level, size, whole_window
from phosphene.audit.prediction import above_chance, predict_class
from phosphene.audit.randomisation import recording_numbers, time_order
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split
from phosphene.evaluation.controls import label_permuter

GROUPS = ("recording", "session", "subject", "block")
SEVERE, WARNING = 0.5, 0.2
"""How far the class is told above chance, as a share of the way to 1."""
SURE = 0.01
N_PERMUTATIONS = 499
RARE, UNEVEN = 0.1, 0.5
"""Trials of the rarest class over those of the most frequent: below, severe; below, a warning."""
MAJORITY = 0.9
"""Share of one class from which on imbalance is severe."""
_MAX_PROBED = 3000
_MORE = 0.1
"""How much better than a larger group a smaller one must tell the class to be worth naming."""

_MEND = (
    "No filter, split or control mends this design: record again with the classes in random order "
    "in every recording. With these data keep whole {name}s apart where each holds several "
    "classes, and permute labels by {name} (`phosphene evaluate RUN --controls full` does)."
)


def check_groups(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for blocks, recordings, sessions and subjects that tell the class.

    A recording of one class holds blocks of one class: of nested groups only the largest that tells
    the class is named, unless a smaller one tells it much better.
    """
    labels = source.labels
    if len(np.unique(labels)) < 2:
        raise CheckNotPossibleError("there is one class only")
    asked = _groupings(source)
    findings: list[Finding] = []
    coarser: list[tuple[np.ndarray, float]] = []
    for name, number in asked:
        told, right = class_from_group(labels, number)
        if told < WARNING or any(
            is_nested(number, other) and told < known + _MORE for other, known in coarser
        ):
            continue
        null = [class_from_group(rng.permutation(labels), number)[0] for _ in range(N_PERMUTATIONS)]
        p_value = (1 + sum(value >= told for value in null)) / (N_PERMUTATIONS + 1)
        if min(1.0, p_value * len(GROUPS)) > SURE:
            continue
        coarser.append((number, told))
        findings.append(_aligned(source, name, number, told, right, p_value, rng))
    if not asked:
        raise CheckNotPossibleError("the data name no blocks, recordings or subjects to compare")
    return findings


def check_order(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for classes that come in runs or drift in the course of a recording."""
    order = time_order(source)
    if order is None:
        raise CheckNotPossibleError("the data do not say in which order trials took place")
    labels, recordings = source.labels[order], recording_numbers(source)[order]
    same = recordings[1:] == recordings[:-1]
    try:
        permute = label_permuter(labels, recordings=recordings)
    except ValueError:
        raise CheckNotPossibleError(
            "each recording holds one class, so that there is no order inside one"
        ) from None

    def agreement(drawn: np.ndarray) -> float:
        return float((drawn[1:] == drawn[:-1])[same].mean())

    if not same.any():
        raise CheckNotPossibleError("recordings hold one trial each")
    seen = agreement(labels)
    null = np.array([agreement(permute(rng)) for _ in range(N_PERMUTATIONS)])
    expected = float(null.mean())
    told = (seen - expected) / max(1 - expected, 1e-12)
    p_value = (1 + int((null >= seen).sum())) / (N_PERMUTATIONS + 1)
    if told < WARNING or p_value > SURE:
        return []
    rows = order[1:][same & (labels[1:] == labels[:-1])]
    severe = told >= SEVERE
    evidence: dict[str, int | float | str | list] = {
        "neighbours of one class": round(seen, 4),
        "in a random order": round(expected, 4),
        "p": round(p_value, 5),
        "runs of equal labels": int((~(labels[1:] == labels[:-1]) & same).sum())
        + len(np.unique(recordings)),
        "trials": len(labels),
    }
    if severe:
        evidence |= _windows_alone(source, rng)
    return [
        Finding(
            kind="class_aligned_with_order",
            severity="severe" if severe else "warning",
            title=f"{seen:.0%} of neighbouring trials show the same class; a random order gives "
            f"{expected:.0%}",
            evidence=evidence,
            effect=_BLOCKED.format(what="stretch of time"),
            remedy=_MEND.format(name="recording"),
            trials=first_rows(rows),
            n_trials=len(rows),
        )
    ]


def check_imbalance(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Look for rare classes, and for folds that lack one."""
    counts = np.bincount(source.labels, minlength=source.n_classes)
    present = counts[counts > 0]
    share, ratio = float(counts.max() / counts.sum()), float(present.min() / present.max())
    lacking = []
    for fold in source.folds(split) if split is not None else []:
        for side, rows in (("training", fold.train), ("test", fold.test)):
            if len(rows) > 1 and len(np.unique(source.labels[rows])) < len(present):
                lacking.append(f"{side} trials of fold {fold.key}")
    if ratio >= UNEVEN and not lacking and len(present) == source.n_classes:
        return []
    severe = share >= MAJORITY or ratio < RARE
    rarest = int(np.flatnonzero(counts == present.min())[0])
    rows = np.flatnonzero(source.labels == rarest)
    name = source.classes[rarest] if rarest < source.n_classes else str(rarest)
    return [
        Finding(
            kind="class_imbalance",
            severity="severe" if severe else "warning",
            title=f"always answering with the most frequent class is right in {share:.0%} of trials"
            if ratio < UNEVEN
            else f"a class is missing in {len(lacking)} parts of the split"
            if lacking
            else "a class has no trial",
            evidence={
                "trials per class": counts.tolist(),
                "rarest": f"{name}, {int(present.min())} trials",
                "rarest / most frequent": round(ratio, 4),
                "parts that lack a class": lacking[:20],
            },
            effect=f"Plain accuracy is {share:.0%} without looking at the signal. Balanced "
            f"accuracy and AUC are not flattered, but rest on {int(present.min())} trials of the "
            "rarest class.",
            remedy="Report balanced accuracy or AUC (Phosphene does) with chance beside it, never "
            "plain accuracy; record more of the rare class, or leave it out at import.",
            trials=first_rows(rows),
            n_trials=len(rows),
        )
    ]


def class_from_group(
    labels: Int[np.ndarray, " row"], groups: np.ndarray
) -> tuple[float, np.ndarray]:
    """Tell the class of each trial from the classes of the other trials of its group.

    The class that is most frequent among them, relative to its frequency everywhere. Without any
    alignment this lies at or below chance, for a trial does not count itself.

    Returns
    -------
    told
        Balanced accuracy, from 0 for chance to 1.
    right
        Whether each trial was told.
    """
    number = np.unique(groups, return_inverse=True)[1]
    n_classes = int(labels.max()) + 1
    table = np.bincount(number * n_classes + labels, minlength=(number.max() + 1) * n_classes)
    others = table.reshape(-1, n_classes)[number].astype(float)
    others[np.arange(len(labels)), labels] -= 1
    totals = np.bincount(labels, minlength=n_classes)
    shares = others / totals.clip(min=1)
    right = (shares.argmax(axis=1) == labels) & (shares.max(axis=1) > 0)
    recalls = np.bincount(labels, right, minlength=n_classes)[totals > 0] / totals[totals > 0]
    return above_chance(float(recalls.mean()), int((totals > 0).sum())), right


_BLOCKED = (
    "A decoder that recognises the {what} (drift, impedance, alertness, cap) knows the class. A "
    "split of single windows then scores up to 100 % with no response at all, as EEG-ImageNet40 "
    "did (Li et al., TPAMI 2021); other {what}s show chance."
)


def _aligned(
    source: AuditSource,
    name: str,
    number: np.ndarray,
    told: float,
    right: np.ndarray,
    p_value: float,
    rng: np.random.Generator,
) -> Finding:
    n_classes = source.n_classes
    accuracy = told * (1 - 1 / n_classes) + 1 / n_classes
    table = np.bincount(
        number * n_classes + source.labels, minlength=(number.max() + 1) * n_classes
    )
    n_single = int(((table.reshape(-1, n_classes) > 0).sum(axis=1) == 1).sum())
    n_groups = int(number.max()) + 1
    evidence: dict[str, int | float | str | list] = {
        f"{name}s": n_groups,
        "that show one class only": n_single,
        f"balanced accuracy of the {name} alone": round(accuracy, 4),
        "chance": round(1 / n_classes, 4),
        "p, corrected": round(min(1.0, p_value * len(GROUPS)), 5),
    }
    if told >= SEVERE:
        evidence |= _windows_alone(source, rng)
    title = (
        f"each of the {n_groups} {name}s shows one class only"
        if n_single == n_groups
        else f"the {name} tells the class in {accuracy:.0%} of trials"
    )
    return Finding(
        kind=f"class_aligned_with_{name}",
        severity="severe" if told >= SEVERE else "warning",
        title=title,
        evidence=evidence,
        effect=_BLOCKED.format(what=name),
        remedy=_MEND.format(name=name),
        trials=first_rows(np.flatnonzero(right)),
        n_trials=int(right.sum()),
    )


def _windows_alone(source: AuditSource, rng: np.random.Generator) -> dict[str, float]:
    """Say how a linear discriminant of level and size of each channel scores on random windows."""
    rows = np.arange(len(source))
    if len(rows) > _MAX_PROBED:
        rows = np.sort(rng.choice(rows, _MAX_PROBED, replace=False))
    stretch = whole_window(source)
    features = np.hstack([stretch.features(of, rows) for of in (level, size)])
    finite = np.isfinite(features).all(axis=1)
    rows, features = rows[finite], features[finite]
    if len(rows) < 10:
        return {}
    folds = rng.permutation(len(source)) % 5
    found = predict_class(features, source.labels, rows=rows, parts=folds, permute=None, rng=rng)
    return {"mean and size of each channel alone, random windows": round(found.accuracy, 4)}


def _groupings(source: AuditSource) -> list[tuple[str, np.ndarray]]:
    """Return the groupings that can be compared with the class, the coarsest first.

    Of two that are the same but for the names, only the first in `GROUPS`.
    """
    found: list[tuple[str, np.ndarray]] = []
    for name in GROUPS:
        groups = source.column(name)
        if groups is None:
            continue
        number = np.unique(groups, return_inverse=True)[1]
        n_groups = int(number.max()) + 1
        if not 2 <= n_groups <= len(number) / 2:
            continue
        if not any(is_nested(number, other) and is_nested(other, number) for _, other in found):
            found.append((name, number))
    return sorted(found, key=lambda grouping: int(grouping[1].max()))


def is_nested(fine: np.ndarray, coarse: np.ndarray) -> bool:
    """Say whether each group of the one lies in one group of the other."""
    pairs = len(np.unique(fine * (int(coarse.max()) + 1) + coarse))
    return pairs == int(fine.max()) + 1
