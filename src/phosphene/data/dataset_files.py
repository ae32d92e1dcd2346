"""The files of a data set folder: written, hashed, compared with what info.json says of them."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from phosphene._checks.arrays import map_npy
from phosphene._checks.files import check_amount, inside, open_regular

MAX_FILES = 100_000

HASHES = 2
"""How checksums and `data_hash` are made: 2 hashes whole files, and all that `data_hash` names.

Folders without this number are of version 1. They hashed sixteen blocks of files above 16 MiB, and
their `data_hash` saw neither pixels nor where trials come from; they are read as they are.
"""

_WHOLE = 16 << 20  # in version 1, files up to this size are hashed whole
_BLOCK = 1 << 20


def verify_files(folder: Path, info: Mapping[str, Any]) -> None:
    """Compare every file's size and checksum with info.json."""
    check_amount(f"{folder}", len(info["files"]), MAX_FILES, unit="files")
    for name, expected in info["files"].items():
        path = inside(folder, name)
        remedy = "copy the folder again or import it again."
        if not path.is_file():
            raise ValueError(f"a data set must be whole; {folder} lacks {name}; {remedy}")
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise ValueError(
                f"{name} must have {expected['bytes']} bytes; {folder} has {size}; {remedy}"
            )
        if file_digest(path, info["hashes"]) != expected["sha256"]:
            raise ValueError(
                f"{name} must be what was written; its checksum in {folder} differs; {remedy}"
            )


def open_array(folder: Path, name: str, info: Mapping[str, Any]) -> np.ndarray:
    """Map an array of the folder into memory, copy on write; its shape must be info.json's."""
    array = map_npy(inside(folder, name))
    expected = info["arrays"].get(name, {"shape": "nothing", "dtype": "said to be"})
    if list(array.shape) != expected["shape"] or str(array.dtype) != expected["dtype"]:
        raise ValueError(
            f"{name} must be {expected['dtype']} {expected['shape']}; {folder} has {array.dtype} "
            f"{list(array.shape)}; import it again."
        )
    return array


def file_digest(path: Path, version: int) -> str:
    """Hash a whole file; in version 1 sixteen blocks spread over a large one."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if version > 1 or size <= _WHOLE:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        for start in np.linspace(0, size - _BLOCK, 16).astype(np.int64):
            file.seek(int(start))
            digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write plain values; NaN and infinity are refused."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def flush(path: Path) -> None:
    """Have the system write a file or folder to the disk now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
