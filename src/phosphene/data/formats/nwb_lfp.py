"""Local field potentials in NWB, as the Allen Institute publishes its Visual Coding sessions.

A probe file (`probe_ID_lfp.nwb`) holds the signal in ``acquisition``: a container of type LFP with
one ElectricalSeries (time, chan) in V, its time stamps, and the electrodes with their brain areas
and places. The session file holds the showings in ``intervals/natural_scenes_presentations``:
``start_time``, ``stop_time``, ``frame`` (-1 is the grey screen) and ``stimulus_block``. They are
read with h5py, not pynwb: the published files need extensions that pynwb would have to load.
"""

import errno
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from phosphene._checks.files import check_amount
from phosphene.data.formats.companions import hash_files
from phosphene.data.formats.hdf5_file import (
    attribute,
    find_group,
    find_numbers,
    groups_of,
    open_hdf5,
    read_numbers,
    read_text,
)
from phosphene.data.formats.nwb_electrodes import Electrodes, choose_columns, read_electrodes
from phosphene.data.formats.nwb_times import SampleTimes, gaps_of, read_invalid, read_times
from phosphene.data.recording import Recording
from phosphene.data.showings import GREY, SHOWN

if TYPE_CHECKING:
    import h5py

MAX_SIGNAL_BYTES = 16 << 30
"""Bytes of the chosen channels as they are kept."""
MAX_SHOWINGS = 1_000_000
BLOCK_BYTES = 32 << 20
"""Bytes that are read at a time, where chunks are not larger."""
HOMES = ("acquisition", "processing/ecephys")
"""Where LFP stands: the Allen Institute's files, and those that follow NWB's advice."""
VOLTS = ("volts", "volt", "V")
GREY_FRAME = -1


def read_nwb_lfp(
    session: Path,
    probe: Path,
    *,
    area: str | None = None,
    channels: Sequence[int] | None = None,
    max_channels: int | None = None,
    stimulus: str = "natural_scenes",
    folder: Path | None = None,
) -> Recording:
    """Read a probe's LFP and the showings of pictures during it.

    Parameters
    ----------
    session
        File with the showings; may be the same as `probe`.
    probe
        File with the LFP of one probe.
    area, channels, max_channels
        Which channels are kept, see `choose_columns`; all valid ones if left out.
    stimulus
        Which showings: those in ``intervals/{stimulus}_presentations``.
    folder
        Where the temporary file of the signal is made; the system's folder if left out. It has no
        name and is gone with the last array that maps it.

    Returns
    -------
    Recording
        In V, memory-mapped, channels from the surface down. Events have ``sample`` (nearest to the
        onset), ``code`` (`SHOWN` or `GREY`), ``stimulus`` (as in natural_scene_017) and ``block``.
        Gaps are those of the time stamps, and stretches that the session calls invalid. Showings
        that began in a gap are left out; ``meas_note`` counts them.

    Raises
    ------
    ValueError
        For files that are truncated, of two sessions, without LFP, without such showings, with
        showings outside the recording, and what cannot be read as numbers in V.
    """
    return read_probe(
        session,
        probe,
        area=area,
        channels=channels,
        max_channels=max_channels,
        stimulus=stimulus,
        folder=folder,
    )[0]


def read_probe(
    session: Path,
    probe: Path,
    *,
    area: str | None = None,
    channels: Sequence[int] | None = None,
    max_channels: int | None = None,
    stimulus: str = "natural_scenes",
    folder: Path | None = None,
) -> tuple[Recording, list[int], int]:
    """Read as `read_nwb_lfp` does; say as well which columns of how many were kept.

    Returns
    -------
    recording
        See `read_nwb_lfp`.
    columns
        Column of the file's series behind each channel of the recording.
    n_columns
        Columns of the file's series.
    """
    session, probe = Path(session), Path(probe)
    with open_hdf5(session) as about, open_hdf5(probe) as file:
        _check_session(about, file)
        series = _find_series(file)
        data = _find_data(series)
        n_columns = int(data.shape[1])
        electrodes = read_electrodes(file, series, n_columns=n_columns)
        columns = choose_columns(
            electrodes, area=area, channels=channels, max_channels=max_channels
        )
        times = read_times(series, n_samples=data.shape[0])
        events, n_lost = _read_showings(about, times, stimulus=stimulus)
        invalid = read_invalid(about, {"all_probes", "stimulus", *_labels(file)})
        signal = _copy(data, columns, _scale(series, n_columns), times.skipped, folder)
        n_outside = n_columns - len(columns)
        recording = Recording(
            signal=signal,
            sfreq=times.sfreq,
            ch_names=tuple(electrodes.name(column) for column in columns),
            recording=probe.stem,
            subject=_first_text(about, file, "general/subject", "subject_id") or "unknown",
            session=_first_text(about, file, "general", "session_id") or session.stem,
            events=events,
            source=probe.name,
            sha256=hash_files([probe]),
            gaps=gaps_of(times, invalid),
            sfreq_measured=times.measured,
            meas_note=_note(electrodes, columns, times, n_lost, len(invalid), n_outside),
        )
    return recording, columns, n_columns


