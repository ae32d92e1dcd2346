"""Pictures in the binary format of CIFAR-10."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from phosphene._checks.files import check_amount, inside, read_bytes, read_text
from phosphene.data.images import IMAGE_COLUMNS, ImageSet

RECORD_BYTES = 3073  # label, then 32 x 32 red, green and blue
MAX_BYTES = 1 << 30
"""Bytes that all files of a folder may have."""
MAX_NAMES_BYTES = 1 << 16
NAMES_FILE = "batches.meta.txt"


def is_cifar(path: Path) -> bool:
    """Say whether a path is a `.bin` file, or a folder with `.bin` files."""
    return path.suffix == ".bin" if path.is_file() else any(path.glob("*.bin"))


def read_cifar10(path: Path) -> ImageSet:
    """Read a batch, or all batches of a folder, with class names from batches.meta.txt.

    Raises
    ------
    ValueError
        For a size that is no multiple of 3073 bytes, more than 1 GiB, a label without a name, or a
        link that leads out of the folder.
    """
    path = Path(path)
    files = sorted(path.glob("*.bin")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"need .bin files; {path} holds none; correct the path.")
    if path.is_dir():
        for file in files:
            inside(path, file.name)
    meta = files[0].parent / NAMES_FILE
    names = [str(label) for label in range(10)]
    if meta.is_file():
        names = read_text(inside(meta.parent, NAMES_FILE), limit=MAX_NAMES_BYTES).split()
    if len(set(names)) < len(names) or not all(map(str.isprintable, names)):
        raise ValueError(
            f"class names must differ and be printable; those in {meta} are not; download it again."
        )
    check_amount(str(path), sum(file.stat().st_size for file in files), MAX_BYTES)
    pixels, tables = [], []
    for file in files:
        size = file.stat().st_size
        if size == 0 or size % RECORD_BYTES:
            raise ValueError(
                f"a CIFAR-10 file has {RECORD_BYTES} bytes per picture; {file.name} has {size} "
                "bytes; it is cut off or another file: download it again."
            )
        content = read_bytes(file, limit=MAX_BYTES)
        records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD_BYTES)
        labels = records[:, 0].astype(np.int64)
        if labels.max() >= len(names):
            raise ValueError(
                f"labels of CIFAR-10 are below {len(names)}; {file.name} has {labels.max()} at "
                f"picture {int(labels.argmax())}; download it again."
            )
        planes = records[:, 1:].reshape(-1, 3, 32, 32)
        pixels.append(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)))
        ids = [f"{file.stem}-{i:05d}" for i in range(len(records))]
        tables.append(
            pd.DataFrame(
                {
                    "image_id": ids,
                    "label": labels,
                    "class_name": [names[label] for label in labels],
                    "stimulus": ids,
                    "shown": True,
                    "source": file.name,
                    "sha256": [hashlib.sha256(p.tobytes()).hexdigest() for p in pixels[-1]],
                }
            )
        )
    table = pd.concat(tables, ignore_index=True).astype(IMAGE_COLUMNS)
    return ImageSet(np.concatenate(pixels), table, tuple(names))
