"""Pictures as networks of LFP see them: shrunk by area averaging, in [-1, 1]."""

import numpy as np
from jaxtyping import Float, UInt8

from phosphene import _checks


def scale_pictures(
    pixels: UInt8[np.ndarray, "picture height width color"], size: tuple[int, int]
) -> Float[np.ndarray, "picture 1 row column"]:
    """Shrink grey pictures by a whole factor and scale them to [-1, 1].

    Each new pixel is the mean of a square of old ones. What is left over of the last square, less
    than one new pixel, is cut off half on each side: 918 x 1174 shrunk by 17 is 54 x 69 and loses
    one column.

    Parameters
    ----------
    pixels
        Grey pictures.
    size
        Rows and columns that are wanted; those of the pictures leave them as they are.

    Raises
    ------
    ValueError
        When pictures are in color, or no whole factor leads to the size.
    """
    height, width, color = pixels.shape[1:]
    if color != 1:
        raise ValueError(
            f"pictures must be grey; got {color} colors. Import them again with --grey."
        )
    _checks.check_at_least("rows", size[0], 1)
    _checks.check_at_least("columns", size[1], 1)
    factor = height // size[0]
    if factor < 1 or (height // factor, width // factor) != tuple(size):
        raise ValueError(
            f"pictures are shrunk by a whole factor; {height} x {width} pixels give no "
            f"{size[0]} x {size[1]}. Choose another --picture-size, or pictures of another size."
        )
    top, left = (height - factor * size[0]) // 2, (width - factor * size[1]) // 2
    shrunk = np.empty((len(pixels), 1, *size), dtype=np.float32)
    for number, picture in enumerate(pixels):  # one at a time: those as published are large
        part = picture[top : top + factor * size[0], left : left + factor * size[1], 0]
        tiles = part.reshape(size[0], factor, size[1], factor)
        shrunk[number, 0] = tiles.mean((1, 3), dtype=np.float64) / 127.5 - 1
    return shrunk
