"""Pictures by their numbers: natural_scene_0.tiff is what an NWB file calls frame 0."""

import hashlib
import re
from collections.abc import Sequence
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
)
from phosphene.data.images import IMAGE_COLUMNS, ImageSet

SUFFIXES = (".tiff", ".tif", ".png")
FORMATS = ("TIFF", "PNG")


def read_scenes(folder: Path, stimuli: Sequence[str], *, class_name: str) -> ImageSet:
    """Read the pictures that were shown, grey and in their own size.

    Parameters
    ----------
    folder
        Files whose names end in the number of the picture: natural_scene_0.tiff (as the Allen
        Institute publishes them) and natural_scene_017.png alike. Hidden files and documents
        (LICENSE, README) are passed over.
    stimuli
        Names of what was shown, which end in the number too, as in natural_scene_017.
    class_name
        The one class of all pictures.

    Returns
    -------
    ImageSet
        One picture per stimulus, in order of their numbers. ``notes`` counts pictures that were
        not shown, which are left out, and those that were not grey.

    Raises
    ------
    ValueError
        When a picture is missing, a number occurs twice or is not the end of a name, a picture is
        damaged, transparent or too large, or sizes differ.
    """
    folder = Path(folder)
    files = _find(folder)
    wanted = {_number(name): name for name in sorted(set(stimuli), key=_number)}
    missing = [name for number, name in wanted.items() if number not in files]
    if missing:
        raise ValueError(
            f"each picture shown needs its file; {folder} lacks {len(missing)} of {len(wanted)}, "
            f"the first for {missing[0]} ({missing[0]}{SUFFIXES[0]}); add it or correct --images."
        )
    pixels: np.ndarray | None = None
    digests, colored = [], []
    for row, number in enumerate(wanted):
        file = files[number]
        content = read_bytes(file, limit=MAX_FILE_BYTES)
        _, mode = look_at_picture(content, file.name, formats=FORMATS)
        picture = decode_picture(content, file.name, formats=FORMATS)
        if is_transparent(picture):
            raise ValueError(
                f"what was shown has no transparent places; {file.name} has; lay it on the color "
                "that the screen had."
            )
        grey = np.asarray(picture.convert("L"), dtype=np.uint8)
        if pixels is None:
            check_amount(f"the pictures of {folder.name}", len(wanted) * grey.size, MAX_TOTAL_BYTES)
            pixels = np.empty((len(wanted), *grey.shape, 1), np.uint8)
        if grey.shape != pixels.shape[1:3]:
            first = files[next(iter(wanted))].name
            raise ValueError(
                f"pictures must be of one size; {first} is {pixels.shape[2]} x {pixels.shape[1]} "
                f"pixels (width x height), {file.name} is {grey.shape[1]} x {grey.shape[0]}; "
                "put there what was shown on the screen."
            )
        pixels[row, :, :, 0] = grey
        colored += [file.name] if mode not in ("1", "L") else []
        digests.append(hashlib.sha256(content).hexdigest())
    if pixels is None:
        raise ValueError("pictures need a showing; got none; import the session that shows them.")
    notes = []
    if len(files) > len(wanted):
        notes.append(f"{len(files) - len(wanted)} that were not shown were left out")
    if colored:
        notes.append(f"{len(colored)} were not grey and became so ({colored[0]})")
    names = list(wanted.values())
    table = pd.DataFrame(
        {
            "image_id": [files[number].name for number in wanted],
            "label": 0,
            "class_name": class_name,
            "stimulus": names,
            "shown": True,
            "source": [files[number].name for number in wanted],
            "sha256": digests,
        }
    ).astype(IMAGE_COLUMNS)
    return ImageSet(pixels, table, (class_name,), tuple(notes))


def _find(folder: Path) -> dict[int, Path]:
    """Return the picture files of a folder by their numbers."""
    if not folder.is_dir():
        raise ValueError(
            f"the pictures lie in a folder; there is none at {folder}; correct --images."
        )
    files: dict[int, Path] = {}
    for file in sorted(folder.iterdir()):
        check_name(Path(file.name))
        if file.name.startswith(".") or file.is_dir():
            continue
        if DOCUMENTS.fullmatch(file.name) and file.suffix.lower() not in SUFFIXES:
            continue
        inside(folder, file.name)
        if file.suffix.lower() not in SUFFIXES or not re.search(r"\d{1,9}$", file.stem, re.ASCII):
            raise ValueError(
                f"names of pictures end in their number and {', '.join(SUFFIXES)}; {folder.name} "
                f"holds {file.name}; rename it as in natural_scene_17.png, or move it away."
            )
        number = _number(file.stem)
        if number in files:
            raise ValueError(
                f"each picture has a number of its own; {files[number].name} and {file.name} are "
                f"both {number}; move one away."
            )
        files[number] = file
    return files


def _number(name: str) -> int:
    found = re.search(r"\d{1,9}$", name, re.ASCII)
    if found is None:
        raise ValueError(f"names of stimuli end in a number; got '{name}'; rename it.")
    return int(found.group())
