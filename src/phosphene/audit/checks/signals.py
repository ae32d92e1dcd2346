"""Is the class told by the signal before the picture, its level, its size, or the mains."""

from collections.abc import Callable

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError, Finding
from phosphene.audit.nuisances import (
    BEFORE,
    before_onset,
    course,
    early_window,
    hum,
    level,
    lines_below,
    of_recordings,
    size,
    whole_window,
)
from phosphene.audit.question import (
    HUGE,
    LARGE,
    MEND_DESIGN,
    finding_of,
    predict_from_stretches,
    severity_of,
    worst_of,
)
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split


def check_prestimulus(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Ask whether the signal before the picture tells the class."""
    stretches = [before_onset(source), of_recordings(source, begin=-BEFORE, end=0.0)]
    found = predict_from_stretches(source, split, stretches, course, rng)
    if not found:
        raise CheckNotPossibleError("there is no signal before the picture; import with --margin")
    severity, name = worst_of(found)
    if severity is None:
        return []
    smeared = ""
    if name == "epochs" and _is_filtered(source) and not severity_of(found.get("recordings")):
        severity = "severe" if severity == "severe" and found[name].excess >= HUGE else "warning"
        smeared = (
            " A zero-phase filter moves some of a strong response back before the picture, which "
            "can look like this."
        )
    return [
        finding_of(
            "class_from_prestimulus",
            severity,
            f"the signal before the picture tells the class in {found[name].accuracy:.0%}",
            found,
            effect="What is there before the picture is no response to it: a decoder that finds it "
            "decodes the design, the block or the trial before." + smeared,
            remedy="Look at the order of classes first. " + MEND_DESIGN + " Subtracting a "
            "baseline (--baseline) takes away an offset, not what caused it.",
        )
    ]


def check_signal_mean(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Ask whether the mean of each channel tells the class."""
    return _check_window(
        source,
        split,
        rng,
        of=level,
        kind="class_from_signal_mean",
        what="the mean of each channel",
        remedy="Subtract a baseline (--baseline), or raise the lower edge of --band; then audit "
        "again. If blocks cause it, only another order of classes helps.",
    )


def check_signal_variance(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Ask whether the size of each channel's signal tells the class."""
    return _check_window(
        source,
        split,
        rng,
        of=size,
        kind="class_from_signal_variance",
        what="the standard deviation of each channel",
        remedy="Find out what made trials of a class larger: gain, movement, impedance. Drop "
        "artefacts (--reject) or scale each trial by itself; then audit again.",
    )


def check_mains(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Ask whether the level of the mains tells the class, in the window or in the recordings."""
    stretches = [whole_window(source), of_recordings(source, begin=-BEFORE, end=None)]
    usable = [part for part in stretches if part is not None and lines_below(part.sfreq)]
    if not usable:
        raise CheckNotPossibleError(
            f"mains lie above half the rate of {source.sfreq:g} Hz, and there are no recordings"
        )
    found = predict_from_stretches(source, split, usable, hum, rng)
    severity, name = worst_of(found)
    if severity is None:
        return []
    lines = sorted({line for part in usable for line in lines_below(part.sfreq)})
    hertz = " and ".join(f"{line:g}" for line in lines)
    return [
        finding_of(
            "class_from_mains",
            severity,
            f"the level of the mains ({hertz} Hz) tells the class in {found[name].accuracy:.0%}",
            found,
            effect="A decoder reads the hum of the room or of a screen, not the brain. It is the "
            "reason why raw recordings of blocked designs were decoded at 80 to 90 %.",
            remedy="Remove the mains (--notch 50 or 60, or a --band that ends below), audit again, "
            "and find out why the hum follows the class: a class shown at another time of day, "
            "another screen or another place.",
        )
    ]


def _check_window(
    source: AuditSource,
    split: Split | None,
    rng: np.random.Generator,
    *,
    of: Callable[[np.ndarray, float], np.ndarray],
    kind: str,
    what: str,
    remedy: str,
) -> list[Finding]:
    """Ask a feature of the window; severe where what is learnt from it holds before a response.

    An offset or a gain is the same before and after the picture, a response is not, even where a
    zero-phase filter moves some of it back. So the discriminant learns from the whole window and is
    tested on the samples before a response can be there.
    """
    whole, early = whole_window(source), early_window(source)
    found = predict_from_stretches(source, split, [whole], of, rng)
    if early is not None and severity_of(found[whole.where]):
        found |= predict_from_stretches(source, split, [whole], of, rng, asked=early)
    severity, name = severity_of(found[whole.where]), whole.where
    effect = (
        "A decoder that scores so knows an offset, a gain or a noise level that came with the "
        "class, which need not be a response of the brain."
    )
    if severity is None:
        return []
    if early is not None:
        name = early.where
        severity = severity_of(found[name])
    if severity is None:
        name = whole.where
        if found[name].excess < LARGE:
            return []
        severity = "warning" if found[name].excess >= HUGE else "note"
        effect = (
            "Before a response can be there it does not tell the class, so it may be the response "
            "itself. A decoder that does not score more than this has learnt no more than this."
        )
    title = f"{what}, {name}, tells the class in {found[name].accuracy:.0%} of trials"
    return [finding_of(kind, severity, title, found, effect=effect, remedy=remedy)]


def _is_filtered(source: AuditSource) -> bool:
    settings = (source.preprocessing or {}).get("settings") or {}
    return settings.get("band") is not None
