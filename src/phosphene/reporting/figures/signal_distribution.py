"""Amplitudes over time, real and generated (LFPGAN thesis, figures 5.3, 5.4, 5.8 and 5.10)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.figures.line_panel import Band, Line, Range, line_panel
from phosphene.reporting.figures.palette import INK, MUTED
from phosphene.reporting.figures.signal_traces import thin_channels
from phosphene.reporting.figures.system_colors import system_color
from phosphene.reporting.signal_contents import SignalContents, SignalSummary

N_CHANNELS, POINTS = 4, 160
SMALL, SMALL_POINTS = (152, 72), 80
REACH = 1.25
"""How far a panel reaches beyond the 95 % band of real signals, in its half height."""


@dataclass(frozen=True, kw_only=True)
class ChannelPanel:
    """One channel."""

    channel: str
    svg: Markup


@dataclass(frozen=True, kw_only=True)
class SystemPanels:
    """Real signals and those of one system on chosen channels, and small on all."""

    system: str
    of: str
    color: str
    panels: tuple[ChannelPanel, ...]
    every: tuple[ChannelPanel, ...]
    """All channels; empty where the system was drawn for another set before."""


def distributions(
    signals: SignalContents, *, sfreq: float | None, ch_names: Sequence[str]
) -> list[SystemPanels]:
    """Draw the quantiles of each system over those of real signals of the same showings.

    One range of values for all panels: that of real signals and some room. What a system makes
    beyond it is cut at the frame.
    """
    pairs = signals.compared()
    if not pairs:
        return []
    limits = value_range([real for real, _ in pairs])

    def draw(real: SignalSummary, made: SignalSummary, channel: int, small: bool) -> Markup:
        return quantile_panel(real, made, channel, sfreq=sfreq, limits=limits, small=small)

    return system_panels(pairs, draw, ch_names=ch_names)


def system_panels(
    pairs: Sequence[tuple[SignalSummary, SignalSummary]],
    draw: Callable[[SignalSummary, SignalSummary, int, bool], Markup],
    *,
    ch_names: Sequence[str],
) -> list[SystemPanels]:
    """Draw chosen channels of each pair, and all of them small where a system comes first.

    Parameters
    ----------
    pairs
        Real signals and those of a system.
    draw
        From a pair, a channel, and whether the panel is small.
    ch_names
        Names of channels.
    """
    found: list[SystemPanels] = []
    for real, made in pairs:
        n_chans = len(real.correlation)
        again = any(panels.system == made.system for panels in found)
        panels, every = (
            tuple(
                ChannelPanel(
                    channel=channel_name(ch_names, channel), svg=draw(real, made, channel, small)
                )
                for channel in channels
            )
            for channels, small in (
                (spread_channels(n_chans), False),
                ([] if again else thin_channels(n_chans), True),
            )
        )
        found.append(
            SystemPanels(
                system=made.system,
                of=made.of,
                color=system_color(made.system),
                panels=panels,
                every=every,
            )
        )
    return found


def spread_channels(n_chans: int, n_wanted: int = N_CHANNELS) -> list[int]:
    """Return channels spread evenly over depth, the outermost ones left out."""
    places = (np.arange(n_wanted) + 0.5) * n_chans / n_wanted
    return np.unique(np.minimum(places.astype(int), n_chans - 1)).tolist()


def channel_name(ch_names: Sequence[str], channel: int) -> str:
    """Return a channel's name, or its number from 1 where the data set names none."""
    return ch_names[channel] if channel < len(ch_names) else f"channel {channel + 1}"


def value_range(reals: Sequence[SignalSummary]) -> Range:
    """Return the range of amplitudes that panels show: that of real signals and some room."""
    ends = np.concatenate([real.quantiles[[0, -1]].ravel() for real in reals]).astype(float)
    low, high = float(ends.min()), float(ends.max())
    middle, half = (low + high) / 2, max((high - low) / 2, 1e-6)
    return Range(low=middle - REACH * half, high=middle + REACH * half)


def quantile_panel(
    real: SignalSummary,
    made: SignalSummary,
    channel: int,
    *,
    sfreq: float | None,
    limits: Range,
    small: bool = False,
) -> Markup:
    """Draw one channel: real quantiles as grey bands, those of a system as lines."""
    n_times = real.quantiles.shape[2]
    n_points = min(n_times, SMALL_POINTS if small else POINTS)
    kept = np.unique(np.linspace(0, n_times - 1, n_points).astype(int))
    x = 1e3 * kept / sfreq if sfreq else kept.astype(float)
    below, lower, middle, upper, above = real.quantiles[:, channel, kept].astype(float)
    lines = made.quantiles[:, channel, kept].astype(float)
    color = system_color(made.system)
    curves: list[Line | Band] = [Band(low=below, high=above, color=MUTED, opacity=0.25)]
    if not small:
        curves += [
            Band(low=lower, high=upper, color=MUTED, opacity=0.3),
            Line(y=middle, color=INK, width=1.2),
            *(Line(y=lines[row], color=color, width=0.9, opacity=0.8) for row in (1, 3)),
        ]
    curves += [Line(y=lines[row], color=color, width=1.1) for row in (0, 4)]
    curves.append(Line(y=lines[2], color=color, width=1.3 if small else 2.0))
    last = max(float(x[-1]), 1e-9)
    return line_panel(
        x,
        curves,
        x_range=Range(low=0.0, high=last),
        y_range=limits,
        label=f"amplitude over time, {made.system}",
        x_label="" if small else ("ms" if sfreq else "sample"),
        y_label="" if small else "SD",
        **({"size": SMALL, "bare": True} if small else {}),
    )
