"""What autoencoders make of held-out showings and pictures (LFPGAN thesis, figures 5.1 and 5.7)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Arrays
from phosphene.reporting.figures.signal_traces import Stack, trace_stacks
from phosphene.reporting.figures.system_colors import system_color
from phosphene.reporting.figures.themed_svg import png_address, shrink
from phosphene.reporting.number_text import value_text
from phosphene.reporting.signal_contents import REAL

MAX_SHOWINGS, MAX_PICTURES, PICTURE_HEIGHT = 4, 6, 160


@dataclass(frozen=True, kw_only=True)
class Reconstruction:
    """One held-out showing, real beside what the autoencoder gives back."""

    svg: Markup
    correlation: str
    """Of all samples of all channels of the window."""


@dataclass(frozen=True, kw_only=True)
class PicturePair:
    """A held-out picture and what the picture autoencoder gives back, as data addresses."""

    picture: str
    autoencoder: str


def signal_reconstructions(
    arrays: Arrays | None, *, sfreq: float | None, ch_names: Sequence[str]
) -> list[Reconstruction]:
    """Draw the first showings as they are stored, none before there are any."""
    if not arrays or REAL not in arrays or "autoencoder" not in arrays:
        return []
    real, made = arrays[REAL], arrays["autoencoder"]
    _check_pair(REAL, real, "autoencoder", made, n_axes=3)
    return [
        Reconstruction(
            svg=trace_stacks(
                [
                    Stack(signal=window, color=system_color(REAL), title="real"),
                    Stack(signal=copy, color=system_color("autoencoder"), title="autoencoder"),
                ],
                sfreq=sfreq,
                ch_names=ch_names,
                label="a held-out showing and its reconstruction",
            ),
            correlation=_correlation(window, copy),
        )
        for window, copy in zip(real[:MAX_SHOWINGS], made[:MAX_SHOWINGS], strict=True)
    ]


def _correlation(one: np.ndarray, other: np.ndarray) -> str:
    left, right = (part.astype(float).ravel() - part.mean(dtype=float) for part in (one, other))
    scale = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return value_text(float((left * right).sum()) / scale) if scale > 0 else ""


def picture_reconstructions(arrays: Arrays | None) -> list[PicturePair]:
    """Return the first pictures, shrunk to fit the page; none where no picture was encoded."""
    if not arrays or "picture" not in arrays or "picture_autoencoder" not in arrays:
        return []
    pictures, made = arrays["picture"], arrays["picture_autoencoder"]
    _check_pair("picture", pictures, "picture_autoencoder", made, n_axes=3)
    return [
        PicturePair(picture=grey_address(picture), autoencoder=grey_address(copy))
        for picture, copy in zip(pictures[:MAX_PICTURES], made[:MAX_PICTURES], strict=True)
    ]


def grey_address(picture: np.ndarray, height: int = PICTURE_HEIGHT) -> str:
    """Return a grey picture, uint8 (height, width), at most `height` high, as a data address."""
    return png_address(shrink(picture[..., None], height))


def _check_pair(
    name: str, array: np.ndarray, other_name: str, other: np.ndarray, *, n_axes: int
) -> None:
    if array.ndim != n_axes or array.shape != other.shape:
        raise ValueError(
            f"`{name}` and `{other_name}` of reconstructions.npz must have the same {n_axes} axes; "
            f"got {array.shape} and {other.shape}; score the run again with `phosphene evaluate`."
        )
