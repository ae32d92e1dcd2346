"""Events and interruptions of an MNE Raw, from its annotations and its stimulus channels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene.data.formats.mne_calls import one_sentence

if TYPE_CHECKING:
    import mne

ANNOTATIONS = "annotations"
BREAKS = ("boundary", "bad boundary", "edge boundary", "new segment/", "new segment")
"""Annotations at which the signal was cut and joined (EEGLAB, MNE, BrainVision)."""
BAD_STEP_S = 0.05
"""No epoch is shorter, so that none fits between two marks of a BAD segment."""
MAX_CHANGES = 0.25
"""Largest share of a stimulus channel's samples at which an event may begin."""
BIOSEMI_MASK = 0xFFFF  # the upper bits of a BioSemi Status channel are the amplifier's own


@dataclass(frozen=True, eq=False)
class FoundEvents:
    """The events of a file by source, and the samples after interruptions."""

    by_source: dict[str, pd.DataFrame]
    """Events (``sample``, ``code``) of each source that has any."""
    gaps: tuple[int, ...]
    n_bad: int
    """How many stretches are annotated as bad."""
    n_outside: int
    """How many annotations lie outside the signal."""


def find_events(raw: "mne.io.BaseRaw", *, path: Path, trigger: str | None = None) -> FoundEvents:
    """Collect the events of each source.

    Annotations that begin with BAD, as MNE and others mark stretches not to be used, are no events:
    they and the places where pieces were joined become gaps. An event of a stimulus channel is each
    sample at which its value changes to another one than 0; a value held since the first sample is
    none. Of a BDF file's channel the lower 16 bits count, as BioSemi defines them.

    Parameters
    ----------
    raw
        The file, opened.
    path
        The file.
    trigger
        A channel to read as stimulus channel, whatever its type.

    Raises
    ------
    ValueError
        For a stimulus channel whose values are not integers, or change all the time.
    """
    by_source: dict[str, pd.DataFrame] = {}
    with one_sentence(path):
        table, gaps, n_bad, n_outside = _from_annotations(raw)
    if len(table):
        by_source[ANNOTATIONS] = table
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    for name in raw.ch_names:
        if name != trigger and types[name] != "stim":
            continue
        table = _from_channel(raw, name, path)
        if len(table):
            by_source[name] = table
    return FoundEvents(by_source, gaps, n_bad, n_outside)


def choose_source(
    found: FoundEvents, wanted: str | None, *, stim_channels: Sequence[str], source: str
) -> str | None:
    """Return the source to read: the wanted one, or the only one; None where there is none.

    Raises
    ------
    ValueError
        For a source that the file lacks, and where there are several and none is wanted.
    """
    if wanted is not None:
        _checks.check_option("events-from", wanted, [ANNOTATIONS, *stim_channels])
        return wanted if wanted in found.by_source else None
    if len(found.by_source) > 1:
        held = "; ".join(
            f"{name} has {_some_codes(table)}" for name, table in found.by_source.items()
        )
        raise ValueError(
            f"events must come from one source; in {source} {held}; choose one with --events-from "
            f"{next(iter(found.by_source))}."
        )
    return next(iter(found.by_source), None)


def no_events() -> pd.DataFrame:
    """Return an empty table of events."""
    return pd.DataFrame({"sample": np.empty(0, np.int64), "code": np.empty(0, str)}).astype(
        {"code": "str"}
    )


def event_code(value: str | int | float | np.number) -> str:
    """Return the code of an event that a file gives as text or number; a number in full.

    Examples
    --------
    >>> [event_code(value) for value in ("a", 3.0, 1000001, np.float32(0.1))]
    ['a', '3', '1000001', '0.1']
    """
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else str(value)


def _some_codes(table: pd.DataFrame) -> str:
    codes = list(dict.fromkeys(table["code"]))
    more = ", ..." if len(codes) > 5 else ""
    return f"{len(table)} (codes {', '.join(codes[:5])}{more})"


def _from_annotations(raw: "mne.io.BaseRaw") -> tuple[pd.DataFrame, tuple[int, ...], int, int]:
    """Return events, gaps, the number of BAD stretches and of annotations outside."""
    annotations = raw.annotations
    sfreq, n_samples = float(raw.info["sfreq"]), int(raw.n_times)
    onsets = np.rint((annotations.onset - raw.first_time) * sfreq)
    events: list[tuple[int, str]] = []
    gaps: set[int] = set()
    n_bad = n_outside = 0
    for onset, duration, text in zip(
        onsets, annotations.duration, annotations.description, strict=True
    ):
        sample, code = int(onset), str(text)
        name = code.strip().casefold()
        if name in BREAKS or name.startswith("new segment/"):
            gaps.add(sample)
        elif name.startswith("bad"):
            n_bad += 1
            step = max(1, round(BAD_STEP_S * sfreq))
            stop = sample + max(0, math.ceil(float(duration) * sfreq - 0.01))
            gaps.update(range(max(sample, 0), min(stop, n_samples), step))
            gaps.update((sample, stop))
        elif name.startswith("edge"):
            gaps.add(sample)
        elif 0 <= sample < n_samples:
            events.append((sample, code))
        else:
            n_outside += 1
    events.sort(key=lambda event: event[0])
    table = no_events()
    if events:
        samples, codes = zip(*events, strict=True)
        table = pd.DataFrame({"sample": np.array(samples, np.int64), "code": list(codes)})
        table = table.astype({"code": "str"})
    inside = sorted(gap for gap in gaps if 0 < gap < n_samples)
    return table, tuple(inside), n_bad, n_outside


def _from_channel(raw: "mne.io.BaseRaw", name: str, path: Path) -> pd.DataFrame:
    with one_sentence(path):
        values = raw.get_data(picks=[raw.ch_names.index(name)])[0]
    codes = np.rint(values)
    if not np.isfinite(values).all() or np.abs(values - codes).max(initial=0.0) > 1e-3:
        wrong = values[~(np.abs(values - codes) <= 1e-3)][0]
        raise ValueError(
            f"a stimulus channel holds integers; {name} of {path.name} holds "
            f"{wrong:g}; take events from another source with --events-from."
        )
    numbers = codes.astype(np.int64)
    if path.suffix.lower() == ".bdf":
        numbers &= BIOSEMI_MASK
    changed = np.flatnonzero((numbers[1:] != numbers[:-1]) & (numbers[1:] != 0)) + 1
    if len(changed) > MAX_CHANGES * len(numbers):
        raise ValueError(
            f"a stimulus channel rests between events; {name} of {path.name} changes at "
            f"{len(changed)} of {len(numbers)} samples; take events from another source with "
            f"--events-from."
        )
    return pd.DataFrame(
        {"sample": changed.astype(np.int64), "code": [str(numbers[i]) for i in changed]}
    ).astype({"code": "str"})
