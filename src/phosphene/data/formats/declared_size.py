"""What a file claims to hold, compared with its size before memory is asked for."""

import gzip
import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from phosphene._checks.files import open_regular
from phosphene.data.formats.companions import check_companions
from phosphene.data.formats.fif_tags import find_next_parts
from phosphene.data.formats.mat_header import check_mat

MAX_SAMPLES = 1 << 30
"""Most samples, over all channels: 4 GiB as float32."""
MAX_CHANNELS = 4096
PACKED = (".set", ".gz", ".mff", ".snirf", ".mefd", ".mat", ".cnt")
PACKED_RATIO = 100
"""Most samples, and bytes when unpacked, per byte of a file whose format compresses."""
PACKED_LEAST = 64 << 20
"""A packed file may always be unpacked to so many bytes."""
_BLOCK = 1 << 20


def check_declared_size(path: Path) -> None:
    """Refuse a header or a packed file that would take memory out of proportion.

    Raises
    ------
    ValueError
        For a BrainVision header that announces 0 or more than `MAX_CHANNELS` channels, a packed
        file that unpacks to more than `PACKED_RATIO` times its size, a FIF file whose tags run in a
        circle, and an EEGLAB file whose arrays are larger than itself.
    """
    suffix = path.suffix.lower()
    if suffix in (".vhdr", ".ahdr"):
        _check_brainvision(path)
    elif path.name.lower().endswith((".fif", ".fif.gz")):
        _check_fif(path)
    elif suffix == ".gz":
        _check_gzip(path)
    elif suffix == ".set":
        most = max(PACKED_LEAST, path.stat().st_size * PACKED_RATIO)
        check_mat(path, max_bytes=most)


def check_loaded_size(n_samples: int, n_channels: int, files: Sequence[Path], *, name: str) -> None:
    """Refuse more samples than the files can hold, or than fit into memory.

    Parameters
    ----------
    n_samples, n_channels
        Announced length and number of channels.
    files
        All files of the recording.
    name
        Of the recording.
    """
    total = int(n_samples) * int(n_channels)
    size = sum(file.stat().st_size for file in files)
    packed = any(file.suffix.lower() in PACKED for file in files) or not files
    most = size * (PACKED_RATIO if packed else 1)
    if total > most:
        raise ValueError(
            f"a file holds what its header announces; {name} announces {n_samples} samples of "
            f"{n_channels} channels and has {size} bytes; copy or export it again."
        )
    if total > MAX_SAMPLES:
        raise ValueError(
            f"a recording holds at most {MAX_SAMPLES} samples over all channels; {name} announces "
            f"{total}; cut it into shorter files."
        )


def _check_brainvision(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", errors="replace")
    entry = re.search(r"^\s*NumberOfChannels\s*=\s*(-?\d+)", text, re.MULTILINE | re.IGNORECASE)
    n_channels = int(entry.group(1)[:12]) if entry else 0
    if not 0 < n_channels <= MAX_CHANNELS:
        raise ValueError(
            f"a BrainVision header announces 1 to {MAX_CHANNELS} channels; {path.name} announces "
            f"{n_channels}; export it again."
        )


def _check_gzip(path: Path) -> int:
    """Return how many bytes a file unpacks to."""
    most = max(PACKED_LEAST, path.stat().st_size * PACKED_RATIO)
    total = 0
    try:
        with open_regular(path) as packed, gzip.open(packed) as file:
            while total <= most and (block := file.read(_BLOCK)):
                total += len(block)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"a .gz file is a whole gzip file; {path.name} is not ({error}); copy it again."
        ) from None
    if total > most:
        raise ValueError(
            f"a packed recording unpacks to at most {PACKED_RATIO} times its size; {path.name} "
            f"gives more than {most} bytes; unpack it and look what it is."
        )
    return total


def _check_fif(path: Path) -> None:
    """Walk through the tags of all parts, each of which names the next."""
    seen, left = {path.resolve()}, [path]
    while left:
        part = left.pop()
        size = _check_gzip(part) if part.suffix.lower() == ".gz" else part.stat().st_size
        names = find_next_parts(part, size=size)
        there = (p for p in names if os.path.exists(p))  # noqa: PTH110 (raises for long names)
        named = {p.resolve(): p for p in there}
        check_companions(path, [*named.values()])
        if again := seen.intersection(named):
            raise ValueError(
                f"the parts of a FIF file follow one another; {part.name} names "
                f"{again.pop().name}, which comes before it; copy or export it again."
            )
        seen.update(named)
        left += named.values()
