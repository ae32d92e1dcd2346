"""Recordings of a Muse headset as muse-lsl writes them: CSV, uV, one row per sample."""

import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from phosphene._checks.files import read_bytes, shown
from phosphene.data.formats.identity import name_from_path
from phosphene.data.formats.mne_events import event_code
from phosphene.data.recording import Recording, check_channels, check_dropped

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
AUX = "Right AUX"
MAX_BYTES = 128 << 20
"""Two hours of a Muse, with room to spare."""
MAX_COLUMNS = 100
HEADER_LENGTH = 10_000
NOMINAL_RATES = (220.0, 256.0)  # first Muse; Muse 2016 and later
RATE_TOLERANCE = 0.01
CHUNK = 10_000
GAP_S = 0.025  # a lost packet is 12 samples, 47 ms; the jitter of a packet stays below 20 ms


def read_muse_csv(
    path: Path,
    *,
    subject: str | None = None,
    session: str | None = None,
    recording: str | None = None,
    drop_channels: Sequence[str] = (),
    keep_aux: bool = False,
    stimulus_column: str | None = None,
    strict: bool = True,
) -> Recording:
    """Read one muse-lsl CSV file.

    Parameters
    ----------
    path
        File with the columns timestamps (s), TP9, AF7, AF8, TP10 (uV) and Marker or Marker0, which
        is 0 where nothing happened and the event's code at its first sample. A file recorded
        without markers has no such column.
    subject, session
        Taken from the names of file and folders when None, see `name_from_path`.
    recording
        Identity; subject, session and file name when None.
    drop_channels
        Channels to leave out, whether the file has them or not.
    keep_aux
        Keep ``Right AUX``, an input that is mostly left open.
    stimulus_column
        Column that names the picture at each event.
    strict
        Refuse NaN, constant channels and files without events or without a column of markers;
        False keeps them, for inspection.

    Returns
    -------
    Recording
        In V, at the nominal rate nearest to the one that the time stamps show.

    Raises
    ------
    ValueError
        Naming file and line: for more than 128 MiB, text that is not UTF-8, missing columns, lines
        with too few or too many fields (a truncated file, or one that was written while it was
        recorded), values that are not numbers, and rates that no Muse has.
    """
    path = Path(path)
    content = read_bytes(path, limit=MAX_BYTES)
    table = _parse(content, path.name)
    channels = [c for c in (*CHANNELS, *((AUX,) if keep_aux else ())) if c not in drop_channels]
    check_dropped(drop_channels, (*CHANNELS, AUX))
    marker = next((c for c in table.columns if re.fullmatch(r"Marker\d*", c)), None)
    wanted = ["timestamps", *channels, *([stimulus_column] if stimulus_column else [])]
    missing = [c for c in wanted if c not in table]
    missing += ["Marker0"] if strict and marker is None else []
    if missing:
        raise ValueError(
            f"a muse-lsl file has the columns timestamps, {', '.join(CHANNELS)} and Marker0; "
            f"{path.name} lacks {', '.join(missing)} (it has {', '.join(table.columns)[:500]}); "
            "export it again, record with markers, or leave a missing channel out with "
            "--drop-channels."
        )
    if not channels:
        raise ValueError(
            f"a recording needs a channel; all of {path.name} are dropped; drop fewer."
        )
    times = _numbers(table, "timestamps", path.name, allow_nan=False)
    sfreq, measured = _rate(times, path.name)
    uv = np.stack([_numbers(table, c, path.name, allow_nan=not strict) for c in channels])
    codes = pd.Series(np.zeros(len(table)))
    if marker is not None:
        _numbers(table, marker, path.name, allow_nan=False)
        codes = pd.to_numeric(table[marker]) + 0  # whole numbers stay whole
    subject = subject or name_from_path(path, "subject")
    session = session or name_from_path(path, "session")
    stem = re.sub(r"(\.csv)+$", "", path.name, flags=re.IGNORECASE)
    rows = np.flatnonzero(codes.to_numpy() != 0)
    events = pd.DataFrame(
        {"sample": rows.astype(np.int64), "code": [event_code(codes.iloc[i]) for i in rows]}
    ).astype({"code": "str"})
    if stimulus_column:
        events["stimulus"] = table[stimulus_column].iloc[rows].astype("str").to_numpy()
    if strict and not len(events):
        raise ValueError(
            f"trials need events; column {marker} of {path.name} is 0 throughout; record with "
            "markers or leave the file out."
        )
    result = Recording(
        signal=(uv * 1e-6).astype(np.float32),
        sfreq=sfreq,
        ch_names=tuple(channels),
        recording=recording or f"{subject}_{session}_{stem}",
        subject=subject,
        session=session,
        events=events,
        source=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        montage="standard_1020" if AUX not in channels else None,
        gaps=find_gaps(times, sfreq),
        sfreq_measured=measured,
        meas_note="" if marker else "no column Marker0: recorded without markers",
    )
    if strict:
        check_channels(result)
    return result


