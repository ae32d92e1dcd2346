"""Pictures of any size that somebody names, resized as a whole to what a network takes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from phosphene._checks.files import check_amount, read_bytes
from phosphene.data.formats.image_folder import (
    MAX_FILE_BYTES,
    MAX_TOTAL_BYTES,
    decode_picture,
    is_transparent,
    look_at_picture,
    on_white,
)
from phosphene.data.formats.picture_files import FORMATS, find_picture_files

GREY_MODES = ("1", "L", "LA", "La")
"""What Pillow calls pictures of one channel, with or without transparency."""
NAMES = {1: "grey (1 channel)", 3: "RGB (3 channels)"}
COLUMNS = ("picture", "file", "width", "height", "converted", "sha256")


@dataclass(frozen=True, eq=False)
class ResizedPictures:
    """Pictures of one size, and where each is from.

    Parameters
    ----------
    pixels
        ``(picture, height, width, color)`` uint8.
    table
        One row per picture: its number, ``file`` as it was named, its own ``width`` and ``height``
        in pixels, ``converted`` (what had to be done: "", or some of "from RGB", "from grey",
        "laid on white", "inverted", "resized", "stretched"), and the file's SHA-256.
    """

    pixels: np.ndarray
    table: pd.DataFrame


def read_resized_pictures(
    paths: Sequence[Path],
    *,
    size: tuple[int, int],
    color: int,
    convert: bool = False,
    invert: bool = False,
) -> ResizedPictures:
    """Read PNG, JPEG, TIFF and BMP files of any size as pictures of one size.

    A picture is resized as a whole, and stretched where its sides have another ratio: a crop would
    lose what is to be restored, and tiles of it would each lack what a network knows of whole
    pictures. Smaller pictures come from means over areas, so that those which were enlarged by a
    whole number come back as they were; larger ones by cubic interpolation. Pictures are turned as
    their EXIF orientation says; transparent places become white.

    Parameters
    ----------
    paths
        Files, and folders whose files are taken as `find_picture_files` says.
    size
        Rows and columns that are wanted.
    color
        Channels that are wanted: 1 (grey) or 3 (RGB).
    convert
        Make colored pictures grey (ITU-R 601 luma, 0.299 R + 0.587 G + 0.114 B), or grey ones RGB
        by repeating their channel, where the other is wanted; else they are refused.
    invert
        Turn dark into bright.

    Raises
    ------
    ValueError
        For what `find_picture_files` refuses, a file that is no picture or is damaged, animated
        files or several pictures in one, 16 bits per color, more than 50 million pixels, other
        channels than wanted, and more than 2 GiB in all.
    """
    files = find_picture_files(paths)
    n_bytes = len(files) * size[0] * size[1] * color
    check_amount("the resized pictures", n_bytes, MAX_TOTAL_BYTES)
    pixels = np.empty((len(files), *size, color), np.uint8)
    rows = []
    for number, file in enumerate(files):  # one is decoded at a time
        content = read_bytes(file, limit=MAX_FILE_BYTES)
        _, mode = look_at_picture(content, str(file), formats=FORMATS)
        found = 1 if mode in GREY_MODES else 3
        if found != color and not convert:
            raise _other_channels(file, found, color)
        steps = [] if found == color else [f"from {'grey' if found == 1 else 'RGB'}"]
        picture = decode_picture(content, str(file), formats=FORMATS)
        width, height = picture.size
        if is_transparent(picture):
            picture = on_white(picture)
            steps.append("laid on white")
        picture = picture.convert("L" if color == 1 else "RGB")
        if picture.size != (size[1], size[0]):
            steps.append("resized" if width * size[0] == height * size[1] else "stretched")
            picture = _resize(picture, size)
        pixels[number] = np.asarray(picture, dtype=np.uint8).reshape(*size, color)
        if invert:
            pixels[number] = 255 - pixels[number]
            steps.append("inverted")
        digest = hashlib.sha256(content).hexdigest()
        rows.append((number, str(file), width, height, ", ".join(steps), digest))
    return ResizedPictures(pixels, pd.DataFrame(rows, columns=list(COLUMNS)))


def _resize(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Average over areas, or interpolate where a side grows."""
    grows = picture.width < size[1] or picture.height < size[0]
    way = Image.Resampling.BICUBIC if grows else Image.Resampling.BOX
    return picture.resize((size[1], size[0]), way)


def _other_channels(file: Path, found: int, wanted: int) -> ValueError:
    result = "makes it grey" if wanted == 1 else "repeats its channel"
    return ValueError(
        f"pictures must have the channels that the model was trained on, {NAMES[wanted]}; {file} "
        f"is {NAMES[found]}; --convert {result}, or take a model that was trained on such pictures."
    )
