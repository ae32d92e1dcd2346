"""Recordings of the lab streaming layer (LabRecorder): XDF, a signal and markers as streams."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene.data.formats.companions import hash_files
from phosphene.data.formats.declared_size import check_loaded_size
from phosphene.data.formats.identity import name_from_path
from phosphene.data.formats.mne_calls import one_sentence
from phosphene.data.formats.mne_events import FoundEvents, choose_source, event_code, no_events
from phosphene.data.formats.mne_raw import renamed
from phosphene.data.formats.muse_csv import find_gaps
from phosphene.data.formats.xdf_chunks import XdfStream, read_xdf_streams
from phosphene.data.montage import check_montage
from phosphene.data.recording import Recording, check_channels, check_dropped

VOLTS = {
    **dict.fromkeys(("microvolts", "microvolt", "uv", "µv", "μv"), 1e-6),
    **dict.fromkeys(("millivolts", "millivolt", "mv"), 1e-3),
    **dict.fromkeys(("volts", "volt", "v"), 1.0),
    **dict.fromkeys(("nanovolts", "nanovolt", "nv"), 1e-9),
}
"""Units that stream headers name, in V."""
RATE_TOLERANCE = 0.01
RATE_OVER_S = 1.0
STEPS = (0.5, 2.0)
"""Between which a piece's samples follow one another, in intervals of the nominal rate."""
ASSUMED_UNIT = "uV"


def read_xdf(
    path: Path,
    *,
    subject: str | None = None,
    session: str | None = None,
    recording: str | None = None,
    drop_channels: Sequence[str] = (),
    rename_channels: Mapping[str, str] | None = None,
    channel_types: Sequence[str] = ("eeg",),
    events_from: str | None = None,
    montage: str | None = None,
    stream: str | None = None,
    unit: str | None = None,
    strict: bool = True,
) -> Recording:
    """Read one signal stream of an XDF file, with the markers of another.

    Clocks of different computers are put on one time by pyxdf, from the offsets that the recorder
    measured. Samples are taken to be evenly spaced between gaps, and a marker falls on the sample
    nearest to it.

    Parameters
    ----------
    path
        An .xdf file.
    subject, session, recording
        As in `read_mne_raw`.
    drop_channels, rename_channels, montage
        As in `read_mne_raw`.
    channel_types
        Types of the channels to read, as the stream's header names them; channels without a type
        are read in any case.
    events_from
        Name or number of the marker stream; None where only one has markers.
    stream
        Name or number of the signal; None where one stream only is of type EEG, or has a rate.
    unit
        Unit of channels of which the header gives none, one of `VOLTS`.
    strict
        Refuse NaN, constant channels, channels without a unit, several candidates for signal or
        markers, and files without markers; False takes uV and the first candidate and says so, for
        inspection.

    Raises
    ------
    ValueError
        For a damaged file, a channel that is not in volts, a rate that the time stamps contradict,
        and what `strict` names.

    References
    ----------
    https://github.com/sccn/xdf
    """
    path = Path(path)
    streams = read_xdf_streams(path)
    signal_stream, ask = _choose_signal(streams, stream, strict=strict, source=path.name)
    markers = {s.stream: s for s in streams if _is_marker(s) and s.n_samples}
    check_loaded_size(signal_stream.n_samples, signal_stream.n_channels, [path], name=path.name)
    with one_sentence(path, by="pyxdf") as notes, _logged(notes):
        import pyxdf

        wanted = [signal_stream.stream, *markers]
        loaded, _ = pyxdf.load_xdf(
            path, select_streams=wanted, synchronize_clocks=True, dejitter_timestamps=False
        )
    found = {int(item["info"]["stream_id"]): item for item in loaded}
    times = np.asarray(found[signal_stream.stream]["time_stamps"], dtype=np.float64)
    sfreq, measured = _rate(times, signal_stream.sfreq, path.name)
    gaps = find_gaps(times - times[0], sfreq)
    grid = _Grid(times, gaps, sfreq)
    tables, n_outside = {}, {}
    names = _unique_names([*markers.values()])
    for number in markers:
        tables[names[number]], n_outside[names[number]] = _events(found[number], grid)
    tables = {name: table for name, table in tables.items() if len(table)}
    source, asked = _choose_markers(tables, names, events_from, strict=strict, source=path.name)
    rows, labels = _rows(signal_stream, drop_channels, channel_types, source=path.name)
    scale, n_assumed = _scale(signal_stream, rows, labels, unit, strict=strict, source=path.name)
    values = np.asarray(found[signal_stream.stream]["time_series"])[:, rows].T
    with np.errstate(invalid="ignore", over="ignore"):  # checked below
        signal = (values.astype(np.float64) * scale[:, None]).astype(np.float32)
    subject = subject or name_from_path(path, "subject")
    session = session or name_from_path(path, "session")
    stem = re.sub(r"\.xdf$", "", path.name, flags=re.IGNORECASE)
    if n_assumed:
        notes.append(
            f"the header names no unit of {n_assumed} channels, read as {ASSUMED_UNIT} here"
        )
    if grid.n_uneven:
        notes.append(
            f"{grid.n_uneven} pieces between gaps have time stamps that do not rise evenly: no "
            f"marker falls on them"
        )
    if source and n_outside[source]:
        notes.append(f"{n_outside[source]} markers lie outside the signal and were left out")
    result = Recording(
        signal=signal,
        sfreq=sfreq,
        ch_names=renamed(labels, rename_channels or {}, source=path.name),
        recording=recording or f"{subject}_{session}_{stem}",
        subject=subject,
        session=session,
        events=tables[source] if source else no_events(),
        source=path.name,
        sha256=hash_files([path]),
        montage=montage,
        gaps=gaps,
        sfreq_measured=measured,
        meas_note="; ".join(notes),
        import_options=(*ask, *asked, *(("--unit", ASSUMED_UNIT) if n_assumed else ())),
    )
    if montage is not None:
        check_montage(montage, result.ch_names, source=path.name)
    if strict:
        check_channels(result)
    return result


