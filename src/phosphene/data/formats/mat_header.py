"""MATLAB files, of which EEGLAB's .set is one: their arrays, checked before they are loaded."""

import math
import struct
import zlib
from pathlib import Path
from typing import Any

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_DEPTH = 64
_COMPRESSED, _MATRIX = 15, 14
_WITH_ELEMENTS = (1, 2, 3)  # cells, structures, objects


def check_mat(path: Path, *, max_bytes: int) -> None:
    """Refuse a MATLAB file whose arrays cannot be in it.

    Parameters
    ----------
    path
        A file of MATLAB 5 to 7.2, or of 7.3, which is HDF5 and needs h5py.
    max_bytes
        Most bytes that its packed parts may unpack to.

    Raises
    ------
    ValueError
        For elements that run over the file's end, cells or structures that announce more elements
        than they have bytes, packed parts above `max_bytes`, and HDF5 that refers to other files.

    References
    ----------
    https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
    """
    with path.open("rb") as file:
        head = file.read(520)
    if HDF5_MAGIC in (head[:8], head[512:520]):
        _check_hdf5(path, max_bytes)
        return
    order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
    if order is None:
        return  # older than MATLAB 5: MNE refuses it
    try:
        content = memoryview(path.read_bytes())[128:]
        while len(content) >= 8:
            kind, length = struct.unpack(f"{order}2I", content[:8])
            element, content = content[8 : 8 + length], content[8 + length :]
            if len(element) < length:
                raise ValueError("an element runs over its end")
            if kind == _COMPRESSED:
                unpacker = zlib.decompressobj()
                element = memoryview(unpacker.decompress(element, max_bytes))
                if unpacker.unconsumed_tail:
                    raise ValueError(f"it unpacks to more than {max_bytes} bytes")
                max_bytes -= len(element)
                kind, length = struct.unpack(f"{order}2I", element[:8])
                element = element[8 : 8 + length]
            if kind == _MATRIX:
                _check_matrix(element, order)
    except (ValueError, struct.error, zlib.error) as error:
        raise ValueError(
            f"a MATLAB file holds the arrays that it announces; {path.name} does not ({error}); "
            f"copy or export it again."
        ) from None


def _check_matrix(content: memoryview, order: str, depth: int = 0) -> None:
    """Check an array, and those inside it."""
    if depth > MAX_DEPTH:
        raise ValueError(f"arrays are nested more than {MAX_DEPTH} times")
    parts = _elements(content, order)
    if len(parts) < 2:
        return  # an empty array
    flags, dimensions = parts[0][1], parts[1][1]
    if len(flags) < 4 or len(dimensions) % 4:
        raise ValueError("an array without kind or size")
    if struct.unpack(f"{order}I", flags[:4])[0] & 0xFF not in _WITH_ELEMENTS:
        return  # numbers are as many as their bytes
    shape = struct.unpack(f"{order}{len(dimensions) // 4}i", dimensions)
    if min(shape, default=0) < 0 or 8 * math.prod(shape) > len(content):
        raise ValueError(f"an array of {' x '.join(map(str, shape))} in {len(content)} bytes")
    for kind, element in parts[2:]:
        if kind == _MATRIX:
            _check_matrix(element, order, depth + 1)


def _elements(content: memoryview, order: str) -> list[tuple[int, memoryview]]:
    """Split an array into its elements: kind and bytes of each."""
    found = []
    while len(content) >= 8:
        kind, length = struct.unpack(f"{order}2I", content[:8])
        if kind >> 16:  # a small element: length and kind in one word, then up to 4 bytes
            kind, length = kind & 0xFFFF, kind >> 16
            found.append((kind, content[4 : 4 + min(length, 4)]))
            content = content[8:]
            continue
        if length > len(content) - 8:
            raise ValueError("an element runs over its end")
        found.append((kind, content[8 : 8 + length]))
        content = content[8 + (length if kind == _MATRIX else -(-length // 8) * 8) :]
    return found


def _check_hdf5(path: Path, max_bytes: int) -> None:
    try:
        import h5py
    except ImportError:
        raise ValueError(
            f"a .set file of MATLAB 7.3 needs h5py and pymatreader; {path.name} is one; install "
            f"them with pip install 'phosphene[hdf5]', or save it as version 7 in EEGLAB."
        ) from None
    total = 0

    def visit(name: str, link: object) -> str | None:
        """Return what is wrong, which ends the walk."""
        nonlocal total
        if isinstance(link, h5py.ExternalLink):
            return f"{name[:60]} refers to another file"
        item: Any = file.get(name) if isinstance(link, h5py.HardLink) else None
        if not isinstance(item, h5py.Dataset):
            return None
        if item.is_virtual or item.external:
            return f"{name[:60]} refers to another file"
        total += item.size * item.dtype.itemsize
        return f"it unpacks to more than {max_bytes} bytes" if total > max_bytes else None

    try:
        with h5py.File(path, "r") as file:
            wrong = file.visititems_links(visit)
        if wrong is not None:
            raise ValueError(wrong)
    except Exception as error:  # h5py raises OSError, RuntimeError and KeyError on broken files
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise ValueError(
            f"a MATLAB file holds the arrays that it announces; {path.name} does not ({said}); "
            f"copy or export it again."
        ) from None
