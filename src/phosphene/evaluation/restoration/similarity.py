"""Structural similarity, pixel by pixel."""

import numpy as np
from jaxtyping import Float

from phosphene.evaluation.restoration.errors import Pixels

WINDOW = 11
"""Rows and columns of the Gaussian window, of standard deviation 1.5."""


def similarity_maps(
    original: Pixels, restored: Pixels, *, batch_size: int = 1000
) -> Float[np.ndarray, "picture height width"]:
    """Return the structural similarity around each pixel, mean over colours.

    The index of Wang et al. with their window and constants, by torchmetrics. At borders the
    picture is mirrored, so that every pixel has a value and regions can be scored: the mean over a
    whole picture is not that of programs which leave a margin of 5 pixels out.

    Raises
    ------
    ValueError
        For pictures with fewer than 6 rows or columns.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli, IEEE Transactions on Image Processing 2004
    """
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    if min(original.shape[1:3]) <= WINDOW // 2:
        raise ValueError(
            f"structural similarity needs pictures of {WINDOW // 2 + 1} rows and columns or more; "
            f"got {original.shape[1]} x {original.shape[2]}. Enlarge them."
        )
    found = []
    for first in range(0, len(original), batch_size):
        some = slice(first, first + batch_size)
        one, other = (
            torch.from_numpy(np.ascontiguousarray(pixels[some].transpose(0, 3, 1, 2))).float() / 255
            for pixels in (restored, original)
        )
        _, maps = structural_similarity_index_measure(
            one, other, data_range=1.0, return_full_image=True, reduction="none"
        )
        found.append(maps.mean(1).numpy().astype(np.float64))
    return np.concatenate(found)
