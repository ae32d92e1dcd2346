"""Pictures that need no download: scikit-learn's handwritten digits, drawn smoothly."""

import hashlib

import numpy as np
import pandas as pd
from PIL import Image

from phosphene.data.images import ImageSet

SHOWN_SHARE = 0.6
"""Share of each class that subjects see; judges are trained on the rest."""

MIDDLE, CONTRAST = 0.6, 1.5
"""The grey value that becomes medium, and the slope there: strokes get white and edges sharp."""


def digits_images(size: int = 32, *, seed: int = 0) -> ImageSet:
    """Return the 1,797 digits of scikit-learn as white strokes on black.

    Parameters
    ----------
    size
        Height and width in pixels. The originals have 8x8 pixels with values from 0 to 16.
    seed
        Draws which 60 % of each class are ``shown``.

    References
    ----------
    Alpaydin and Kaynak, 1998, https://doi.org/10.24432/C50P49
    """
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    labels = np.asarray(labels, dtype=np.int64)
    small = np.asarray(values).reshape(-1, 8, 8)
    pixels = np.stack([_enlarge(digit, size) for digit in small])[..., None]
    names = [f"digit_{index:04d}" for index in range(len(labels))]
    table = pd.DataFrame(
        {
            "image_id": names,
            "label": labels,
            "class_name": [str(label) for label in labels],
            "stimulus": names,
            "shown": draw_shown(labels, share=SHOWN_SHARE, seed=seed),
            "source": "sklearn.datasets.load_digits",
            "sha256": [hashlib.sha256(picture.tobytes()).hexdigest() for picture in pixels],
        }
    )
    return ImageSet(pixels=pixels, table=table)


def draw_shown(labels: np.ndarray, *, share: float, seed: int) -> np.ndarray:
    """Mark the same share of every class as shown (picture,), at least one picture of each."""
    rng = np.random.default_rng([seed, 3])
    shown = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        shown[members[: max(1, round(share * len(members)))]] = True
    return shown


def _enlarge(digit: np.ndarray, size: int) -> np.ndarray:
    """Interpolate (8, 8) values from 0 to 16 to (size, size) bytes."""
    framed = np.pad(digit / 16, 1).astype(np.float32)
    image = Image.fromarray(framed).resize((size, size), Image.Resampling.LANCZOS)
    smooth = np.asarray(image)
    sharp = 0.5 + CONTRAST * (smooth - MIDDLE)
    return (255 * np.clip(sharp, 0, 1)).round().astype(np.uint8)
