"""What a file claims to hold, compared with its size before memory is asked for."""

import gzip
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

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
    elif suffix == ".gz":
        _check_gzip(path)
    elif suffix == ".fif":
        _check_fif(path)
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


def _check_gzip(path: Path) -> None:
    most = max(PACKED_LEAST, path.stat().st_size * PACKED_RATIO)
    total = 0
    try:
        with gzip.open(path) as file:
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


def _check_fif(path: Path) -> None:
    """Follow the chain of tags, each of which must lie behind the one before and in the file."""
    size = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        while position + 16 <= size:
            file.seek(position)
            _, _, length, following = struct.unpack(">4i", file.read(16))
            end = position + 16 + length
            if length < 0 or end > size or (following > 0 and following <= position):
                raise ValueError(
                    f"a FIF file is a chain of tags; {path.name} of {size} bytes has one at byte "
                    f"{position} that leads out of it or back; copy or export it again."
                )
            if following < 0:
                return
            position = following or end
