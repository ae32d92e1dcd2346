"""Are there enough independent units for the effect that is asked for."""

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError, Finding, first_rows
from phosphene.audit.prediction import above_chance
from phosphene.audit.randomisation import recording_numbers, time_order, unit_of
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split
from phosphene.evaluation.power import (
    Design,
    detectable_accuracy,
    detection_power,
    needed_recordings,
)
from phosphene.evaluation.units import runs_of_labels

WANTED, TOO_LITTLE = 0.8, 0.5
"""Power below which an effect that is asked for is a warning, and below which it is severe."""
COARSE = 0.5
"""Smallest effect that can be detected, as a share of the way from chance to 1, from which on data
are called few where no effect is asked for."""
FEW_RECORDINGS = 3
"""Fewer than these, and no interval can say how recordings differ."""


def check_units(
    source: AuditSource,
    split: Split | None,
    rng: np.random.Generator,
    *,
    effect: float | None = None,
) -> list[Finding]:
    """Ask whether the data could show an effect, with 80 % power at a level of 5 %.

    Parameters
    ----------
    source, split, rng
        As for every check.
    effect
        Balanced accuracy in held-out recordings; None only looks for designs that can show none
        but the largest.

    Raises
    ------
    ValueError
        If `effect` does not lie between chance and 1.
    """
    labels = source.labels
    n_classes = len(np.unique(labels))
    if n_classes < 2:
        raise CheckNotPossibleError("there is one class only")
    if effect is not None and not 1 / n_classes < effect < 1:
        raise ValueError(
            f"an effect is a balanced accuracy between chance, {1 / n_classes:.3g}, and 1; got "
            f"{effect:g}; correct --effect."
        )
    unit, n_units = _count_units(source)
    n_recordings = int(recording_numbers(source).max()) + 1
    evidence: dict[str, int | float | str | list] = {
        "independent unit": unit,
        "independent units": n_units,
        "recordings": n_recordings,
        "classes": n_classes,
    }
    inside = 1 if unit == "recording" else n_recordings  # recordings are the units themselves
    if n_units < inside * n_classes:
        return [_too_few("severe" if effect else "warning", f"only {n_units}", evidence, source)]
    design = Design(n_recordings=inside, n_units=round(n_units / inside), n_classes=n_classes)
    least = detectable_accuracy(design, power=WANTED)
    if least is not None:
        evidence["detected with 80 % power"] = round(least, 4)
    if effect is not None:
        power = detection_power(design, effect)
        evidence |= {"effect asked": effect, "power": round(power, 4)}
        wanted = needed_recordings(design, effect, power=WANTED)
        if wanted is not None and unit != "recording":
            evidence["recordings needed"] = wanted
        if power >= WANTED:
            return []
        severity = "severe" if power < TOO_LITTLE else "warning"
        words = f"a power of {power:.0%} for an accuracy of {effect:.0%} from {n_units}"
        return [_too_few(severity, words, evidence, source)]
    if least is None or above_chance(least, n_classes) > COARSE:
        shown = "none can be shown" if least is None else f"only {least:.0%} or more can be shown"
        return [_too_few("warning", f"{shown} with {n_units}", evidence, source)]
    if n_recordings < FEW_RECORDINGS and source.column("recording") is not None:
        return [_too_few("note", f"{n_recordings} recordings and {n_units}", evidence, source)]
    return []


def _count_units(source: AuditSource) -> tuple[str, int]:
    """Return what was randomised, and how many of it there are."""
    unit, _ = unit_of(source)
    recordings = recording_numbers(source)
    if unit == "trial":
        return "trial", len(source)
    pairs = np.unique(recordings * (int(source.labels.max()) + 1) + source.labels)
    if len(pairs) == int(recordings.max()) + 1:
        return "recording", int(recordings.max()) + 1
    blocks, order = source.column("block"), time_order(source)
    if blocks is not None:
        number = np.unique(blocks, return_inverse=True)[1]
        n_kinds = len(np.unique(number * (int(source.labels.max()) + 1) + source.labels))
        if n_kinds == int(number.max()) + 1:
            return "block", n_kinds
    order = np.arange(len(source)) if order is None else order
    return "block", len(np.unique(runs_of_labels(source.labels[order], recordings[order])))


def _too_few(
    severity: str,
    words: str,
    evidence: dict[str, int | float | str | list],
    source: AuditSource,
) -> Finding:
    rows = np.arange(len(source))
    return Finding(
        kind="too_few_units",
        severity=severity,
        title=f"{words} independent units ({evidence['independent unit']}s)",
        evidence=evidence,
        effect="A true effect of this size is likely to be missed, and one that is found by luck "
        "is overstated: of few units only the largest accidents pass the test.",
        remedy="Record more recordings (`phosphene power` says how many), or do not claim "
        "anything about effects smaller than those that can be detected.",
        trials=first_rows(rows),
        n_trials=len(rows),
    )
