"""Some generated windows beside the pictures that they were made for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from phosphene._checks import check_shape
from phosphene.reporting.figures.palette import ACCENT, INK, MUTED

APART = 4.0
"""Standard deviations between the zero lines of neighbouring channels."""
MAX_CHANNELS = 32


def write_generated_figure(
    path: Path,
    windows: np.ndarray,
    pictures: np.ndarray | None,
    *,
    names: Sequence[str],
    ch_names: Sequence[str],
    sfreq: float,
    unit: str,
    tmin: float = 0.0,
) -> None:
    """Draw one row per picture: the picture, then its windows with the first channel on top.

    All windows have one scale, so that those of one picture can be compared with those of another.

    Parameters
    ----------
    path
        PNG file to write.
    windows
        ``(picture, draw, chan, time)``, z-scored or in volts.
    pictures
        ``(picture, height, width)`` uint8; None for windows without pictures.
    names
        Of the pictures.
    ch_names
        Of the channels; the first and the last are written.
    sfreq
        Samples per second.
    unit
        "V" or "z-score", for the bar of the scale.
    tmin
        Time of the first sample in s.
    """
    shape = (len(names), None, len(ch_names), None)
    check_shape("windows", windows.shape, shape, "picture draw chan time")
    n_pictures, n_draws, n_chans, n_times = windows.shape
    shown = np.unique(np.linspace(0, n_chans - 1, min(n_chans, MAX_CHANNELS)).round().astype(int))
    times = 1e3 * (tmin + np.arange(n_times) / sfreq)
    sd = float(windows.std()) or 1.0
    n_columns = n_draws + (pictures is not None)
    height = 1.1 + n_pictures * max(2.0, 0.12 * len(shown))
    figure = Figure(figsize=(2.7 * n_columns, height), dpi=110, layout="constrained")
    figure.suptitle("Generated, not recorded", fontsize=9, color=MUTED)
    axes = figure.subplots(n_pictures, n_columns, squeeze=False)
    for row, name in enumerate(names):
        first = 0
        if pictures is not None:
            first = 1
            axes[row, 0].imshow(pictures[row], cmap="gray", vmin=0, vmax=255)
            axes[row, 0].set_axis_off()
        label = name if len(name) <= 34 else f"…{name[-33:]}"
        axes[row, 0].set_title(label, fontsize=8, loc="left", parse_math=False)
        for draw in range(n_draws):
            panel = axes[row, first + draw]
            stacked = windows[row, draw][shown] / sd - APART * np.arange(len(shown))[:, None]
            panel.plot(times, stacked.T, color=ACCENT, linewidth=0.7)
            panel.set_xlim(times[0], times[-1])
            panel.set_ylim(-APART * len(shown), 2 * APART)
            panel.spines[["top", "right", "left"]].set_visible(False)
            panel.tick_params(labelsize=7, colors=MUTED)
            panel.set_yticks([])
            if draw == 0:
                panel.set_yticks([0, -APART * (len(shown) - 1)], [ch_names[0], ch_names[-1]])
            if row == n_pictures - 1:
                panel.set_xlabel("ms after onset", fontsize=7, color=MUTED)
    panel = axes[0, -1]
    edge = times[-1] + 0.03 * (times[-1] - times[0])
    panel.plot([edge, edge], [-APART, 0], color=INK, linewidth=1.5, clip_on=False)
    size = APART * sd
    words = f"{1e6 * size:.3g} µV" if unit == "V" else f"{size:.3g} SD"
    panel.text(edge, APART / 4, words, fontsize=7, ha="right", va="bottom", color=INK)
    figure.savefig(path)
