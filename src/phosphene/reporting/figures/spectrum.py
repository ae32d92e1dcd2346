"""Power spectrum of each channel, with the mains line where the data set names one."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Contents
from phosphene.reporting.figures.palette import ACCENT, MUTED, WARN
from phosphene.reporting.figures.themed_svg import new_axes, to_svg
from phosphene.reporting.number_text import signal_scale, squared_unit


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """The drawn spectrum."""

    svg: Markup
    n_chans: int
    mains: float | None


def spectrum_panel(contents: Contents) -> Spectrum | None:
    """Draw spectrum.npz in decibel; None before it is written or without positive power."""
    arrays = contents.spectrum
    if not arrays or "freqs" not in arrays or "psd" not in arrays:
        return None
    kept = arrays["freqs"] > 0
    factor, unit = signal_scale(contents.about("unit"))
    freqs, power = arrays["freqs"][kept], arrays["psd"][:, kept].astype(float) * factor**2
    if not (power > 0).any():
        return None
    level = 10 * np.log10(np.maximum(power, power[power > 0].min()))
    figure, axes = new_axes(width=490, height=220)
    for line in level:
        axes.plot(freqs, line, color=MUTED, linewidth=0.8, alpha=0.45)
    axes.plot(freqs, np.median(level, axis=0), color=ACCENT, linewidth=2)
    mains = _mains(contents.about("mains"))
    if mains is not None and freqs[0] < mains < freqs[-1]:
        axes.axvline(mains, color=WARN, linewidth=1, linestyle=(0, (3, 3)))
    axes.set_xlabel("Hz")
    axes.set_ylabel(f"dB re 1 {squared_unit(unit)}/Hz")
    axes.margins(x=0)
    axes.locator_params(axis="y", nbins=5)
    return Spectrum(
        svg=to_svg(figure, key="psd", label="power spectrum of each channel"),
        n_chans=len(level),
        mains=mains,
    )


def _mains(found: object) -> float | None:
    """Return the mains frequency in Hz from a number or from `{"frequency": ...}`."""
    if isinstance(found, dict):
        found = found.get("frequency", found.get("freq", found.get("hz")))
    return float(found) if isinstance(found, (int, float)) and found > 0 else None
