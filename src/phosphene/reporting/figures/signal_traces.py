"""Windows of all channels, stacked by depth (LFPGAN thesis, figure 5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.figures.line_panel import Line, curve_path, svg_open, text, window
from phosphene.reporting.figures.palette import MUTED, css_color
from phosphene.reporting.figures.system_colors import system_color
from phosphene.reporting.signal_contents import SETS, SignalContents

GAP, WIDTH, LEFT, SPACE, FOOT = 14.0, 480.0, 56.0, 14.0, 48.0
"""Pixels between channels, of a figure, left of the first stack, between stacks, and below."""
PER_SD = 6.0
"""Pixels for one standard deviation of a z-scored window."""
MAX_CHANNELS, MAX_SYSTEMS, N_WINDOWS = 48, 12, 2


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One window (chan, time) in a colour, with what stands above it."""

    signal: np.ndarray
    color: str
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Windows of one system side by side."""

    system: str
    of: str
    svg: Markup


def trace_stacks(
    stacks: Sequence[Stack], *, sfreq: float | None, ch_names: Sequence[str], label: str
) -> Markup:
    """Draw windows side by side at one scale, the first channel on top.

    Parameters
    ----------
    stacks
        Z-scored windows of the same channels and samples.
    sfreq
        Samples per second, for the bar of time; None leaves it out.
    ch_names
        Only the first and the last are written.
    label
        What a screen reader says.
    """
    chosen = thin_channels(len(stacks[0].signal))
    n_times = stacks[0].signal.shape[1]
    width = (WIDTH - LEFT - SPACE * (len(stacks) - 1)) / len(stacks)
    top, height = 20.0, GAP * (len(chosen) + 2)
    marks = svg_open(WIDTH, top + height + FOOT, label)
    for number, stack in enumerate(stacks):
        left = LEFT + number * (width + SPACE)
        x = np.linspace(0, width, n_times)
        paths = Markup()
        for row, channel in enumerate(chosen):
            y = GAP * (row + 1.5) - PER_SD * stack.signal[channel].astype(float)
            paths += curve_path(x, y, Line(y=y, color=stack.color, width=0.9))
        marks += window(left, top, width, height, paths)
        marks += text(left + width / 2, 12.0, stack.title)
    for row in (0, len(chosen) - 1):
        name = ch_names[chosen[row]] if chosen[row] < len(ch_names) else str(chosen[row] + 1)
        marks += text(LEFT - 6, top + GAP * (row + 1.5) + 4, _short(name), anchor="end")
    return marks + _bars(width, top + height, n_times, sfreq) + Markup("</svg>")


def _short(name: str) -> str:
    return name if len(name) <= 8 else "…" + name[-6:]


def thin_channels(n_chans: int) -> list[int]:
    """Return all channels, or `MAX_CHANNELS` of them evenly spaced."""
    n_drawn = min(n_chans, MAX_CHANNELS)
    return np.unique(np.linspace(0, n_chans - 1, n_drawn).round().astype(int)).tolist()


def _bars(width: float, y: float, n_times: int, sfreq: float | None) -> Markup:
    """Return the bars of the scale: 4 standard deviations and, with a rate, a stretch of time."""
    rise, foot = 4 * PER_SD, y + 40
    path = f"M{LEFT} {foot - rise:g}v{rise:g}"
    words = text(LEFT + 6, foot - rise / 2 + 2, "4 SD", anchor="start")
    if sfreq:
        seconds = 0.05 if n_times / sfreq < 1 else 0.5
        length = width * seconds * sfreq / n_times
        path += f"h{length:.1f}"
        words += text(LEFT + length + 6, foot + 4, f"{1e3 * seconds:g} ms", anchor="start")
    line = Markup('<path d="{}" stroke="{}" stroke-width="1.6" fill="none"/>')
    return line.format(path, css_color(MUTED)) + words


def example_windows(
    signals: SignalContents, *, sfreq: float | None, ch_names: Sequence[str]
) -> list[Windows]:
    """Draw windows of real signals and of each system, none before there are summaries.

    Of each system the test showings are taken where it has some; of those the first windows as they
    are stored, which are evenly spaced over the set: nothing is chosen by its looks.
    """
    found, seen = [], set()
    for of in SETS:
        real = signals.real(of=of)
        for made in ([] if real is None else [real]) + signals.systems(of=of):
            if made.system in seen or len(found) == MAX_SYSTEMS or not len(made.examples):
                continue
            seen.add(made.system)
            stacks = [
                Stack(signal=window, color=system_color(made.system))
                for window in made.examples[:N_WINDOWS]
            ]
            label = f"windows: {made.system}"
            svg = trace_stacks(stacks, sfreq=sfreq, ch_names=ch_names, label=label)
            found.append(Windows(system=made.system, of=of, svg=svg))
    return found