def is_nwb(path: Path) -> bool:
    """Say whether a path is named as an NWB file is."""
    return path.suffix.lower() == ".nwb"


def _check_session(about: "h5py.File", file: "h5py.File") -> None:
    """Refuse files that name two sessions."""
    names = [
        read_text(found, "session_id") if (found := find_group(f, "general")) else ""
        for f in (about, file)
    ]
    if all(names) and names[0] != names[1]:
        raise ValueError(
            f"probe and showings must be of one session; {Path(about.filename).name} is of session "
            f"{names[0]}, {Path(file.filename).name} of {names[1]}; name the files of one session."
        )


def _find_series(file: "h5py.File") -> "h5py.Group":
    """Return the one ElectricalSeries in a container of type LFP."""
    found = []
    for home in HOMES:
        parent = find_group(file, home)
        for group in groups_of(parent).values() if parent is not None else ():
            if attribute(group, "neurodata_type") == "LFP":
                found += [
                    series
                    for series in groups_of(group).values()
                    if attribute(series, "neurodata_type") == "ElectricalSeries"
                ]
    if len(found) != 1:
        name = Path(file.filename).name
        has = f"{len(found)}: {', '.join(str(s.name) for s in found)}" if found else "none"
        raise ValueError(
            f"a probe file holds one LFP series (a container of type LFP in "
            f"{' or '.join(HOMES)}); {name} has {has}; name the file of one probe's LFP "
            "(probe_..._lfp.nwb) with --probe."
        )
    return found[0]


def _find_data(series: "h5py.Group") -> "h5py.Dataset":
    data = find_numbers(series, "data", n_axes=2)
    if data is None or 0 in data.shape or data.dtype.kind not in "if":
        raise ValueError(
            f"an LFP series holds samples (time, chan); {series.name} of {series.file.filename} "
            "holds none; export it again."
        )
    return data


def _scale(series: "h5py.Group", n_columns: int) -> tuple[np.ndarray, float]:
    """Return the factor of each column and the offset that give V."""
    data = series["data"]
    unit = attribute(data, "unit")
    if unit not in VOLTS:
        raise ValueError(
            f"LFP must be in volts; {series.name} of {series.file.filename} says {unit!r}; export "
            "it with unit and conversion to volts."
        )
    factor, offset = attribute(data, "conversion"), attribute(data, "offset")
    factors = np.full(n_columns, 1.0 if factor is None else float(factor))
    own = read_numbers(series, "channel_conversion")
    if own is not None:
        if len(own) != n_columns:
            raise ValueError(
                f"channel_conversion has a factor per channel; {series.file.filename} has "
                f"{len(own)} for {n_columns}; export it again."
            )
        factors *= own
    offset = 0.0 if offset is None else float(offset)
    if not (np.isfinite(factors) & (factors != 0)).all() or not math.isfinite(offset):
        raise ValueError(
            f"conversion to volts needs finite factors other than 0; those of "
            f"{series.file.filename} are not; export it again."
        )
    return factors, offset


def _copy(
    data: "h5py.Dataset",
    columns: Sequence[int],
    scale: tuple[np.ndarray, float],
    skipped: int,
    folder: Path | None,
) -> np.ndarray:
    """Write the chosen columns, in V, to a memory map ``(chan, time)`` without a name."""
    factors, offset = scale
    shape = (len(columns), data.shape[0] - skipped)
    n_bytes = 4 * math.prod(shape)
    check_amount(f"the chosen channels of {data.file.filename}", n_bytes, MAX_SIGNAL_BYTES)
    with tempfile.TemporaryFile(dir=folder, prefix="phosphene_lfp_") as store:
        _reserve(store.fileno(), n_bytes)
        signal = np.memmap(store, dtype=np.float32, mode="w+", shape=shape)
    for rows, piece in _pieces(data, columns, skipped):
        chosen = [i for i, column in enumerate(columns) if piece.start <= column < piece.stop]
        if not chosen:
            continue
        block = data[rows.start : rows.stop, piece.start : piece.stop]
        for i in chosen:
            values = block[:, columns[i] - piece.start] * factors[columns[i]] + offset
            signal[i, rows.start - skipped : rows.stop - skipped] = values
    return signal


