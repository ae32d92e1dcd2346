"""NumPy's files, not trusted: headers are compared with the bytes that are there, then read."""

import math
import os
import struct
import tokenize
import zipfile
import zlib
from io import BufferedIOBase
from pathlib import Path
from typing import Literal

import numpy as np

from phosphene._checks.files import SHOWN, check_amount, open_regular, shown

MAX_NPZ_BYTES = 1 << 30
"""Bytes that all arrays of one .npz may unpack to."""
MAX_MEMBERS = 1000
MAX_DIRECTORY_BYTES = 1 << 20
MAX_AXES = 16
MAX_AXIS = 1 << 40
KINDS = "biufcUS"
"""Numbers and fixed-width text; never Python objects, which only a pickle could hold."""

_END = struct.Struct("<4s4H2LH")  # the record that ends a zip file
_TAIL = _END.size + 0xFFFF  # with the longest comment


def map_npy(path: Path) -> np.memmap:
    """Map an .npy file into memory, copy on write; its size must be the one that it announces.

    Raises
    ------
    ValueError
        For anything else than a whole .npy file of numbers or fixed-width text.
    """
    with open_regular(path) as file:
        shape, order, dtype = _read_header(file, str(path))
        offset, size = file.tell(), os.fstat(file.fileno()).st_size
    _check_announced(str(path), shape, dtype, n_bytes=size - offset)
    return np.memmap(path, dtype=dtype, mode="c", offset=offset, shape=shape, order=order)


def read_npz(path: Path, *, limit: int = MAX_NPZ_BYTES) -> dict[str, np.ndarray]:
    """Read all arrays of an .npz file that unpack to at most `limit` bytes.

    Raises
    ------
    ValueError
        For a damaged archive, announced sizes above the limit, or members that are no arrays of
        numbers or fixed-width text.
    """
    with open_regular(path) as file:
        check_amount(str(path), os.fstat(file.fileno()).st_size, limit)
        _check_directory(file, path)
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                total = sum(member.file_size for member in members)
                check_amount(f"the arrays of {path}", total, limit)
                names = [member.filename.removesuffix(".npy") for member in members]
                if len(set(names)) < len(names) or len(names) > MAX_MEMBERS:
                    raise _damaged(path, "names occur twice or there are too many")
                return {
                    name: _read_member(archive, member, f"{path}: {shown(name)}")
                    for name, member in zip(names, members, strict=True)
                }
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            NotImplementedError,  # a compression that this Python lacks
            RuntimeError,  # encrypted
            struct.error,
            UnicodeDecodeError,
        ) as error:
            raise _damaged(path, error) from None


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> np.ndarray:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"arrays are stored or deflated; {name} is neither; write the file again.")
    with archive.open(member) as file:
        shape, order, dtype = _read_header(file, name)  # pyright: ignore[reportArgumentType]
        n_bytes = member.file_size - file.tell()
        _check_announced(name, shape, dtype, n_bytes=n_bytes)
        content = bytearray(file.read(n_bytes))  # writable, as what np.load returns
    if len(content) != n_bytes:
        raise ValueError(
            f"an array must be whole; {name} has {len(content)} of {n_bytes} bytes; write the file "
            "again."
        )
    return np.frombuffer(content, dtype=dtype).reshape(shape, order=order)


def _read_header(
    file: BufferedIOBase, name: str
) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype]:
    """Return shape, order and dtype; the file then stands at the first byte of the array."""
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):  # others are for headers of structures
            raise ValueError(f"version {version}")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except (
        ValueError,
        TypeError,
        SyntaxError,
        KeyError,
        IndexError,
        OverflowError,
        RecursionError,
        MemoryError,
        tokenize.TokenError,
    ) as error:
        raise ValueError(
            f"an array file begins with NumPy's header; that of {name} cannot be read "
            f"({_first_line(error)}); write the file again."
        ) from None
    return shape, "F" if is_fortran else "C", dtype


def _check_announced(name: str, shape: tuple[int, ...], dtype: np.dtype, *, n_bytes: int) -> None:
    if dtype.hasobject:
        raise ValueError(
            f"arrays must hold numbers or fixed-width text; {name} holds Python objects, which are "
            "never unpickled; write it without them."
        )
    plain = dtype.kind in KINDS and dtype.itemsize > 0 and dtype.subdtype is None
    sane = len(shape) <= MAX_AXES and all(0 <= n <= MAX_AXIS for n in shape)
    if not plain or not sane or math.prod(shape) * dtype.itemsize != n_bytes:
        raise ValueError(
            f"an array must fill its file exactly; {name} announces {shown(str(dtype))} "
            f"{shown(list(shape))} and has {n_bytes} bytes; write the file again."
        )


def _check_directory(file: BufferedIOBase, path: Path) -> None:
    """Refuse an archive whose directory alone would fill the memory when it is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise _damaged(path, "the end is missing")
    _, _, _, _, n_members, n_bytes, _, _ = _END.unpack_from(tail, at)
    is_zip64 = at >= 20 and tail[at - 20 : at - 16] == b"PK\6\7"
    if is_zip64 or n_members > MAX_MEMBERS or n_bytes > MAX_DIRECTORY_BYTES:
        raise _damaged(path, f"more than {MAX_MEMBERS} members")
    file.seek(0)


def _damaged(path: Path, reason: object) -> ValueError:
    return ValueError(
        f"arrays come in a whole .npz file; {path} is none ({_first_line(reason)}); write it again."
    )


def _first_line(reason: object) -> str:
    lines = str(reason).splitlines() or [type(reason).__name__]
    return lines[0][:SHOWN]
