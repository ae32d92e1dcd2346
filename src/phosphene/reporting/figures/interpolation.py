"""Pictures along straight lines between classes, for features trained in different ways."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Arrays
from phosphene.reporting.figures.picture_grid import strip
from phosphene.reporting.figures.themed_svg import png_address

WIDTH, NAME_WIDTH, GAP, HEAD, BARS = 1040.0, 104.0, 22.0, 30.0, 18.0
MAX_PATHS, MAX_TILES, MAX_TILE, TILE_PIXELS = 12, 11, 64, 48
LONGEST_NAME = 12


@dataclass(frozen=True, kw_only=True)
class Interpolation:
    """The drawn paths and what a caption needs."""

    svg: Markup
    spaces: tuple[str, ...]
    """Names of the kinds of features, from left to right."""
    n_drawn: int
    n_paths: int
    n_tiles: int
    """Pictures drawn of each path."""
    n_points: int
    has_bars: bool
    """Whether the change of each step is drawn."""


def interpolation_figure(arrays: Arrays, classes: Sequence[str]) -> Interpolation | None:
    """Draw paths below each other, one column for each kind of features; None if there are none.

    Paths are taken at equal distances in their stored order, and so are the points of a path, both
    ends among them: nothing is chosen by how well it came out.

    Parameters
    ----------
    arrays
        `pairs`, integers (path, 2): the classes at both ends. Every uint8 array (path, point,
        height, width, color) is a kind of features, its key its name: "softmax", "triplet".
        `softmax_steps`, floats (path, step), may hold how much a judge sees change at each step;
        it is drawn as bars, all to the same scale, as shares of what changes along the path.
    classes
        Names of the classes; a number stands for a class without one.
    """
    if "pairs" not in arrays:
        return None
    pairs = arrays["pairs"]
    spaces = {
        key: pictures
        for key, pictures in arrays.items()
        if pictures.dtype == np.uint8 and pictures.ndim == 5 and len(pictures) == len(pairs) > 0
    }
    if not spaces:
        return None
    n_points = min(pictures.shape[1] for pictures in spaces.values())
    paths = _spread(len(pairs), MAX_PATHS)
    shares = {key: _shares(arrays.get(f"{key}_steps"), len(pairs)) for key in spaces}
    highest = max((share[paths].max() for share in shares.values() if share is not None), default=0)
    layout = _Layout(len(spaces), n_tiles=min(MAX_TILES, n_points), has_bars=bool(highest))
    marks = Markup()
    for column, key in enumerate(spaces):
        name = key.replace("_", " ")
        marks += _text(
            layout.left(column) + layout.strip / 2, 16.0, name, "middle", color="--muted"
        )
    for row, path in enumerate(paths):
        start, end = (_name(classes, int(label)) for label in pairs[path])
        middle = layout.top(row) + layout.tile / 2 + 5
        marks += _text(layout.left(0) - 10, middle, start, "end")
        marks += _text(layout.right + 10, middle, end, "start")
        for column, (key, pictures) in enumerate(spaces.items()):
            x, y = layout.left(column), layout.top(row)
            marks += _pictures(pictures[path], x, y, layout, title=f"{key}: {start} to {end}")
            share = shares[key]
            if share is not None and highest:
                marks += _bars(share[path] / highest, x, y + layout.tile, layout)
    return Interpolation(
        svg=_svg(marks, height=layout.top(len(paths))),
        spaces=tuple(spaces),
        n_drawn=len(paths),
        n_paths=len(pairs),
        n_tiles=layout.n_tiles,
        n_points=n_points,
        has_bars=layout.has_bars,
    )


class _Layout:
    """Where things stand, in CSS pixels."""

    def __init__(self, n_columns: int, *, n_tiles: int, has_bars: bool) -> None:
        room = WIDTH - 2 * NAME_WIDTH - (n_columns - 1) * GAP
        self.n_tiles, self.has_bars = n_tiles, has_bars
        self.tile = min(MAX_TILE, room / n_columns / n_tiles)
        self.strip = self.tile * n_tiles
        self.pitch = room / n_columns + GAP
        self.right = self.left(n_columns - 1) + self.strip

    def left(self, column: int) -> float:
        return NAME_WIDTH + column * self.pitch + (self.pitch - GAP - self.strip) / 2

    def top(self, row: int) -> float:
        return HEAD + row * (self.tile + BARS * self.has_bars + 10)


def _spread(n: int, n_wanted: int) -> np.ndarray:
    """Return at most so many of n places, at equal distances, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, n_wanted)).round().astype(int))


def _shares(steps: np.ndarray | None, n_paths: int) -> np.ndarray | None:
    """Return how much of a path's change each step is; zeros for a path without any."""
    if steps is None or steps.ndim != 2 or len(steps) != n_paths or not steps.shape[1]:
        return None
    whole = steps.sum(axis=1, keepdims=True)
    return np.divide(steps, whole, out=np.zeros(steps.shape), where=whole > 0)


def _name(classes: Sequence[str], label: int) -> str:
    return classes[label] if 0 <= label < len(classes) else str(label)


def _pictures(pictures: np.ndarray, x: float, y: float, layout: _Layout, *, title: str) -> Markup:
    shown = pictures[_spread(len(pictures), layout.n_tiles)]
    return Markup(
        '<image x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" preserveAspectRatio="none" '
        'class="{}" href="{}"><title>{}</title></image>'
    ).format(
        x,
        y,
        layout.strip,
        layout.tile,
        "pixelated" if pictures.shape[1] <= 64 else "smooth",
        png_address(strip(shown, TILE_PIXELS)),
        title,
    )


def _bars(heights: np.ndarray, x: float, y: float, layout: _Layout) -> Markup:
    """Draw the change of each step between the middles of its two pictures, 1 the highest."""
    step = (layout.strip - layout.tile) / len(heights)
    bottom = y + BARS - 2
    parts = [
        f"M{x + layout.tile / 2 + i * step + 0.5:.1f} {bottom:.1f}"
        f"v{-(BARS - 4) * height:.1f}h{step - 1:.1f}V{bottom:.1f}z"
        for i, height in enumerate(heights.tolist())
        if height > 0
    ]
    return Markup('<path d="{}" fill="var(--accent)"/>').format("".join(parts))


def _text(x: float, y: float, text: str, anchor: str, *, color: str = "--ink") -> Markup:
    short = text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
    return Markup(
        '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="13" fill="var({})">{}'
        "<title>{}</title></text>"
    ).format(x, y, anchor, color, short, text)


def _svg(marks: Markup, *, height: float) -> Markup:
    head = Markup(
        '<svg class="plot" role="img" aria-label="Pictures along lines between classes" '
        'viewBox="0 0 {:g} {:.0f}" style="max-width:{:g}px" xmlns="http://www.w3.org/2000/svg">'
    ).format(WIDTH, height, WIDTH)
    return head + marks + Markup("</svg>")
