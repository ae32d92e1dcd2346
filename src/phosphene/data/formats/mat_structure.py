"""The structure of MATLAB 5 files, checked before SciPy reads one: its compiled reader trusts it.

SciPy takes the types that a file names as places in a table, and the process dies where there is no
such type. What does not follow the published format to the letter is refused.

References
----------
MAT-File Format, The MathWorks, https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
"""

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phosphene._checks.files import check_amount, open_regular, read_bytes

MAX_BYTES = 4 << 30
"""Largest file; a variable in this format cannot be larger either."""
MAX_ARRAYS = 3_000_000
MAX_DEPTH = 32
MAX_NAME = 4096
"""Bytes of a name; MATLAB's own have at most 63 letters."""
MAX_FIELDS = 10_000
HEADER = 128

MATRIX, COMPRESSED = 14, 15
INT8, INT32, UINT32 = 1, 5, 6
BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
"""Size of one item of each type of number and text."""
CELL, STRUCT, OBJECT, CHAR, SPARSE, FUNCTION, OPAQUE = 1, 2, 3, 4, 5, 16, 17
NUMBERS = range(6, 16)
COMPLEX = 1 << 11
Content = bytes | bytearray
_STEP = 1 << 20


def check_arrays(path: Path, *, max_bytes: int) -> None:
    """Refuse a MATLAB 5 file whose elements do not fit into one another.

    Files that are not in this format (HDF5, which MATLAB calls 7.3, and version 4) pass: they are
    for other readers to judge.

    Parameters
    ----------
    path
        The file.
    max_bytes
        Most bytes that its packed parts may unpack to.

    Raises
    ------
    ValueError
        Naming the first thing that is wrong.
    """
    with open_regular(path) as file:
        head = file.read(HEADER)
    if len(head) < HEADER or head[126:128] not in (b"IM", b"MI") or head[:4] == b"\x89HDF":
        return
    order = "<" if head[126:128] == b"IM" else ">"
    if struct.unpack(f"{order}H", head[124:126])[0] != 0x0100:
        return
    content = read_bytes(path, limit=MAX_BYTES)
    walk = _Walk(order, path.name, max_bytes)
    try:
        at = HEADER
        while at < len(content):
            kind, start, stop, after = walk.element(content, at, len(content))
            if kind == COMPRESSED:
                at = stop  # not padded
                walk.packed(memoryview(content)[start:stop])
            else:
                at = after
                walk.matrix(content, kind, start, stop, depth=0)
    except _MisfitError as error:
        raise ValueError(
            f"a MATLAB file holds the arrays that it announces; {path.name} does not ({error}); "
            "copy or export it again."
        ) from None


class _MisfitError(Exception):
    """Elements that do not fit into one another."""


