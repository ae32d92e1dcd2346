"""Grey pictures with the statistics of natural ones: objects that hide one another.

Natural pictures have amplitudes that fall like 1/f because they are made of objects of all sizes,
and edges because near objects hide far ones. The dead leaves model has both: opaque shapes with
radii drawn from r**-3, one on top of another (Lee, Mumford, Huang, Int. J. Computer Vision 41,
2001, https://doi.org/10.1023/A:1011109015675). Here leaves are ellipses, and every picture has a
taste of its own: how bright and how rich in contrast it is, and which way and how far its leaves
are stretched, as in pictures of grass or of horizons. Light falls from one side, and a faint 1/f
texture lies on everything.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

REFERENCE_HEIGHT = 918
"""Radii are given for pictures of this height, and scale with it."""
RADII = (8.0, 420.0)
"""Smallest and largest leaf in pixels."""
LAYERS = 5.0
"""How often the leaves would cover the picture; exp(-5) of it stays uncovered."""
CORNERS = 20
"""Of the polygon that stands for an ellipse."""
TEXTURE = 0.07
"""RMS of the texture, black to white being 1."""


def dead_leaves_picture(shape: tuple[int, int], *, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one grey picture (height, width).

    Parameters
    ----------
    shape
        Height and width in pixels.
    rng
        Draws the picture's taste, then its leaves.
    """
    height, width = shape
    brightness = rng.normal(0.45, 0.12)
    contrast = 0.24 * np.exp(0.45 * rng.standard_normal())
    direction, stretch = rng.uniform(0, np.pi), rng.gamma(2.0, 0.4)
    scale = height / REFERENCE_HEIGHT
    low, high = (max(1.0, radius * scale) for radius in RADII)
    # Areas of r**-3: the mean of r**2 is 2 log(high / low) / (low**-2 - high**-2).
    mean_area = np.pi * 2 * np.log(high / low) / (low**-2.0 - high**-2.0)
    n_leaves = int(LAYERS * height * width / mean_area) + 20
    radii = 1 / np.sqrt(rng.uniform(high**-2.0, low**-2.0, n_leaves))
    centres = rng.uniform((0, 0), (width, height), (n_leaves, 2))
    angles = direction + rng.normal(0, 0.35, n_leaves)
    ratios = np.exp(0.5 * np.clip(rng.normal(stretch, 0.4, n_leaves), 0, 2.5))
    greys = np.clip(brightness + contrast * rng.laplace(0, 0.8, n_leaves), 0, 1)

    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    along = (radii * ratios)[:, None] * np.cos(turn)
    across = (radii / ratios)[:, None] * np.sin(turn)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    corners = np.stack([along * cos - across * sin, along * sin + across * cos], axis=-1)
    corners = (corners + centres[:, None]).reshape(n_leaves, -1)

    canvas = Image.new("L", (width, height), int(255 * np.clip(brightness, 0, 1)))
    draw = ImageDraw.Draw(canvas)
    for corner, grey in zip(corners.tolist(), (255 * greys).astype(int).tolist(), strict=True):
        draw.polygon(corner, fill=grey)
    canvas = canvas.filter(ImageFilter.GaussianBlur(max(0.6, 1.2 * scale)))  # the eye's optics

    light = rng.normal(0, 0.1) * np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    leaves = np.asarray(canvas, dtype=np.float32) / 255
    lit = leaves + light + TEXTURE * _texture(shape, rng)
    return (255 * np.clip(lit, 0, 1)).round().astype(np.uint8)


def _texture(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw 1/f noise of unit variance, drawn at a quarter of the size and enlarged."""
    height, width = (max(8, -(-side // 4)) for side in shape)
    freqs = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    freqs[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / freqs
    small = np.fft.irfft2(spectrum, (height, width))
    small = (small / small.std()).astype(np.float32)
    picture = Image.fromarray(small).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(picture)
