"""What signals are measured against, and which channels re-referencing leaves."""

import shlex
from collections.abc import Sequence

import numpy as np

from phosphene import _checks
from phosphene.data.recording import Recording

ROUNDING = 1e-12
"""Peak to peak, over the largest sample that came in, below which nothing of a channel is left."""


def rereference(signal: np.ndarray, ch_names: Sequence[str], reference: str) -> np.ndarray:
    """Subtract the reference from ``(chan, time)``; a single reference channel is left out."""
    names = list(ch_names)
    kept = [names.index(name) for name in referenced_channels(names, reference)]
    if reference == "none":
        return signal
    if reference == "average":
        return signal - signal.mean(axis=0)
    chosen = [names.index(name) for name in _named(reference)]
    return signal[kept] - signal[chosen].mean(axis=0)


def referenced_channels(ch_names: Sequence[str], reference: str) -> tuple[str, ...]:
    """Return the channels that are left after re-referencing.

    A single reference channel is zero everywhere in its own terms, so it is left out.

    Raises
    ------
    ValueError
        For unknown channels, and for a reference that leaves nothing.
    """
    for name in _named(reference):
        _checks.check_option("reference", name, ("none", "average", *ch_names))
    left_out = reference_left_out(reference)
    kept = tuple(name for name in ch_names if name != left_out)
    if not kept or (reference == "average" and len(kept) == 1):
        raise ValueError(
            f"the reference {reference} needs other channels to be subtracted from; there is only "
            f"{', '.join(ch_names)}; keep more channels or take --reference none."
        )
    return kept


def reference_left_out(reference: str) -> str | None:
    """Return the single reference channel, which epochs do not have; None where there is none."""
    names = _named(reference)
    return names[0] if len(set(names)) == 1 else None


def check_varies(signal: np.ndarray, ch_names: Sequence[str], recording: Recording) -> None:
    """Refuse a channel of which the signal steps leave nothing, as where it equals the reference.

    Parameters
    ----------
    signal
        ``(chan, time)`` after the signal steps.
    ch_names
        Its channels.
    recording
        What it was before them.

    Raises
    ------
    ValueError
        When a channel is constant.
    """
    limit = ROUNDING * max(-float(recording.signal.min()), float(recording.signal.max()))
    for name, samples in zip(ch_names, signal, strict=True):
        if np.ptp(samples) <= limit:
            raise ValueError(
                f"a channel must carry a signal after reference and filters; {name} of "
                f"{recording.source} is constant then; leave it out with --drop-channels "
                f"{shlex.quote(name)}, or choose another --reference."
            )


def _named(reference: str) -> list[str]:
    """Return the channels that a reference names."""
    named = reference not in ("none", "average")
    return [name.strip() for name in reference.split(",")] if named else []