def find_gaps(times: np.ndarray, sfreq: float) -> tuple[int, ...]:
    """Return the first sample after each lasting jump of the time stamps.

    Bluetooth delivers packets early and late; a late packet is followed by stamps that are back on
    time, whereas after lost samples all stamps stay shifted. Fewer than 7 samples in a row
    lost at 256 Hz go unnoticed.
    """
    late = times - np.arange(len(times)) / sfreq
    edge = np.full(64, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([edge, late, edge]), 64)
    jumps = np.flatnonzero(np.abs(np.diff(late)) > GAP_S) + 1
    gaps = []
    for some in np.split(jumps, range(CHUNK, len(jumps), CHUNK)):  # a file may jump everywhere
        jump = np.nanmedian(windows[some + 64], axis=1) - np.nanmedian(windows[some], axis=1)
        gaps += some[np.abs(jump) > GAP_S].tolist()
    return tuple(gaps)


def _parse(content: bytes, name: str) -> pd.DataFrame:
    """Decode, check the number of fields of each line, and parse."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"a recording is UTF-8 text; line {line} of {name} is not (byte {error.start}); export "
            "it again as CSV."
        ) from None
    text = text.rstrip()
    header = text[:HEADER_LENGTH].partition("\n")[0].rstrip("\r")
    n_commas = header.count(",")
    if n_commas >= MAX_COLUMNS or len(header) == HEADER_LENGTH:
        raise ValueError(
            f"a muse-lsl file has at most {MAX_COLUMNS} columns; the first line of {name} is "
            f"{shown(header)}; name another file."
        )
    number, wrong, all_alike = 0, None, True
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        n_fields = line.count(",") + 1 if line.strip() else 0
        if wrong is None and n_fields != n_commas + 1:
            wrong = number, n_fields
        all_alike &= wrong is None or n_fields == wrong[1]
    if number < 3:
        raise ValueError(
            f"a recording has a header and samples; {name} has {number} lines; copy it again."
        )
    if wrong is not None and all_alike and wrong[1] > n_commas + 1 and "Marker" not in header:
        raise ValueError(
            f"each line has {n_commas + 1} fields as its header; {name} has {wrong[1]} from line "
            f"{wrong[0]} on, for muse-lsl wrote the header before the first marker came (and never "
            "wrote the last seconds); record with continuous=False, or append ,Marker0 to the "
            f"header and ,0 to the lines before {wrong[0]}."
        )
    if wrong is not None:
        cut = " (the last line: the file was cut off)" if wrong[0] == number else ""
        raise ValueError(
            f"each line has {n_commas + 1} fields as its header; line {wrong[0]} of {name} has "
            f"{wrong[1]}{cut}; copy the file again or delete the line."
        )
    try:
        table = pd.read_csv(
            io.StringIO(text), na_filter=False, low_memory=False, skip_blank_lines=False
        )
    except (ValueError, OverflowError) as error:  # a quotation mark that does not end
        raise ValueError(
            f"a recording is a CSV table; {name} is none ({' '.join(str(error).split())[:200]}); "
            "export it again as CSV."
        ) from None
    table = table.rename(columns=lambda column: str(column).strip())
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ValueError(
            f"columns have different names; {name} has {twice[0]} twice; rename one of them."
        )
    return table


def _numbers(table: pd.DataFrame, column: str, name: str, *, allow_nan: bool) -> np.ndarray:
    """Return a column as float64; text, and unless allowed NaN, is refused with its line."""
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
    is_text = np.isnan(values)
    if is_text.any():
        words = table[column].astype("str").str.strip().str.lower()
        is_text &= ~words.isin(("", "nan")).to_numpy()
    bad = is_text if allow_nan else ~np.isfinite(values)
    if not bad.any():
        return values
    first = int(bad.argmax())
    found = repr(table[column].iloc[first]) if is_text[first] else str(values[first])
    remedy = (
        f"leave the channel out with --drop-channels '{column}' or correct the file."
        if column in (*CHANNELS, AUX)
        else "correct the file."
    )
    raise ValueError(
        f"every value must be a number; {column} in line {first + 2} of {name} is {found} "
        f"({int(bad.sum())} such lines); {remedy}"
    )


def _rate(times: np.ndarray, name: str) -> tuple[float, float]:
    """Return nominal and measured rate; a median over half the file survives jitter and gaps."""
    lag = len(times) // 2
    step = float(np.median(times[lag:] - times[:-lag])) / lag
    measured = 1 / step if step > 0 else 0.0
    nominal = min(NOMINAL_RATES, key=lambda rate: abs(rate - measured))
    if abs(nominal - measured) > RATE_TOLERANCE * nominal:
        raise ValueError(
            f"a Muse samples at {' or '.join(f'{r:g}' for r in NOMINAL_RATES)} Hz; the time "
            f"stamps of "
            f"{name} say {measured:.2f} Hz; if the file comes from a Muse, samples are missing "
            "throughout: record it again."
        )
    return nominal, measured
