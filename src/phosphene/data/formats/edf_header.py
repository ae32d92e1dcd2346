"""The header of an EDF or BDF file, checked against the file's size before anything is loaded."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

FIXED_BYTES = 256
MAX_SIGNALS = 4096
SAMPLE_BYTES = {".edf": 2, ".bdf": 3}
NO_SIGNAL = ("EDF Annotations", "BDF Annotations")
UNITS = ("uV", "µV", "μV", "\x83\xcaV", "mV", "V")
"""Units that MNE converts to V; it takes any other for V. The fourth is uV in Shift-JIS."""


@dataclass(frozen=True)
class EdfHeader:
    """What the header of an EDF or BDF file announces; annotation channels left out."""

    labels: tuple[str, ...]
    units: tuple[str, ...]
    samples_per_record: tuple[int, ...]
    has_range: tuple[bool, ...]
    """Whether physical and digital range of a channel are not empty, so that it has a scale."""
    record_s: float
    n_records: int
    note: str


def read_edf_header(path: Path) -> EdfHeader:
    """Read and check the header of an EDF or BDF file.

    Raises
    ------
    ValueError
        For a header that is none, a file that is shorter or longer than announced, and an
        interrupted recording (EDF+D with jumps in time).

    References
    ----------
    https://www.edfplus.info/specs/edf.html and https://www.biosemi.com/faq/file_format.htm
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        fixed = file.read(FIXED_BYTES)
        n_signals = _integer(fixed[252:256], "number of signals", path.name)
        if not 0 < n_signals <= MAX_SIGNALS:
            raise ValueError(
                f"an EDF or BDF file holds 1 to {MAX_SIGNALS} signals; {path.name} announces "
                f"{n_signals}; copy or export it again."
            )
        rest = file.read(FIXED_BYTES * n_signals)
    n_header = FIXED_BYTES * (n_signals + 1)
    if len(fixed) + len(rest) < n_header or _integer(fixed[184:192], "size", path.name) != n_header:
        raise ValueError(
            f"the header of {n_signals} signals has {n_header} bytes; {path.name} announces "
            f"{fixed[184:192].decode('latin-1').strip()} and has {size} in all; copy or export it "
            f"again."
        )
    columns = _columns(rest, n_signals)
    labels = [label.decode("latin-1").strip() for label in columns["label"]]
    per_record = [_integer(n, "samples per record", path.name) for n in columns["samples"]]
    if min(per_record) < 1:
        raise ValueError(
            f"each signal has samples in a record; '{labels[int(np.argmin(per_record))]}' of "
            f"{path.name} has {min(per_record)}; export it again."
        )
    record_s = _number(fixed[244:252], "record length", path.name)
    signals = [i for i, label in enumerate(labels) if label not in NO_SIGNAL]
    if not signals or not 0 < record_s < float("inf"):
        raise ValueError(
            f"a recording has signals and records longer than 0 s; {path.name} has {len(signals)} "
            f"signals in records of {record_s:g} s; it may hold annotations only: leave it out."
        )
    record_bytes = sum(per_record) * SAMPLE_BYTES[path.suffix.lower()]
    announced = _integer(fixed[236:244], "number of records", path.name)
    n_records, note = announced, ""
    if announced == -1 and size > n_header and (size - n_header) % record_bytes == 0:
        n_records = (size - n_header) // record_bytes
        note = "the recorder did not write the number of records; it follows from the file's size"
    if n_records < 1 or size != n_header + n_records * record_bytes:
        raise ValueError(
            f"a file is as long as its header says; {path.name} announces {announced} records of "
            f"{record_bytes} bytes after {n_header} bytes of header, and has {size} bytes; "
            f"{'it was cut off: ' if size < n_header + n_records * record_bytes else ''}copy or "
            f"export it again."
        )
    if fixed[192:197] in (b"EDF+D", b"BDF+D"):
        _check_continuous(path, labels, per_record, n_header, n_records, record_s)
    ranges = [
        [_number(value, "range", path.name) for value in columns[name]]
        for name in ("physical_min", "physical_max", "digital_min", "digital_max")
    ]
    has_range = [
        low != high and first != last for low, high, first, last in zip(*ranges, strict=True)
    ]
    return EdfHeader(
        labels=tuple(labels[i] for i in signals),
        units=tuple(columns["unit"][i].decode("latin-1").strip() for i in signals),
        samples_per_record=tuple(per_record[i] for i in signals),
        has_range=tuple(has_range[i] for i in signals),
        record_s=record_s,
        n_records=n_records,
        note=note,
    )


def _columns(rest: bytes, n_signals: int) -> dict[str, list[bytes]]:
    """Split the part of the header that has one entry per signal."""
    widths = {
        "label": 16,
        "transducer": 80,
        "unit": 8,
        "physical_min": 8,
        "physical_max": 8,
        "digital_min": 8,
        "digital_max": 8,
        "filter": 80,
        "samples": 8,
    }
    columns, start = {}, 0
    for name, width in widths.items():
        stop = start + width * n_signals
        columns[name] = [rest[i : i + width] for i in range(start, stop, width)]
        start = stop
    return columns


def _check_continuous(
    path: Path,
    labels: list[str],
    per_record: list[int],
    n_header: int,
    n_records: int,
    record_s: float,
) -> None:
    """Refuse jumps between the times that an EDF+D file gives its records."""
    width = SAMPLE_BYTES[path.suffix.lower()]
    timed = next((i for i, label in enumerate(labels) if label in NO_SIGNAL), None)
    if timed is None:
        raise ValueError(
            f"an EDF+D file says when each record began; {path.name} has no channel for it; "
            f"export it as EDF+C."
        )
    start, stop = sum(per_record[:timed]) * width, sum(per_record[: timed + 1]) * width
    shape = (n_records, sum(per_record) * width)
    records = np.memmap(path, dtype=np.uint8, mode="r", offset=n_header, shape=shape)
    onsets = [
        _number(records[i, start:stop].tobytes().partition(b"\x14")[0], "record time", path.name)
        for i in range(n_records)
    ]
    late = np.abs(np.diff(onsets) - record_s) > 1e-3
    if late.any():
        raise ValueError(
            f"a recording must be in one piece; {path.name} (EDF+D) is interrupted "
            f"{int(late.sum())} times, first after record {int(late.argmax()) + 1}; export each "
            f"piece as a file of its own."
        )


def _number(field: bytes, what: str, name: str) -> float:
    text = field.decode("latin-1").partition("\x00")[0].strip().replace(",", ".")
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"the header of an EDF or BDF file is text; the {what} of {name} is {text[:20]!r}; "
            f"copy or export it again, or give the file the suffix of its format."
        ) from None


def _integer(field: bytes, what: str, name: str) -> int:
    value = _number(field, what, name)
    if not (abs(value) < 2**53 and value == int(value)):
        raise ValueError(
            f"the header of an EDF or BDF file counts in whole numbers; the {what} of {name} is "
            f"{value:g}; copy or export it again."
        )
    return int(value)