@dataclass
class _Walk:
    """The way through a file: byte order, and how much was seen."""

    order: str
    name: str
    max_bytes: int
    n_arrays: int = 0
    n_unpacked: int = 0

    def element(self, content: Content, at: int, end: int) -> tuple[int, int, int, int]:
        """Return type, start and stop of an element's bytes, and where the next one begins."""
        if at + 8 > end:
            raise _MisfitError(f"an element is cut off at byte {at}")
        kind, n_bytes = struct.unpack_from(f"{self.order}2I", content, at)
        if kind >> 16:  # a short element: size, type and up to 4 bytes in 8
            kind, n_bytes, start, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
            if n_bytes > 4:
                raise _MisfitError(f"a short element has {n_bytes} bytes")
        else:
            start = at + 8
            after = start + n_bytes + (-n_bytes % 8)
        if start + n_bytes > end:
            raise _MisfitError(f"an element announces {n_bytes} bytes and has {end - start}")
        return kind, start, start + n_bytes, min(after, end)

    def packed(self, content: memoryview) -> None:
        """Unpack a compressed variable in steps and check it."""
        unpacker, whole = zlib.decompressobj(), bytearray()
        try:
            for first in range(0, len(content), _STEP):
                left = content[first : first + _STEP]
                while not unpacker.eof:
                    part = unpacker.decompress(left, _STEP)
                    left = unpacker.unconsumed_tail
                    self.n_unpacked += len(part)
                    if self.n_unpacked > self.max_bytes:
                        raise _MisfitError(f"it unpacks to more than {self.max_bytes} bytes")
                    if not part and not left:
                        break
                    whole += part
        except zlib.error as error:
            raise _MisfitError(error) from None
        kind, start, stop, _ = self.element(whole, 0, len(whole))
        self.matrix(whole, kind, start, stop, depth=0)

    def matrix(self, content: Content, kind: int, start: int, stop: int, *, depth: int) -> None:
        """Check an array and what is in it."""
        self.n_arrays += 1
        check_amount(self.name, self.n_arrays, MAX_ARRAYS, unit="arrays")
        if kind != MATRIX:
            raise _MisfitError(f"an array has the type {kind}")
        if depth > MAX_DEPTH:
            raise _MisfitError(f"arrays nest deeper than {MAX_DEPTH} levels")
        if start == stop:
            return  # MATLAB writes an empty array so
        flags, at = self._numbers(content, start, stop, UINT32, least=2, most=2)
        kind, is_complex = int(flags[0]) & 0xFF, int(flags[0]) & COMPLEX
        if kind == OPAQUE:  # an object of a class of MATLAB: three names and an array
            for _ in range(3):
                _, at = self._numbers(content, at, stop, INT8, least=0, most=MAX_NAME)
            self._arrays(content, at, stop, 1, depth=depth + 1)
            return
        found, at = self._numbers(content, at, stop, INT32, least=2, most=MAX_DEPTH)
        _, at = self._numbers(content, at, stop, INT8, least=0, most=MAX_NAME)
        dims = found.tolist()
        size, n_parts = math.prod(dims), 2 if is_complex else 1
        if min(dims) < 0:
            raise _MisfitError("an array has no proper size")
        if kind == SPARSE:
            size, at = self._places(content, at, stop, dims)
        if kind in (CHAR, SPARSE, *NUMBERS):
            for _ in range(1 if kind == CHAR else n_parts):
                at = self._data(content, at, stop, size, is_text=kind == CHAR)
            return
        if kind == OBJECT:
            _, at = self._numbers(content, at, stop, INT8, least=0, most=MAX_NAME)
        if kind in (STRUCT, OBJECT):
            (length,), at = self._numbers(content, at, stop, INT32, least=1, most=1)
            names, at = self._numbers(content, at, stop, INT8, least=0)
            n_fields, rest = divmod(len(names), max(1, int(length)))
            if not 1 <= length <= MAX_NAME or rest or n_fields > MAX_FIELDS:
                raise _MisfitError("the names of fields have no proper length")
            size *= n_fields
        elif kind == FUNCTION:
            size = 1
        elif kind != CELL:
            raise _MisfitError(f"an array is of class {kind}")
        self._arrays(content, at, stop, size, depth=depth + 1)

    def _arrays(self, content: Content, at: int, stop: int, size: int, *, depth: int) -> None:
        """Check the arrays that follow one another in another one."""
        if size > (stop - at) // 8:
            raise _MisfitError(f"{size} arrays are announced in {stop - at} bytes")
        for _ in range(size):
            kind, first, last, at = self.element(content, at, stop)
            self.matrix(content, kind, first, last, depth=depth)

    def _places(self, content: Content, at: int, stop: int, dims: list[int]) -> tuple[int, int]:
        """Return how many items a sparse array has, and where they begin."""
        rows, at = self._numbers(content, at, stop, INT32, least=0)
        ends, at = self._numbers(content, at, stop, INT32, least=1)
        rising = ends[0] == 0 and not (ends[1:] < ends[:-1]).any()
        sound = len(dims) == 2 and len(ends) == dims[1] + 1 and ends[-1] <= len(rows)
        held = rows[: ends[-1]] if rising and sound else rows
        if not (rising and sound and ((held >= 0) & (held < dims[0])).all()):
            raise _MisfitError("a sparse array has items outside of it")
        return len(rows), at

    def _numbers(
        self, content: Content, at: int, end: int, expected: int, *, least: int, most: int = 1 << 32
    ) -> tuple[np.ndarray, int]:
        """View the whole numbers of an element of a fixed type; return where the next begins."""
        kind, start, stop, after = self.element(content, at, end)
        form = {INT8: "i1", INT32: "i4", UINT32: "u4"}[expected]
        n, rest = divmod(stop - start, BYTES[expected])
        if kind != expected or rest or not least <= n <= most:
            raise _MisfitError(f"an element of type {kind} with {stop - start} bytes is misplaced")
        return np.frombuffer(content, f"{self.order}{form}", count=n, offset=start), after

    def _data(self, content: Content, at: int, end: int, size: int, *, is_text: bool) -> int:
        """Check the numbers or the text of an array; return where the next element begins."""
        if size == 0 and at >= end:
            return at  # nothing, not even an element
        kind, start, stop, after = self.element(content, at, end)
        n_bytes = stop - start
        fits = kind in BYTES and n_bytes % BYTES.get(kind, 1) == 0
        if fits and is_text:
            # UTF-8 has up to four bytes per character
            fits = kind not in (9, 12, 13) and n_bytes <= 4 * size and size <= n_bytes
        elif fits:
            fits = kind not in (16, 17, 18) and n_bytes == size * BYTES[kind]
        if not fits:
            raise _MisfitError(f"{size} items are announced in {n_bytes} bytes of type {kind}")
        return after