def _reserve(handle: int, n_bytes: int) -> None:
    """Take the space on the disk now: a memory map that finds none later ends the process."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(handle, 0, n_bytes)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return  # a file system that cannot reserve
        raise ValueError(
            f"the chosen channels take {n_bytes / 1e9:.1f} GB on the disk, twice while they are "
            "saved; less is left; free some, choose fewer channels or another folder (--out)."
        ) from None


def _pieces(
    data: "h5py.Dataset", columns: Sequence[int], skipped: int
) -> Iterator[tuple[range, range]]:
    """Return rows and columns to read at a time: whole chunks, each of them once."""
    n_rows, n_columns = data.shape
    chunk_rows, chunk_columns = data.chunks or (1, n_columns)
    low, high = min(columns), max(columns) + 1
    low -= low % chunk_columns
    width = high - low
    if chunk_rows * width * data.dtype.itemsize > BLOCK_BYTES:
        width = chunk_columns
    height = chunk_rows * max(1, BLOCK_BYTES // (chunk_rows * width * data.dtype.itemsize))
    first = skipped - skipped % chunk_rows
    for row in range(first, n_rows, height):
        rows = range(max(row, skipped), min(row + height, n_rows))
        for column in range(low, high, width):
            yield rows, range(column, min(column + width, n_columns))


def _read_showings(
    about: "h5py.File", times: SampleTimes, *, stimulus: str
) -> tuple[pd.DataFrame, int]:
    """Return the events, and how many showings began in a gap."""
    source = Path(about.filename).name
    name = f"{stimulus}_presentations"
    intervals = find_group(about, "intervals")
    table = None if intervals is None else find_group(intervals, name)
    if table is None:
        shown = [n.removesuffix("_presentations") for n in intervals or () if n != "invalid_times"]
        raise ValueError(
            f"a session file holds the showings in intervals/{name}; {source} has none, it holds "
            f"{', '.join(sorted(shown)) or 'no stimuli'}; take a session in which "
            f"{stimulus.replace('_', ' ')} were shown (session type brain_observatory_1.1)."
        )
    starts, frames = (read_numbers(table, column) for column in ("start_time", "frame"))
    blocks = read_numbers(table, "stimulus_block")
    if starts is None or frames is None or not len(starts) or len(starts) != len(frames):
        raise ValueError(
            f"showings need start_time and frame each; {name} of {source} lacks some; export it "
            "again."
        )
    check_amount(f"{name} of {source}", len(starts), MAX_SHOWINGS, unit="rows")
    starts, frames = starts.astype(np.float64), frames.astype(np.float64)
    whole = np.isfinite(frames) & (frames == np.rint(frames)) & (frames >= GREY_FRAME)
    if not whole.all() or not np.isfinite(starts).all():
        raise ValueError(
            f"a showing has a time and the number of its picture, or {GREY_FRAME} for grey; "
            f"{int((~(whole & np.isfinite(starts))).sum())} of {len(starts)} in {source} have not; "
            "export it again."
        )
    first, last, period = times.times[0], times.times[-1], 1 / times.sfreq
    outside = (starts < first - period) | (starts > last + period)
    if outside.any():
        raise ValueError(
            f"showings must lie in the recording, {first:.3f} to {last:.3f} s; "
            f"{int(outside.sum())} of {len(starts)} in {source} do not, the first at "
            f"{starts[outside.argmax()]:.3f} s; name session and probe of one recording."
        )
    samples, distance = times.nearest(starts)
    known = distance <= period  # else it began in a gap
    order = np.flatnonzero(known)[np.argsort(samples[known], kind="stable")]
    numbers = frames.astype(np.int64)
    singular = stimulus.removesuffix("s")
    events = pd.DataFrame(
        {
            "sample": samples[order],
            "code": np.where(numbers[order] == GREY_FRAME, GREY, SHOWN),
            "stimulus": [f"{singular}_{n:03d}" if n != GREY_FRAME else "" for n in numbers[order]],
            "block": [""] * len(order)
            if blocks is None or len(blocks) != len(starts)
            else [f"{block:g}" for block in blocks[order]],
        }
    ).astype({"sample": "int64", "code": "str", "stimulus": "str", "block": "str"})
    return events, int((~known).sum())


def _labels(file: "h5py.File") -> list[str]:
    """Return what tags of invalid times may call the probe."""
    parent = find_group(file, "general/extracellular_ephys")
    names = [] if parent is None else [n for n in parent if n != "electrodes"]
    return [*names, read_text(file, "identifier")]


def _first_text(about: "h5py.File", file: "h5py.File", path: str, name: str) -> str:
    for each in (about, file):
        group = find_group(each, path)
        if group is not None and (text := read_text(group, name)):
            return text
    return ""


def _note(
    electrodes: Electrodes,
    columns: Sequence[int],
    times: SampleTimes,
    n_lost: int,
    n_invalid: int,
    n_outside: int,
) -> str:
    areas = sorted({electrodes.areas[column] for column in columns} - {""})
    said = [f"channels in {', '.join(areas) or 'no named area'}, from the surface down"]
    if electrodes.depth is None:
        said = [f"channels in {', '.join(areas) or 'no named area'}, in the file's order"]
    if n_outside:
        said.append(f"{n_outside} other channels were left out")
    if times.skipped:
        said.append(f"the first {times.skipped} samples have no time and were left out")
    if n_lost:
        said.append(f"{n_lost} showings began in a gap of the recording and were left out")
    if n_invalid:
        said.append(f"{n_invalid} stretches are marked invalid and count as gaps")
    return "; ".join(said)
