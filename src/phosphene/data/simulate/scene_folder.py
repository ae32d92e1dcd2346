"""A folder of pictures to show to the simulated animal."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phosphene.data.formats.image_folder import SUFFIXES, natural_key, read_image_folder


def find_scenes(folder: Path) -> list[Path]:
    """Return the PNG and JPEG files of a folder, scene2 before scene10.

    Raises
    ------
    ValueError
        When there is no folder, or fewer than 2 pictures in it.
    """
    if not folder.is_dir():
        raise ValueError(
            f"pictures to show lie in a folder; {folder} is none; correct --images or leave it out."
        )
    files = [file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES]
    if len(files) < 2:
        raise ValueError(
            f"responses differ between at least 2 pictures; {folder} holds {len(files)} files in "
            f"{', '.join(SUFFIXES)}; add pictures or leave --images out."
        )
    return sorted(files, key=lambda file: natural_key(file.name))


def read_scenes(files: Sequence[Path], *, shape: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Read grey pictures one after another, cropped in the centre and resized to one shape.

    Parameters
    ----------
    files
        From `find_scenes`; each is read as a file that somebody else may have made.
    shape
        Height and width in pixels.
    """
    for file in files:
        pixels = read_image_folder(file, grey=True).pixels[0, :, :, 0]
        yield fit_shape(pixels, shape)


def fit_shape(picture: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Crop a grey picture (height, width) in its centre to a shape's aspect and resize it."""
    if picture.shape == shape:
        return picture
    height, width = picture.shape
    scale = min(height / shape[0], width / shape[1])
    high, wide = scale * shape[0], scale * shape[1]
    box = ((width - wide) / 2, (height - high) / 2, (width + wide) / 2, (height + high) / 2)
    resized = Image.fromarray(picture).resize(
        (shape[1], shape[0]), Image.Resampling.LANCZOS, box=box
    )
    return np.asarray(resized)