class _Grid:
    """Evenly spaced samples between gaps, fitted to jittered time stamps."""

    def __init__(self, times: np.ndarray, gaps: Sequence[int], sfreq: float) -> None:
        self.edges = [0, *gaps, len(times)]
        self.starts, self.steps, self.half = [], [], 0.5 / sfreq
        for first, last in zip(self.edges[:-1], self.edges[1:], strict=True):
            piece = times[first:last]
            step, start = 1 / sfreq, 0.0
            if len(piece) > 1:
                step, start = np.polyfit(np.arange(len(piece)), piece - piece[0], 1)
            self.starts.append(float(piece[0] + start))
            self.steps.append(float(step) if STEPS[0] < step * sfreq < STEPS[1] else None)
        self.n_uneven = self.steps.count(None)

    def sample(self, time: float) -> int | None:
        """Return the sample nearest to a time; None before, after and between the pieces."""
        piece = int(np.searchsorted(self.starts, time + self.half)) - 1
        step = self.steps[piece]
        if piece < 0 or step is None:
            return None
        index = round((time - self.starts[piece]) / step)
        sample = self.edges[piece] + max(index, 0)
        return sample if sample < self.edges[piece + 1] else None


def _events(stream: Mapping[str, Any], grid: _Grid) -> tuple[pd.DataFrame, int]:
    """Return the markers that fall on samples, and how many do not."""
    samples, codes, n_outside = [], [], 0
    for time, values in zip(stream["time_stamps"], stream["time_series"], strict=True):
        code = "/".join(event_code(value) for value in values)
        sample = grid.sample(float(time))
        if not any(value if isinstance(value, str) else value != 0 for value in values):
            continue  # an empty text, or 0 between events
        if sample is None:
            n_outside += 1
            continue
        samples.append(sample)
        codes.append(code)
    table = pd.DataFrame({"sample": np.array(samples, np.int64), "code": codes})
    return table.astype({"code": "str"}).sort_values("sample", ignore_index=True), n_outside


def _is_marker(stream: XdfStream) -> bool:
    return stream.sfreq == 0 and (stream.format == "string" or stream.n_channels == 1)


def _choose_signal(
    streams: Sequence[XdfStream], wanted: str | None, *, strict: bool, source: str
) -> tuple[XdfStream, tuple[str, ...]]:
    """Return the signal, and the option that names it if there are several."""
    regular = [s for s in streams if s.sfreq > 0 and s.format != "string" and s.n_samples > 1]
    if not regular:
        held = ", ".join(f"{s.name or s.stream} ({s.n_samples} samples)" for s in streams)
        raise ValueError(
            f"a recording needs a stream of numbers with a rate; {source} has none among "
            f"{held or 'no streams'}; record the amplifier's stream."
        )
    names = _unique_names(regular)
    if wanted is not None:
        by_name = {names[s.stream]: s for s in regular} | {str(s.stream): s for s in regular}
        if wanted not in by_name:
            _checks.check_option("stream", wanted, list(names.values()))
        return by_name[wanted], ()
    candidates = [s for s in regular if s.type.casefold() == "eeg"] or regular
    if len(candidates) == 1:
        return candidates[0], ()
    if strict:
        held = ", ".join(names[s.stream] for s in candidates)
        raise ValueError(
            f"the signal is one stream; {source} has {held}; choose one with --stream "
            f"{names[candidates[0].stream]}."
        )
    return candidates[0], ("--stream", names[candidates[0].stream])


