"""Amplitude spectra with their spread, log against log (LFPGAN thesis, figures 5.2 to 5.11).

The thesis draws mean and standard deviation on a logarithmic axis; where the lower edge would fall
below zero it is clipped to the lowest amplitude. Here the band is that of a log-normal amplitude
with the same mean and standard deviation: symmetric on the axis, above zero by itself.
"""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Arrays
from phosphene.reporting.figures.line_panel import Band, Line, Range, line_panel
from phosphene.reporting.figures.palette import ACCENT, INK, MUTED
from phosphene.reporting.figures.signal_distribution import (
    SMALL,
    ChannelPanel,
    SystemPanels,
    channel_name,
    spread_channels,
    system_panels,
)
from phosphene.reporting.figures.system_colors import system_color
from phosphene.reporting.signal_contents import SignalContents, SignalSummary

ROOM, MAX_DECADES, SMALL_POINTS = 2.0, 5.0, 48
"""Factor beyond the real band; decades that a panel shows; points of a small one."""
MAX_CURVES = 8


def spectra(signals: SignalContents, *, ch_names: Sequence[str]) -> list[SystemPanels]:
    """Draw the spectrum of each system over that of real signals of the same showings."""
    pairs = [(real, made) for real, made in signals.compared() if _has_positive(real)]
    if not pairs:
        return []
    limits = amplitude_range([s for pair in pairs for s in pair], [real for real, _ in pairs])

    def draw(real: SignalSummary, made: SignalSummary, channel: int, small: bool) -> Markup:
        return spectrum_channel(real, made, channel, limits=limits, small=small)

    return system_panels(pairs, draw, ch_names=ch_names)


def log_band(mean: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return one standard deviation of the logarithm either side of its mean, as amplitudes.

    Of the log-normal law with the given mean and standard deviation; where the mean is not positive
    both ends are NaN, which is not drawn.
    """
    mean, spread = np.asarray(mean, float), np.asarray(spread, float)
    mean = np.where(mean > 0, mean, np.nan)
    variance = np.log1p((spread / mean) ** 2)
    centre = np.log(mean) - variance / 2
    width = np.sqrt(variance)
    return np.exp(centre - width), np.exp(centre + width)


def amplitude_range(summaries: Sequence[SignalSummary], reals: Sequence[SignalSummary]) -> Range:
    """Return the amplitudes that panels show: all of real signals, of others `MAX_DECADES` down."""
    means = [s.spectrum_mean[:, _oscillating(s)] for s in summaries]
    low = min(float(mean[mean > 0].min()) for mean in means if (mean > 0).any())
    tops = [log_band(s.spectrum_mean, s.spectrum_sd)[1][:, _oscillating(s)] for s in summaries]
    high = ROOM * max(float(np.nanmax(top)) for top in tops if np.isfinite(top).any())
    real = [log_band(s.spectrum_mean, s.spectrum_sd)[0][:, _oscillating(s)] for s in reals]
    floor = min(float(np.nanmin(part)) for part in real) / ROOM
    return Range(low=min(floor, max(low / ROOM, high / 10**MAX_DECADES)), high=high, log=True)


def _has_positive(summary: SignalSummary) -> bool:
    return bool((summary.spectrum_mean[:, _oscillating(summary)] > 0).any())


def _oscillating(summary: SignalSummary) -> np.ndarray:
    return summary.freqs > 0


def spectrum_channel(
    real: SignalSummary,
    made: SignalSummary,
    channel: int,
    *,
    limits: Range,
    small: bool = False,
) -> Markup:
    """Draw one channel: the real mean with its band in grey, a system's in its colour."""
    color = system_color(made.system)
    freqs = real.freqs[_oscillating(real)].astype(float)
    kept = _log_spaced(len(freqs), SMALL_POINTS) if small else np.arange(len(freqs))
    curves: list[Line | Band] = []
    for summary, ink, opacity in ((real, MUTED, 0.32), (made, color, 0.2)):
        mean, spread = (
            array[channel][_oscillating(summary)][kept]
            for array in (summary.spectrum_mean, summary.spectrum_sd)
        )
        low, high = log_band(mean, spread)
        curves.append(Band(low=low, high=high, color=ink, opacity=opacity))
        line = INK if summary is real else color
        curves.append(Line(y=np.where(mean > 0, mean, np.nan), color=line, width=1.4))
    return line_panel(
        freqs[kept],
        curves,
        x_range=Range(low=float(freqs[0]), high=float(freqs[-1]), log=True),
        y_range=limits,
        label=f"amplitude spectrum, {made.system}",
        x_label="" if small else "Hz",
        y_label="" if small else "amplitude, SD",
        **({"size": SMALL, "bare": True} if small else {}),
    )


def _log_spaced(n_points: int, n_wanted: int) -> np.ndarray:
    """Return at most `n_wanted` indices, as dense as a logarithmic axis needs them."""
    places = np.geomspace(1, n_points, min(n_wanted, n_points)) - 1
    return np.unique(places.round().astype(int))


def spectrum_progress(
    progress: Arrays | None, *, ch_names: Sequence[str]
) -> tuple[tuple[ChannelPanel, ...], tuple[tuple[str, float], ...]]:
    """Draw spectra of the autoencoder's reconstructions in the course of its training (fig. 5.6).

    Returns
    -------
    panels
        One per chosen channel, later steps drawn stronger, real signals in the ink of the page.
    steps
        The steps that are drawn, with the opacity of their curve.
    """
    needed = ("steps", "spectrum_mean", "freqs", "real_spectrum_mean")
    if not progress or any(key not in progress for key in needed):
        return (), ()
    steps, means, freqs, real = (progress[key] for key in needed)
    if means.ndim != 3 or means.shape != (len(steps), *real.shape) or not len(steps):
        raise ValueError(
            "spectra of progress.npz must be (step, chan, freq) beside real ones (chan, freq); got "
            f"{means.shape} and {real.shape} for {len(steps)} steps; train again."
        )
    shown = np.unique(np.linspace(0, len(steps) - 1, min(MAX_CURVES, len(steps))).round()).astype(
        int
    )
    strength = np.linspace(0.25, 1, len(shown))
    kept = freqs > 0
    drawn = np.concatenate([means[shown][..., kept].ravel(), real[:, kept].ravel()]).astype(float)
    drawn = drawn[drawn > 0]
    if not len(drawn):
        return (), ()
    high = ROOM * float(drawn.max())
    limits = Range(low=max(float(drawn.min()) / ROOM, high / 10**MAX_DECADES), high=high, log=True)
    panels = []
    for channel in spread_channels(len(real)):
        curves: list[Line | Band] = [Line(y=_above(real[channel, kept]), color=INK, width=1.6)]
        curves += [
            Line(
                y=_above(means[index, channel, kept]),
                color=ACCENT,
                opacity=float(opacity),
                width=1.3,
            )
            for index, opacity in zip(shown.tolist(), strength, strict=True)
        ]
        svg = line_panel(
            freqs[kept],
            curves,
            x_range=Range(low=float(freqs[kept][0]), high=float(freqs[kept][-1]), log=True),
            y_range=limits,
            label="spectrum of reconstructions during training",
            x_label="Hz",
            y_label="amplitude, SD",
        )
        panels.append(ChannelPanel(channel=channel_name(ch_names, channel), svg=svg))
    texts = tuple(f"{int(steps[index]):,}" for index in shown)
    return tuple(panels), tuple(zip(texts, strength.round(2).tolist(), strict=True))


def _above(mean: np.ndarray) -> np.ndarray:
    return np.where(mean > 0, mean.astype(float), np.nan)
