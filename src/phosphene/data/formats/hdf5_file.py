"""HDF5 files, not trusted: links stay inside, and sizes are compared before anything is read."""

import math
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from phosphene._checks.files import check_amount, open_regular, shown
from phosphene._checks.installation import pip_install

if TYPE_CHECKING:
    import h5py

MAX_BYTES = 32 << 30
"""Bytes that one array of a file may unpack to."""
MAX_CHUNK_BYTES = 256 << 20
"""A chunk is unpacked whole, however little of it is asked for."""
MAX_TEXT_BYTES = 16 << 20
MAX_ROWS = 100_000
"""Rows of a column of text."""
MAX_RATIO = 1100
"""Times that an array may be larger than its compressed bytes; DEFLATE reaches 1032."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEAP = b"GCOL\1\0\0\0"
_HEAP_HEADER, _HEAP_OBJECT = struct.Struct("<8sQ"), struct.Struct("<HHLQ")


@contextmanager
def open_hdf5(path: Path) -> "Iterator[h5py.File]":
    """Open an HDF5 file to read, in one sentence about whatever HDF5 cannot read inside the scope.

    Raises
    ------
    ValueError
        For what is no HDF5 file, or is damaged or truncated.
    """
    try:
        import h5py
    except ImportError:
        raise ValueError(
            f"NWB files are read with h5py; it is not installed; install it with "
            f"{pip_install('phosphene[nwb]')}."
        ) from None
    with open_regular(path) as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise ValueError(
                f"an NWB file is an HDF5 file; {path} does not begin as one; name the .nwb file."
            )
        _check_heaps(file, path)
    try:
        with h5py.File(path, "r", locking="best-effort") as hdf5:
            yield hdf5
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.filename is not None:  # another file's, not HDF5's
            raise
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(
            f"an NWB file must be whole; {path} cannot be read ({said}); download or copy it again."
        ) from None


def find_group(parent: "h5py.Group", name: str) -> "h5py.Group | None":
    """Return a group inside a group; None where there is none of this name."""
    import h5py

    found = _follow(parent, name)
    return found if isinstance(found, h5py.Group) else None


def groups_of(parent: "h5py.Group") -> "dict[str, h5py.Group]":
    """Return the groups in a group by name, links to other files refused."""
    found = {name: find_group(parent, name) for name in parent}
    return {name: group for name, group in found.items() if group is not None}


def find_numbers(
    parent: "h5py.Group", name: str, *, n_axes: int = 1, limit: int = MAX_BYTES
) -> "h5py.Dataset | None":
    """Return an array of numbers, unread; None where there is none of this name.

    Raises
    ------
    ValueError
        For text or compound values, other axes, values in another file, and sizes above the limit
        or larger than the file's bytes can hold.
    """
    dataset = _find_dataset(parent, name)
    if dataset is None:
        return None
    if dataset.dtype.kind not in "biuf" or dataset.ndim != n_axes:
        raise ValueError(
            f"{_where(dataset)} must be numbers with {n_axes} axes; it is "
            f"{shown(str(dataset.dtype))} of shape {dataset.shape}; export the file again."
        )
    _check_size(dataset, limit)
    return dataset


def read_numbers(parent: "h5py.Group", name: str, *, limit: int = MAX_BYTES) -> np.ndarray | None:
    """Read a column of numbers, as `find_numbers` finds it."""
    dataset = find_numbers(parent, name, limit=limit)
    return None if dataset is None else dataset[()]


def read_texts(parent: "h5py.Group", name: str) -> list[str] | None:
    """Read a column of text of at most `MAX_ROWS` rows; None where there is none of this name."""
    dataset = _find_dataset(parent, name)
    if dataset is None:
        return None
    if dataset.ndim != 1 or not _is_text(dataset):
        raise ValueError(
            f"{_where(dataset)} must be a column of text; it is {shown(str(dataset.dtype))} of "
            f"shape {dataset.shape}; export the file again."
        )
    check_amount(_where(dataset), len(dataset), MAX_ROWS, unit="rows")
    texts, n_bytes = [], 0
    for row in range(len(dataset)):  # one by one: rows may all point to the same long text
        texts.append(_text(dataset[row]))
        n_bytes += len(texts[-1])
        check_amount(_where(dataset), n_bytes, MAX_TEXT_BYTES)
    return texts


def read_text(parent: "h5py.Group", name: str) -> str:
    """Read a single text; empty where there is none of this name."""
    dataset = _find_dataset(parent, name)
    if dataset is None or dataset.shape != () or not _is_text(dataset):
        return ""
    text = _text(dataset[()])
    check_amount(_where(dataset), len(text), MAX_TEXT_BYTES)
    return text


def attribute(item: "h5py.Group | h5py.Dataset", name: str) -> Any:
    """Return an attribute as text or number; None where it is missing or is neither."""
    if name not in item.attrs:
        return None
    value = item.attrs[name]
    if isinstance(value, bytes | str):
        return _text(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.size == 1):
        number = np.asarray(value).reshape(())[()]
        return number.item() if number.dtype.kind in "biuf" else _text(number)
    return None


def _check_heaps(file: BufferedReader, path: Path) -> None:
    """Refuse heaps of text with an object of no size: libhdf5 would read it for ever."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(_HEAP)
        while start >= 0:
            begin = start + _HEAP_HEADER.size
            size = _HEAP_HEADER.unpack_from(content, start)[1] if begin <= len(content) else 0
            end = min(start + size, len(content))
            while begin + _HEAP_OBJECT.size <= end:
                number, _, _, size = _HEAP_OBJECT.unpack_from(content, begin)
                step = _HEAP_OBJECT.size + -(-size // 8) * 8 if number else size
                if not step:
                    raise ValueError(
                        f"an NWB file must be whole; the text at byte {begin} of {path} is "
                        "damaged; download or copy it again."
                    )
                begin += step
            start = content.find(_HEAP, start + len(_HEAP))


def _follow(parent: "h5py.Group", name: str) -> Any:
    import h5py

    if name not in parent and parent.get(name, getlink=True, default=None) is None:
        return None
    link = parent.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        raise ValueError(
            f"an NWB file must hold its own data; {parent.name}/{name} of {parent.file.filename} "
            f"links to another file, {shown(link.filename)}; export it without external links."
        )
    if isinstance(link, h5py.SoftLink):
        for end in range(1, len(parts := link.path.split("/")) + 1):
            _refuse_external(parent, "/".join(parts[:end]))
    return parent.get(name)


def _refuse_external(parent: "h5py.Group", path: str) -> None:
    """Refuse an external link on the way that a soft link points."""
    import h5py

    link = parent.get(path, getlink=True, default=None) if path not in ("", "/", ".") else None
    if not isinstance(link, h5py.HardLink | None):
        raise ValueError(
            f"links in an NWB file lead to its own data; {shown(path)} in "
            f"{parent.file.filename} is another link; export it without links."
        )


def _find_dataset(parent: "h5py.Group", name: str) -> "h5py.Dataset | None":
    import h5py

    dataset = _follow(parent, name)
    if not isinstance(dataset, h5py.Dataset):
        return None
    if dataset.is_virtual or dataset.external:
        raise ValueError(
            f"an NWB file must hold its own data; the values of {_where(dataset)} lie in another "
            "file; export it with its values."
        )
    return dataset


def _check_size(dataset: "h5py.Dataset", limit: int) -> None:
    n_bytes = math.prod(dataset.shape) * dataset.dtype.itemsize
    check_amount(_where(dataset), n_bytes, limit)
    stored = dataset.id.get_storage_size()
    if n_bytes > (stored * MAX_RATIO if dataset.chunks else stored):
        raise ValueError(
            f"an array must be filled; {_where(dataset)} announces {n_bytes} bytes of which the "
            f"file stores {stored}; download or export it again."
        )
    if dataset.chunks:
        chunk = math.prod(dataset.chunks) * dataset.dtype.itemsize
        check_amount(f"a chunk of {_where(dataset)}", chunk, MAX_CHUNK_BYTES)


def _is_text(dataset: "h5py.Dataset") -> bool:
    import h5py

    return dataset.dtype.kind == "S" or h5py.check_string_dtype(dataset.dtype) is not None


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _where(dataset: "h5py.Dataset") -> str:
    return f"{dataset.name} of {Path(str(dataset.file.filename)).name}"
