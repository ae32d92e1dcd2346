"""Pictures that somebody names one by one or by folder: found, and read as grey of one size."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from phosphene._checks.files import check_amount, check_name, inside, read_bytes
from phosphene.data.formats.image_folder import (
    DOCUMENTS,
    MAX_FILE_BYTES,
    MAX_TOTAL_BYTES,
    decode_picture,
    is_transparent,
    look_at_picture,
    natural_key,
    on_white,
)

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
COLUMNS = ("picture", "file", "converted", "sha256")


@dataclass(frozen=True, eq=False)
class GreyPictures:
    """Grey pictures of one size, and where each is from.

    Parameters
    ----------
    pixels
        ``(picture, height, width)`` uint8.
    table
        One row per picture: its number, ``file`` as it was named, ``converted`` (what had to be
        done: "" or "from RGB", "laid on white"), and the file's SHA-256.
    """

    pixels: np.ndarray
    table: pd.DataFrame


def read_picture_files(paths: Sequence[Path], *, size: tuple[int, int]) -> GreyPictures:
    """Read PNG, JPEG, TIFF and BMP files as grey pictures of one size.

    Colors become grey by ITU-R 601 luma, 0.299 R + 0.587 G + 0.114 B; transparent places become
    white; pictures are turned as their EXIF orientation says. Nothing is resized: a network answers
    to the field of view that it was trained on.

    Parameters
    ----------
    paths
        Files, and folders whose files are taken in natural order of their names, without those in
        sub-folders. Documents (LICENSE, README) and hidden files in folders are passed over.
    size
        Rows and columns that every picture must have.

    Raises
    ------
    ValueError
        For nothing at a path, a folder without pictures, a file that is no picture or is damaged,
        16 bits per color, several pictures in a file, another size, more than 50 million pixels or
        2 GiB in all, the same file twice, and links that lead out of their folder.
    """
    files = find_picture_files(paths)
    check_amount("the pictures", len(files) * size[0] * size[1], MAX_TOTAL_BYTES)
    pixels = np.empty((len(files), *size), np.uint8)
    rows = []
    for number, file in enumerate(files):
        content = read_bytes(file, limit=MAX_FILE_BYTES)
        (width, height), mode = look_at_picture(content, str(file), formats=FORMATS)
        if sorted((height, width)) != sorted(size):  # EXIF may still turn it
            raise _other_size(file, (height, width), size)
        picture = decode_picture(content, str(file), formats=FORMATS)
        steps = [] if mode in ("1", "L", "LA") else [f"from {mode}"]
        if is_transparent(picture):
            picture = on_white(picture)
            steps.append("laid on white")
        grey = np.asarray(picture.convert("L"), dtype=np.uint8)
        if grey.shape != size:
            raise _other_size(file, grey.shape, size)
        pixels[number] = grey
        digest = hashlib.sha256(content).hexdigest()
        rows.append((number, str(file), ", ".join(steps), digest))
    return GreyPictures(pixels, pd.DataFrame(rows, columns=list(COLUMNS)))


def find_picture_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files at paths, those of folders in natural order of their names.

    Parameters
    ----------
    paths
        Files, and folders; sub-folders, documents (LICENSE, README) and hidden files in folders are
        passed over.

    Raises
    ------
    ValueError
        For nothing at a path, a folder without pictures, a file of another kind by its name, the
        same file twice, and links that lead out of their folder.
    """
    files = [file for path in paths for file in _find(Path(path))]
    if not files:
        raise ValueError("pictures need at least one file; got none; name files or a folder.")
    file, n_times = Counter(files).most_common(1)[0]
    if n_times > 1:
        raise ValueError(f"each picture is named once; {file} comes {n_times} times; name it once.")
    return files


def _find(path: Path) -> list[Path]:
    """Return a file, or the picture files of a folder in natural order."""
    if not path.is_dir():
        check_name(Path(path.name))
        if not path.exists():
            raise ValueError(
                f"pictures must be files or folders of them; there is nothing at {path}; correct "
                "the path."
            )
        _check_suffix(path)
        return [path]
    files = []
    for file in sorted(path.iterdir(), key=lambda file: natural_key(file.name)):
        check_name(Path(file.name))
        if file.name.startswith("."):
            continue
        inside(path, file.name)
        is_document = DOCUMENTS.fullmatch(file.name) and file.suffix.lower() not in SUFFIXES
        if file.is_dir() or is_document:
            continue
        _check_suffix(file)
        files.append(file)
    if not files:
        raise ValueError(
            f"a folder of pictures holds {', '.join(SUFFIXES)} files; {path} holds none; correct "
            "the path, or name its sub-folders one by one."
        )
    return files


def _check_suffix(file: Path) -> None:
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"pictures are {', '.join(SUFFIXES)} files; got {file}; move it away, convert it, or "
            "name the pictures one by one."
        )


def _other_size(file: Path, found: tuple[int, ...], size: tuple[int, int]) -> ValueError:
    return ValueError(
        f"pictures must be {size[1]} x {size[0]} pixels (width x height), as those of the training;"
        f" {file} is {found[1]} x {found[0]}; crop it to that shape and resize it, so that it shows"
        " what the animal would have seen on the same screen."
    )
