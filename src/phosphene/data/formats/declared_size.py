"""What a file claims to hold, compared with its size before memory is asked for."""

import re
from collections.abc import Sequence
from pathlib import Path

MAX_SAMPLES = 1 << 30
"""Most samples, over all channels: 4 GiB as float32."""
MAX_CHANNELS = 4096
PACKED = (".set", ".gz", ".mff", ".snirf", ".mefd", ".mat", ".cnt")
PACKED_RATIO = 200
"""Most samples per byte of a file whose format compresses."""


def check_declared_size(path: Path) -> None:
    """Refuse a header that announces more channels than any amplifier has.

    Raises
    ------
    ValueError
        For a BrainVision header that announces 0 or more than `MAX_CHANNELS` channels.
    """
    if path.suffix.lower() not in (".vhdr", ".ahdr"):
        return
    text = path.read_bytes().decode("utf-8", errors="replace")
    entry = re.search(r"^\s*NumberOfChannels\s*=\s*(-?\d+)", text, re.MULTILINE | re.IGNORECASE)
    n_channels = int(entry.group(1)[:12]) if entry else 0
    if not 0 < n_channels <= MAX_CHANNELS:
        raise ValueError(
            f"a BrainVision header announces 1 to {MAX_CHANNELS} channels; {path.name} announces "
            f"{n_channels}; export it again."
        )


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
