"""MATLAB files, of which EEGLAB's .set is one: their arrays, checked before they are loaded."""

from pathlib import Path
from typing import Any

from phosphene._checks.files import open_regular
from phosphene._checks.installation import pip_install
from phosphene.data.formats.mat_structure import check_arrays

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


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
        For what `check_arrays` refuses, and HDF5 that unpacks to more or refers to other files.
    """
    with open_regular(path) as file:
        head = file.read(520)
    if HDF5_MAGIC in (head[:8], head[512:520]):
        _check_hdf5(path, max_bytes)
        return
    check_arrays(path, max_bytes=max_bytes)


def _check_hdf5(path: Path, max_bytes: int) -> None:
    try:
        import h5py
    except ImportError:
        raise ValueError(
            f"a .set file of MATLAB 7.3 needs pymatreader; {path.name} is one; install it "
            f"with {pip_install('pymatreader')}, or save it as version 7 in EEGLAB."
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
