"""How channels move together: matrices of real and generated signals (LFPGAN thesis, appendix A).

Blue is positive, vermilion negative, and strength is opacity: zero is the page's own paper, in
light and in dark mode. One scale, from -1 to 1, serves matrices and differences alike.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np

from phosphene.reporting.figures.palette import LIGHT
from phosphene.reporting.number_text import value_text
from phosphene.reporting.signal_contents import SETS, SignalContents, SignalSummary


@dataclass(frozen=True, kw_only=True)
class CorrelationPanel:
    """One matrix, and for a system its difference from real signals of the same showings."""

    system: str
    of: str
    matrix: str
    """Data address of a picture with one pixel per pair."""
    difference: str
    """The same of generated minus real, "" for real signals and where there are none."""
    mean_difference: str
    """Mean absolute difference over pairs of different channels."""


def correlation_panels(signals: SignalContents) -> list[CorrelationPanel]:
    """Return real signals and then each system, for the first set that each has."""
    found, seen = [], set()
    for of in SETS:
        real = signals.real(of=of)
        for made in ([] if real is None else [real]) + signals.systems(of=of):
            if made.system not in seen:
                seen.add(made.system)
                found.append(_panel(made, None if made is real else real))
    return found


def _panel(made: SignalSummary, real: SignalSummary | None) -> CorrelationPanel:
    difference, mean = "", ""
    if real is not None:
        gap = made.correlation.astype(float) - real.correlation
        difference = matrix_address(gap)
        pairs = np.triu_indices(len(gap), 1)
        mean = value_text(float(np.abs(gap[pairs]).mean())) if len(pairs[0]) else ""
    return CorrelationPanel(
        system=made.system,
        of=made.of,
        matrix=matrix_address(made.correlation),
        difference=difference,
        mean_difference=mean,
    )


def matrix_address(matrix: np.ndarray) -> str:
    """Return numbers as a picture with one pixel each: colour is sign, opacity is size up to 1."""
    from PIL import Image

    values = np.clip(np.nan_to_num(matrix.astype(float)), -1, 1)
    pixels = np.zeros((*values.shape, 4), np.uint8)
    for color, chosen in ((LIGHT[0], values >= 0), (LIGHT[1], values < 0)):
        pixels[chosen, :3] = [int(color[start : start + 2], 16) for start in (1, 3, 5)]
    pixels[..., 3] = np.rint(255 * np.abs(values))
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
