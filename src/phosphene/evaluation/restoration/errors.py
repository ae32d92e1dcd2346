"""Squared errors of restored pictures by region, and what follows from them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import stats

from phosphene._checks import check_shape

REGIONS = ("whole", "visible", "missing")
ROUNDING = 1 / (12 * 255**2)
"""Mean squared error that rounding to bytes alone makes."""

Pixels = UInt8[np.ndarray, "picture height width color"]


@dataclass(frozen=True, eq=False)
class Errors:
    """Squared errors of pictures in a region."""

    total: Float[np.ndarray, " picture"]
    """Sum over the region's values, of pictures in [0, 1]."""
    count: Float[np.ndarray, " picture"]
    """Values in the region, 0 for a picture that has nothing of it."""

    @property
    def rows(self) -> np.ndarray:
        """Which pictures have something of the region, as positions."""
        return np.flatnonzero(self.count)

    @property
    def rmse(self) -> float:
        """Root of the mean squared error over all values of all pictures."""
        return float(np.sqrt(self.total.sum() / self.count.sum()))

    def influence(self) -> Float[np.ndarray, " picture"]:
        """Return by how much each picture moves the RMSE; the mean is 0.

        Its standard error, as of any mean, is that of the RMSE (delta method for a ratio). 0
        throughout where the RMSE is 0.
        """
        rmse = self.rmse
        if rmse == 0:
            return np.zeros_like(self.total)
        return (self.total - rmse**2 * self.count) / (2 * rmse * self.count.mean())

    def peak_signal_to_noise(self) -> Float[np.ndarray, " some"]:
        """Return the PSNR in dB of each picture that has something of the region.

        A picture without error gets that of an error by rounding alone, 58.9 dB.
        """
        rows = self.rows
        return -10 * np.log10(np.maximum(self.total[rows] / self.count[rows], ROUNDING))


def region_masks(
    missing: Bool[np.ndarray, "picture height width"],
) -> dict[str, Bool[np.ndarray, "picture height width"]]:
    """Return which pixels each region has; a region that no picture has is left out."""
    masks = {"whole": np.ones_like(missing), "visible": ~missing, "missing": missing}
    return {name: masks[name] for name in REGIONS if masks[name].any()}


def squared_errors(
    original: Pixels,
    restored: UInt8[np.ndarray, "some rows columns planes"],
    mask: Bool[np.ndarray, "picture height width"],
) -> Errors:
    """Return the squared errors of restored pictures where the mask holds.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    check_shape("restored", restored.shape, original.shape, "picture height width color")
    difference = (restored.astype(np.float32) - original.astype(np.float32)) / 255
    squares = (difference**2).sum(3, dtype=np.float64)
    return Errors(
        total=(squares * mask).sum((1, 2)),
        count=mask.sum((1, 2)).astype(np.float64) * original.shape[3],
    )


def mean_interval(
    values: Float[np.ndarray, " picture"], *, level: float = 0.95
) -> tuple[float, float] | None:
    """Return Student's interval of a mean over pictures, None for fewer than 2."""
    if len(values) < 2:
        return None
    error = values.std(ddof=1) / np.sqrt(len(values))
    reach = stats.t.ppf((1 + level) / 2, len(values) - 1) * error
    return float(values.mean() - reach), float(values.mean() + reach)
