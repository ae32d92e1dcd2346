"""The files that belong to a recording: all of them must lie where the recording lies."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

MAX_HEADER_BYTES = 16 << 20
HEADER_SUFFIXES = (".vhdr", ".ahdr")
_BLOCK = 1 << 20


def check_companions(path: Path, found: Sequence[Path] = ()) -> list[Path]:
    """Return the files of a recording, itself first, or refuse one that lies elsewhere.

    Parameters
    ----------
    path
        A file, or a folder that is one recording (.mff, .ds).
    found
        Further files that a reader says belong to it.

    Raises
    ------
    ValueError
        When a companion lies outside the recording's folder, by its name or through a symbolic
        link, or when a BrainVision header names a file that is not there.
    """
    path = Path(path)
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() or p.is_symlink())
        for file in inside:
            _check_inside(file, path.resolve(), path.name)
        return inside
    named = _named_by_header(path) if path.suffix.lower() in HEADER_SUFFIXES else []
    files = {path.resolve(): path}
    for file in [*named, *found]:
        if file.resolve() == path.resolve():
            continue
        _check_inside(file, path.resolve().parent, path.name)
        files.setdefault(file.resolve(), file)
    return [path, *sorted((f for f in files.values() if f != path), key=lambda file: file.name)]


def hash_files(files: Sequence[Path]) -> str:
    """Return the SHA-256 of the bytes of all files, one after the other."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _check_inside(file: Path, folder: Path, name: str) -> None:
    if not file.resolve().is_relative_to(folder):
        raise ValueError(
            f"the files of a recording lie in its own folder; {name} refers to {file.name} outside "
            f"it{' through a symbolic link' if file.is_symlink() else ''}; copy the file there."
        )


def _named_by_header(path: Path) -> list[Path]:
    """Return the data and marker file that a BrainVision header names."""
    size = path.stat().st_size
    if size > MAX_HEADER_BYTES:
        raise ValueError(
            f"a BrainVision header is a short text; {path.name} has {size} bytes; name the .vhdr."
        )
    text = path.read_bytes().decode("utf-8", errors="replace")
    files = []
    for kind in ("DataFile", "MarkerFile"):
        entry = re.search(
            rf"^[ \t]*{kind}[ \t]*=[ \t]*(.*?)\s*$", text, re.MULTILINE | re.IGNORECASE
        )
        name = entry.group(1).replace("$b", path.stem) if entry else ""
        if not name:
            if kind == "MarkerFile":
                continue
            raise ValueError(
                f"a BrainVision header names its data file; {path.name} has no DataFile=; export "
                f"it again."
            )
        if re.search(r"[/\\\x00]", name) or name in (".", ".."):
            raise ValueError(
                f"the files of a recording lie in its own folder; {path.name} refers to "
                f"{name[:80]!r}; copy the file there and write its plain name into the header."
            )
        file = path.parent / name
        if not file.is_file():
            raise ValueError(
                f"a BrainVision recording is three files; {path.name} names {name}, which is not "
                f"beside it; copy it there (renamed files need their new name in the header)."
            )
        files.append(file)
    return files
