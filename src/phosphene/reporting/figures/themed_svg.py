"""Draw with matplotlib, embed as SVG that follows the page's colours and fonts.

Class and channel names never pass through matplotlib: they come from files, may hold any script
or markup, and are written by the template or by `text_mark`, which escape them.
"""

import base64
import io
import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from phosphene.reporting.figures.palette import MUTED, RULE, VARIABLES, css_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FONT = re.compile(r"font-family: [^;\"]*")
_GROUP_ID = re.compile(r'<g id="[^"]*"')
_DATED = re.compile(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_HEAD = re.compile(r"<svg [^>]*>")
_NUMBER = re.compile(r'(?<=[ "\n(-])(\d+\.\d{2})\d+(?=[ "\n)])')  # in tags, not in labels


def new_axes(*, width: int, height: int, grid: str = "y") -> "tuple[Figure, Axes]":
    """Return a quiet figure of `width` by `height` CSS pixels with one axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.tick_params(colors=MUTED, labelsize=11, length=0, pad=5)
    axes.xaxis.label.set(color=MUTED, size=11)
    axes.yaxis.label.set(color=MUTED, size=11)
    if grid:
        axes.grid(axis=grid, color=RULE, linewidth=0.8)  # pyright: ignore[reportArgumentType]
        axes.set_axisbelow(True)
    return figure, axes


def to_svg(figure: "Figure", *, key: str, label: str, marks: Markup | None = None) -> Markup:
    """Return the figure as one inline `<svg>`.

    Parameters
    ----------
    figure
        What `new_axes` gave.
    key
        Letters that no other figure of the page uses; identifiers inside the SVG start with it.
    label
        What a screen reader says.
    marks
        SVG drawn on top, in the figure's pixels with y downwards.
    """
    import matplotlib

    buffer = io.StringIO()
    with (
        matplotlib.rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": key, "text.parse_math": False}
        ),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UserWarning)  # glyphs are the browser's business
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = _GROUP_ID.sub("<g", _DATED.sub("", svg))
    svg = _FONT.sub("font-family: inherit", svg)
    svg = _NUMBER.sub(r"\1", svg)
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{key}-", svg)
    for color, variable in VARIABLES.items():
        svg = svg.replace(color, variable)
    width, height = figure.get_size_inches() * 72
    head = Markup(
        '<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {:g} {:g}" '
        'style="max-width:{:g}px" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    ).format(label, width, height, width)
    body = _HEAD.sub("", svg, count=1).rstrip().removesuffix("</svg>")
    return head + Markup(body) + (marks or Markup()) + Markup("</svg>")


def pixel_positions(figure: "Figure", axes: "Axes", points: np.ndarray) -> np.ndarray:
    """Return data points `(n, 2)` in the figure's pixels, y downwards, after the layout is done."""
    figure.draw_without_rendering()
    pixels = axes.transData.transform(points)
    pixels[:, 1] = figure.get_size_inches()[1] * figure.dpi - pixels[:, 1]
    return pixels


def text_mark(x: float, y: float, text: str) -> Markup:
    """Return a centred bold label with a halo in the colour of the card."""
    return Markup('<text class="mark" x="{:.1f}" y="{:.1f}">{}</text>').format(x, y, text)


def picture_mark(
    x: float, y: float, pixels: np.ndarray, *, size: float, color: str, title: str
) -> Markup:
    """Return a framed picture centred on a point; `pixels` is uint8 `(height, width, color)`."""
    left, top = x - size / 2, y - size / 2
    return Markup(
        '<g><title>{}</title><image x="{:.1f}" y="{:.1f}" width="{:g}" height="{:g}" '
        'preserveAspectRatio="none" class="{}" href="{}"/><rect x="{:.1f}" y="{:.1f}" '
        'width="{:g}" height="{:g}" rx="2" fill="none" stroke="{}" stroke-width="2.5"/></g>'
    ).format(
        title,
        left,
        top,
        size,
        size,
        "pixelated" if pixels.shape[0] <= 64 else "smooth",
        png_address(shrink(pixels, 72)),
        left - 1,
        top - 1,
        size + 2,
        size + 2,
        css_color(color),
    )


def shrink(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return a uint8 picture `(height, width, color)` at most `size` high, averaged to fit."""
    from PIL import Image

    height, width, color = pixels.shape
    if height <= size:
        return pixels
    flat = Image.fromarray(pixels[..., 0] if color == 1 else pixels)
    small = flat.resize((max(1, round(width * size / height)), size), Image.Resampling.BOX)
    return np.asarray(small).reshape(size, -1, color)


def png_address(pixels: np.ndarray) -> str:
    """Return a picture, uint8 `(height, width, color)` with 1 or 3 colours, as a data address."""
    from PIL import Image

    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or str(pixels.dtype) != "uint8":
        raise ValueError(
            "a picture must be uint8 (height, width, 1 or 3); "
            f"got {pixels.dtype} {pixels.shape}. Convert it where the run folder is written."
        )
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
