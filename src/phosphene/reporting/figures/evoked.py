"""Evoked response of each class on the channels where classes differ most."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Arrays, Contents
from phosphene.reporting.figures.palette import MUTED, class_colors
from phosphene.reporting.figures.themed_svg import new_axes, to_svg
from phosphene.reporting.number_text import signal_scale

MAX_CHANNELS, MAX_BANDS, MAX_COLOURED = 3, 4, 10


@dataclass(frozen=True, kw_only=True)
class EvokedPanel:
    """One channel."""

    channel: str
    svg: Markup


@dataclass(frozen=True, kw_only=True)
class Evoked:
    """Panels of the chosen channels, and which classes have a colour."""

    panels: tuple[EvokedPanel, ...]
    n_chans: int
    coloured: tuple[int, ...]
    """Labels of the classes drawn in their colour; the others are grey."""
    banded: tuple[int, ...]
    """Labels of the classes drawn with their 95 % band."""


def evoked_panels(contents: Contents) -> Evoked | None:
    """Draw evoked.npz; None before it is written.

    The classes that stray furthest from the grand average keep their colour when there are more
    than `MAX_COLOURED`, and their band when there are more than `MAX_BANDS`.
    """
    arrays = contents.evoked
    if not arrays or "mean" not in arrays or "times" not in arrays:
        return None
    mean = arrays["mean"]
    names = arrays.get("ch_names", np.array([f"channel {i + 1}" for i in range(mean.shape[1])]))
    chosen = informative_channels(arrays)[:MAX_CHANNELS]
    strays = np.nan_to_num(((mean - np.nanmean(mean, axis=0)) ** 2)[:, chosen]).mean(axis=(1, 2))
    order = np.argsort(-strays).tolist()
    coloured, banded = sorted(order[:MAX_COLOURED]), sorted(order[:MAX_BANDS])
    panels = tuple(
        EvokedPanel(
            channel=str(names[channel]),
            svg=_draw(
                arrays,
                channel,
                len(mean),
                coloured,
                banded,
                unit=contents.about("unit"),
                key=f"erp{number}",
            ),
        )
        for number, channel in enumerate(chosen)
    )
    return Evoked(
        panels=panels, n_chans=mean.shape[1], coloured=tuple(coloured), banded=tuple(banded)
    )


def informative_channels(arrays: Arrays) -> list[int]:
    """Return channels by the spread of class means over the width of their bands, best first.

    Of a single class the size of its response stands for the spread.
    """
    mean = np.nan_to_num(arrays["mean"].astype(float))
    spread = (mean.var(axis=0) if len(mean) > 1 else mean[0] ** 2).mean(axis=-1)
    if "low" in arrays and "high" in arrays:
        width = np.nan_to_num(arrays["high"].astype(float) - arrays["low"])
        spread = spread / np.maximum((width**2).mean(axis=(0, 2)), 1e-30)
    return np.argsort(-spread, kind="stable").tolist()


def _draw(
    arrays: Arrays,
    channel: int,
    n_classes: int,
    coloured: list[int],
    banded: list[int],
    *,
    unit: object,
    key: str,
) -> Markup:
    figure, axes = new_axes(width=490, height=220)
    times = arrays["times"] * 1e3
    factor, unit = signal_scale(unit)
    colors = class_colors(n_classes)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    if times[0] < 0 < times[-1]:
        axes.axvline(0, color=MUTED, linewidth=0.8)
    for label in sorted(range(n_classes), key=lambda c: c in coloured):
        color = colors[label] if label in coloured else MUTED
        if label in banded and "low" in arrays and "high" in arrays:
            low, high = (arrays[end][label, channel] * factor for end in ("low", "high"))
            axes.fill_between(times, low, high, color=color, alpha=0.2, linewidth=0)
        axes.plot(
            times,
            arrays["mean"][label, channel] * factor,
            color=color,
            linewidth=1.7 if label in coloured else 0.7,
            alpha=1 if label in coloured else 0.4,
        )
    axes.set_xlabel("ms after onset")
    axes.set_ylabel(unit)
    axes.margins(x=0)
    axes.locator_params(axis="y", nbins=5)
    return to_svg(figure, key=key, label="evoked response of each class")
