"""What visual cortex takes from a picture: oriented energy in a receptive field at its centre.

The local field potential sums many cells whose receptive fields lie side by side, so energies of
quadrature pairs of Gabor filters (Adelson and Bergen, J. Opt. Soc. Am. A 2, 1985) are pooled under
a Gaussian window, and orientations are divided by the energy of all (Heeger, Visual Neuroscience 9,
1992). Sizes are those of mouse V1: the picture spans 120 degrees, as on the Allen Institute's
monitor, and cells prefer 0.02 to 0.16 cycles per degree (Niell and Stryker, J. Neuroscience 28,
2008).
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FIELD_OF_VIEW = 120.0
"""Degrees of the visual field that a picture's width spans."""
FIELD_SD = 14.0
"""Standard deviation of the pooled receptive field in degrees."""
FREQUENCIES = (0.04, 0.08, 0.16)
"""Preferred spatial frequencies in cycles per degree, coarse to fine."""
N_ORIENTATIONS = 6
"""Preferred orientations, evenly from 0 (vertical bars) to 150 degrees, counter-clockwise."""
BANDWIDTH = 0.45
"""Standard deviation of a Gabor filter's spectrum as a share of its preferred frequency."""
HALF_SATURATION = 0.06
"""Energy at which the answer to contrast is half of its most (Naka and Rushton)."""
GRID_WIDTH = 160
"""Pictures are shrunk to this width before they are filtered: 0.75 degrees a pixel."""

FEATURES = (
    "contrast",
    "luminance",
    *(f"scale {frequency:g} c/deg" for frequency in FREQUENCIES),
    *(f"orientation {180 * index / N_ORIENTATIONS:g} deg" for index in range(N_ORIENTATIONS)),
)
"""Names of the columns of `picture_features`."""


def picture_features(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (feature,): how a grey picture (height, width) drives the cortex.

    Contrast saturates from 0 to 1, luminance goes from -1 to 1, and the energies of scales and of
    orientations are shares of the whole energy; a picture without contrast has shares of 0.
    """
    energy, luminance = oriented_energy(picture)
    total = energy.sum()
    shares = energy / total if total > 1e-9 else energy * 0  # beyond it there is only rounding
    contrast = total / (total + HALF_SATURATION)
    return np.concatenate([[contrast, luminance], shares.sum(1), shares.sum(0)])


def oriented_energy(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """Return energies (frequency, orientation) in the receptive field, and its luminance."""
    height, width = picture.shape
    size = (GRID_WIDTH, max(8, round(GRID_WIDTH * height / width)))
    small = Image.fromarray(picture).resize(size, Image.Resampling.BOX)
    light = np.asarray(small, dtype=np.float64) / 127.5 - 1
    step = FIELD_OF_VIEW / GRID_WIDTH
    window = _window(light.shape, step)
    luminance = float((window * light).sum())
    spectrum = np.fft.fft2(light - luminance)
    fy = np.fft.fftfreq(light.shape[0], step)[:, None]
    fx = np.fft.fftfreq(light.shape[1], step)
    energy = np.empty((len(FREQUENCIES), N_ORIENTATIONS))
    for row, frequency in enumerate(FREQUENCIES):
        for column in range(N_ORIENTATIONS):
            angle = np.pi * column / N_ORIENTATIONS
            away = (fx - frequency * np.cos(angle)) ** 2 + (fy + frequency * np.sin(angle)) ** 2
            gabor = np.exp(-0.5 * away / (BANDWIDTH * frequency) ** 2)  # one-sided: both phases
            answer = np.fft.ifft2(spectrum * gabor)
            energy[row, column] = (window * np.abs(answer) ** 2).sum()
    return energy, luminance


def _window(shape: tuple[int, ...], step: float) -> NDArray[np.float64]:
    """Return the receptive field (height, width), which sums to 1."""
    y, x = (step * (np.arange(n) - (n - 1) / 2) for n in shape)
    window = np.exp(-0.5 * (y[:, None] ** 2 + x**2) / FIELD_SD**2)
    return window / window.sum()