def _choose_markers(
    tables: Mapping[str, pd.DataFrame],
    names: Mapping[int, str],
    wanted: str | None,
    *,
    strict: bool,
    source: str,
) -> tuple[str | None, tuple[str, ...]]:
    """Return the name of the marker stream, and the option that names it if there are several."""
    wanted = names.get(int(wanted), wanted) if wanted and wanted.isdigit() else wanted
    if strict or wanted is not None:
        if wanted is None or wanted not in names.values():
            found = FoundEvents(dict(tables), (), 0, 0)
            chosen = choose_source(found, wanted, stim_channels=[*names.values()], source=source)
        else:
            chosen = wanted if wanted in tables else None
        if strict and chosen is None:
            raise ValueError(
                f"trials need events; {source} has no marker during the signal in "
                f"{wanted or 'any stream'}; record with markers, name another stream with "
                f"--events-from, or leave the file out."
            )
        return chosen, ()
    first = next(iter(tables), None)
    return first, (("--events-from", first) if first and len(tables) > 1 else ())


def _unique_names(streams: Sequence[XdfStream]) -> dict[int, str]:
    """Name streams; those of one name by their number as well."""
    names = [s.name for s in streams]
    return {
        s.stream: s.name if s.name and names.count(s.name) == 1 else str(s.stream) for s in streams
    }


def _rows(
    stream: XdfStream, drop_channels: Sequence[str], channel_types: Sequence[str], *, source: str
) -> tuple[list[int], list[str]]:
    """Return rows and names of the channels to read."""
    labels = [c.get("label") or f"channel {i + 1}" for i, c in enumerate(stream.channels)]
    check_dropped(drop_channels, labels)
    types = [c.get("type", "").casefold() for c in stream.channels]
    rows = [
        i
        for i, name in enumerate(labels)
        if name not in drop_channels and (not types[i] or types[i] in channel_types)
    ]
    if not rows:
        raise ValueError(
            f"a recording needs channels of the types {', '.join(channel_types)}; {source} keeps "
            f"none of {', '.join(labels)}; choose others with --channel-types, or drop fewer."
        )
    return rows, [labels[row] for row in rows]


def _scale(
    stream: XdfStream,
    rows: Sequence[int],
    labels: Sequence[str],
    unit: str | None,
    *,
    strict: bool,
    source: str,
) -> tuple[np.ndarray, int]:
    """Return each row's scale to V, and of how many the unit is assumed, which `strict` bars."""
    if unit is not None:
        _checks.check_option("unit", unit.casefold(), VOLTS)
    scale, n_assumed = [], 0
    for row, label in zip(rows, labels, strict=True):
        said = stream.channels[row].get("unit", "") or unit or ""
        if not said and not strict:
            said, n_assumed = ASSUMED_UNIT, n_assumed + 1
        if said.casefold() not in VOLTS:
            remedy = "say it with --unit uV" if not said else "choose another stream"
            raise ValueError(
                f"a channel has a unit of volts; {label} of {source} has "
                f"{repr(said) if said else 'none'}; {remedy}, or leave it out with --drop-channels "
                f"'{label}'."
            )
        scale.append(VOLTS[said.casefold()])
    return np.array(scale), n_assumed


def _rate(times: np.ndarray, nominal: float, name: str) -> tuple[float, float]:
    """Return nominal and measured rate, and refuse when they differ."""
    n_bad = int((~np.isfinite(times)).sum())
    if n_bad:
        raise ValueError(
            f"time stamps are numbers; {name} has {n_bad} that are none; copy it again."
        )
    lag = max(1, min(len(times) // 2, round(RATE_OVER_S * nominal)))  # most spans hold no gap
    step = float(np.median(times[lag:] - times[:-lag])) / lag
    measured = 1 / step if step > 0 else 0.0
    if not abs(nominal - measured) <= RATE_TOLERANCE * nominal:
        raise ValueError(
            f"a stream's rate is what its header says within 1 %; {name} says {nominal:g} Hz, its "
            f"time stamps {measured:.2f} Hz; samples are missing throughout: record it again."
        )
    return nominal, measured


@contextmanager
def _logged(notes: list[str]) -> Iterator[None]:
    """Collect what pyxdf logs, instead of printing it."""

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "clock-segments differ" not in record.getMessage():  # says nothing of the signal
                notes.append(record.getMessage()[:160])

    logger, handler = logging.getLogger("pyxdf"), Collect(logging.WARNING)
    was = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = was
