"""Small line panels as compact SVG: hundreds of them fit a page, where matplotlib's would not.

Points are whole tenths of a pixel, each written as the step from the one before. What leaves the
range is cut at the frame. All text is escaped, so that channel names may stand in a panel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.figures.intervals import nice_step
from phosphene.reporting.figures.palette import MUTED, RULE, css_color

TENTHS = 10


@dataclass(frozen=True, kw_only=True)
class Range:
    """Values that an axis shows, `low` < `high`; with `log` both above 0."""

    low: float
    high: float
    log: bool = False

    def share(self, values: np.ndarray) -> np.ndarray:
        """Return places from 0 to 1; what lies outside the range goes beyond them."""
        low, high = (math.log10(end) if self.log else end for end in (self.low, self.high))
        values = np.asarray(values, float)
        if self.log:
            values = np.log10(np.maximum(values, 1e-30))
        return np.asarray((values - low) / (high - low))

    def ticks(self, n_ticks: int) -> list[tuple[float, str]]:
        """Return round values with their text: powers of ten, or about `n_ticks` even ones."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            powers = range(first, last + 1, max(1, math.ceil((last - first + 1) / n_ticks)))
            return [(10.0**power, _power_text(power)) for power in powers]
        step = nice_step((self.high - self.low) / n_ticks)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        numbers = [index * step for index in range(first, last + 1)]
        return [(number, f"{number:g}".replace("-", "−")) for number in numbers]


def _power_text(power: int) -> str:
    return f"{10.0**power:g}" if -3 <= power <= 4 else f"1e{power}".replace("-", "−")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve."""

    y: np.ndarray
    color: str
    width: float = 1.2
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Band:
    """The area between two curves."""

    low: np.ndarray
    high: np.ndarray
    color: str
    opacity: float = 0.2


def line_panel(
    x: np.ndarray,
    curves: Sequence[Line | Band],
    *,
    x_range: Range,
    y_range: Range,
    label: str,
    size: tuple[int, int] = (250, 165),
    x_label: str = "",
    y_label: str = "",
    bare: bool = False,
) -> Markup:
    """Return curves over `x` in one frame.

    Parameters
    ----------
    x
        Places of the points, in ascending order.
    curves
        Drawn in this order.
    x_range, y_range
        What the axes show.
    label
        What a screen reader says.
    size
        Width and height in CSS pixels, numbers of the axes included.
    x_label, y_label
        Quantity and unit; drawn outside the frame.
    bare
        Leave out the numbers: for many small panels with one explanation.
    """
    width, height = (float(length) for length in size)
    left, top, right, bottom = (2.0,) * 4 if bare else (48.0, 6.0, 8.0, 34.0 if x_label else 20.0)
    inner = width - left - right, height - top - bottom
    at_x = x_range.share(x) * inner[0]
    marks = Markup()
    for curve in curves:
        if isinstance(curve, Line):
            marks += curve_path(at_x, _down(curve.y, y_range, inner[1]), curve)
        else:
            high, low = (_down(end, y_range, inner[1]) for end in (curve.high, curve.low))
            marks += _band_path(at_x, high, low, curve)
    frame = _frame(inner, left, top, x_range, y_range, x_label, y_label, bare=bare)
    return svg_open(width, height, label) + frame + window(left, top, *inner, marks) + _CLOSE


_CLOSE = Markup("</svg>")


def svg_open(width: float, height: float, label: str) -> Markup:
    """Return the start tag of a picture of the page; "</svg>" closes it."""
    return Markup(
        '<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {:g} {:g}" '
        'style="max-width:{:g}px" xmlns="http://www.w3.org/2000/svg">'
    ).format(label, width, height, width)


def window(left: float, top: float, width: float, height: float, marks: Markup) -> Markup:
    """Return paths in a frame that cuts what leaves it."""
    return Markup(
        '<svg x="{:g}" y="{:g}" width="{:g}" height="{:g}" viewBox="0 0 {:g} {:g}" '
        'preserveAspectRatio="none" overflow="hidden" fill="none">{}</svg>'
    ).format(left, top, width, height, width * TENTHS, height * TENTHS, marks)


def text(x: float, y: float, words: str, *, anchor: str = "middle") -> Markup:
    """Return small muted text."""
    return Markup(
        '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="11" fill="{}">{}</text>'
    ).format(x, y, anchor, css_color(MUTED), words)


def curve_path(x: np.ndarray, y: np.ndarray, line: Line) -> Markup:
    """Return a curve through points in pixels; it is broken where a value is not finite."""
    return Markup('<path d="{}" stroke="{}" stroke-width="{:g}"{}/>').format(
        steps(x, y), css_color(line.color), line.width * TENTHS, _opacity("stroke", line.opacity)
    )


def _band_path(x: np.ndarray, high: np.ndarray, low: np.ndarray, band: Band) -> Markup:
    around = steps(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]))
    return Markup('<path d="{}z" fill="{}"{}/>').format(
        around, css_color(band.color), _opacity("fill", band.opacity)
    )


def _opacity(kind: str, value: float) -> Markup:
    return Markup("") if value == 1 else Markup(' {}-opacity="{:g}"').format(kind, value)


def steps(x: np.ndarray, y: np.ndarray) -> str:
    """Return path data from pixels: tenths, each point as the step from the one before."""
    points = np.stack([x, y], axis=1) * TENTHS
    finite = np.asarray(np.isfinite(points).all(axis=1))
    points = np.where(finite[:, None], np.clip(np.nan_to_num(points), -99_999, 99_999), 0)
    whole = np.rint(points).astype(int)
    breaks = np.flatnonzero(np.diff(np.concatenate([[False], finite, [False]]).astype(int)))
    pieces = []
    for first, stop in zip(breaks[::2], breaks[1::2], strict=True):
        piece = whole[first:stop]
        moves = np.diff(piece, axis=0).ravel().tolist()
        words = "".join(f" {move}" if move >= 0 else str(move) for move in moves)
        pieces.append(f"M{piece[0, 0]} {piece[0, 1]}" + (f"l{words.lstrip()}" if words else ""))
    return "".join(pieces)


def _down(values: np.ndarray, axis: Range, height: float) -> np.ndarray:
    """Return pixels from the top."""
    return np.asarray((1 - axis.share(values)) * height)


def _frame(
    inner: tuple[float, float],
    left: float,
    top: float,
    x_range: Range,
    y_range: Range,
    x_label: str,
    y_label: str,
    *,
    bare: bool,
) -> Markup:
    width, height = inner
    marks = Markup()
    for value, words in y_range.ticks(2 if bare else 4):
        y = top + float(_down(np.array(value), y_range, height))
        marks += Markup('<path d="M{:g} {:.1f}h{:g}" stroke="{}" stroke-width=".8"/>').format(
            left, y, width, css_color(RULE)
        )
        marks += Markup() if bare else text(left - 6, y + 4, words, anchor="end")
    if bare:
        return marks
    for value, words in x_range.ticks(5):
        marks += text(
            left + float(x_range.share(np.array(value))) * width, top + height + 14, words
        )
    if x_label:
        marks += text(left + width / 2, top + height + 29, x_label)
    if y_label:
        marks += Markup('<g transform="rotate(-90)">{}</g>').format(
            text(-(top + height / 2), 9.0, y_label)
        )
    return marks
