"""Restoring without training a network: the nearest known picture, and two filters for noise."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Int, UInt8

from phosphene.evaluation.restoration.errors import Pixels, region_masks, squared_errors

TV_WEIGHTS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Strengths of total variation that are tried."""
NLM_WIDTHS = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Strengths of non-local means that are tried: how unlike patches may be, in grey values."""

Denoise = Callable[[Pixels, float], Pixels]


def nearest_pictures(
    corrupted: Pixels,
    missing: Bool[np.ndarray, "picture height width"],
    known: UInt8[np.ndarray, "known height width color"],
    *,
    block: int = 4096,
) -> Int[np.ndarray, " picture"]:
    """Return for each corrupted picture the row of the known one that is nearest where it is seen.

    Squared distance over the visible values, noise included; of equally near ones the first. By
    matrix products in blocks: memory is that of ``block`` pictures and their distances.
    """
    shape = (len(corrupted), -1)
    seen = np.repeat(~missing[..., None], corrupted.shape[3], axis=3).reshape(shape)
    columns = seen.any(0)  # those that nobody sees tell nothing
    seen = seen[:, columns]
    alike = bool(seen.all())
    shown = corrupted.reshape(shape)[:, columns].astype(np.float32) / 255 * seen
    best = np.full(len(corrupted), np.inf, dtype=np.float32)
    nearest = np.zeros(len(corrupted), dtype=np.int64)
    for start in range(0, len(known), block):
        some = known[start : start + block]
        values = some.reshape(len(some), -1)[:, columns].astype(np.float32) / 255
        squares = values**2
        for first in range(0, len(corrupted), block):
            rows = slice(first, first + block)
            lengths = squares.sum(1) if alike else seen[rows].astype(np.float32) @ squares.T
            distances = lengths - 2 * (shown[rows] @ values.T)
            place = distances.argmin(1)
            least = distances[np.arange(len(place)), place]
            better = least < best[rows]
            best[rows] = np.where(better, least, best[rows])
            nearest[rows] = np.where(better, start + place, nearest[rows])
    return nearest


def total_variation(corrupted: Pixels, weight: float) -> Pixels:
    """Remove noise by total variation (scikit-image); black places stay black.

    References
    ----------
    Chambolle, Journal of Mathematical Imaging and Vision 2004
    """
    from skimage.restoration import denoise_tv_chambolle

    return _each(
        corrupted, lambda picture: denoise_tv_chambolle(picture, weight=weight, channel_axis=-1)
    )


def nonlocal_means(corrupted: Pixels, width: float) -> Pixels:
    """Remove noise by non-local means over patches of 5 x 5 (scikit-image).

    References
    ----------
    Buades, Coll and Morel, CVPR 2005
    """
    from skimage.restoration import denoise_nl_means

    return _each(
        corrupted,
        lambda picture: denoise_nl_means(
            picture, patch_size=5, patch_distance=6, h=width, channel_axis=-1
        ),
    )


def choose_strength(
    denoise: Denoise,
    strengths: Sequence[float],
    *,
    original: Pixels,
    corrupted: Pixels,
) -> float:
    """Return the strength with the smallest error on pictures whose originals are known.

    They must be pictures that train.
    """
    whole = region_masks(np.zeros(original.shape[:3], dtype=bool))["whole"]
    errors = [
        squared_errors(original, denoise(corrupted, strength), whole).rmse for strength in strengths
    ]
    return float(strengths[int(np.argmin(errors))])


def _each(pixels: Pixels, denoise: Callable[[np.ndarray], np.ndarray]) -> Pixels:
    """Run a filter for one picture in [0, 1] on each."""
    found = np.empty_like(pixels)
    for row, picture in enumerate(pixels):
        restored = denoise(picture.astype(np.float32) / 255)
        rounded = (restored * 255).round().clip(0, 255).astype(np.uint8)
        found[row] = rounded.reshape(picture.shape)  # non-local means drops a colour axis of one
    return found
