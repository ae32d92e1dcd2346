"""Scaling of channels, fitted on training epochs only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from phosphene import _checks


@dataclass(frozen=True, eq=False)
class ChannelScaler:
    """Shift and scale of each channel; fitted inside a fold, and part of what a bundle carries."""

    mean: np.ndarray
    """``(chan,)`` float64, in the unit of the epochs."""
    scale: np.ndarray
    """``(chan,)`` float64 standard deviation, in the unit of the epochs."""

    def __post_init__(self) -> None:
        _checks.check_shape("scale", self.scale.shape, self.mean.shape, "chan")
        _checks.check_finite("mean", self.mean)
        _checks.check_finite("scale", self.scale)
        if not (self.scale > 0).all():
            flat = np.flatnonzero(~(self.scale > 0)).tolist()
            raise ValueError(
                f"a channel must vary to be scaled; channels {flat} do not; drop them at import."
            )

    @classmethod
    def fit(cls, epochs: np.ndarray) -> "ChannelScaler":
        """Measure mean and standard deviation per channel of ``(trial, chan, time)`` epochs."""
        _checks.check_shape("epochs", epochs.shape, (None, None, None), "trial chan time")
        _checks.check_finite("epochs", epochs)
        if not epochs.size:
            raise ValueError(f"need epochs to fit on; got shape {epochs.shape}; add trials.")
        mean = epochs.mean(axis=(0, 2), dtype=np.float64)
        return cls(mean, epochs.std(axis=(0, 2), dtype=np.float64))

    def apply(self, epochs: np.ndarray) -> np.ndarray:
        """Return scaled epochs ``(trial, chan, time)`` as a new float32 array."""
        shape = (None, len(self.mean), None)
        _checks.check_shape("epochs", epochs.shape, shape, "trial chan time")
        return ((epochs - self.mean[:, None]) / self.scale[:, None]).astype(np.float32)

    def to_json(self) -> dict[str, list[float]]:
        """Return plain JSON values."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ChannelScaler":
        """Read what `to_json` returned."""
        return cls(
            np.asarray(value["mean"], dtype=np.float64),
            np.asarray(value["scale"], dtype=np.float64),
        )
