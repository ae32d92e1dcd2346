"""Scaling of epochs: of channels, fitted on training epochs only, or of each window by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from phosphene import _checks


class Scaler(Protocol):
    """What a trained system does to epochs first."""

    kind: ClassVar[str]
    """A key of `SCALERS`."""

    def apply(self, epochs: np.ndarray) -> np.ndarray:
        """Return scaled epochs ``(trial, chan, time)`` as a new float32 array."""
        ...

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what was fitted, by name; nothing where nothing was."""
        ...


@dataclass(frozen=True, eq=False)
class ChannelScaler:
    """Shift and scale of each channel; fitted inside a fold, and part of what a bundle carries."""

    kind: ClassVar[str] = "channel"

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

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return both numbers of each channel, ``(chan,)`` float64."""
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "ChannelScaler":
        """Take what `to_arrays` returned."""
        return cls(arrays["mean"], arrays["scale"])

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


@dataclass(frozen=True)
class WindowScaler:
    """Scaling of each window by its own maximum, as EEG2Image's released code does.

    With m half of the largest value among all channels and samples, a window x becomes (x - m) / m,
    that is 2 x / maximum - 1. The largest value becomes 1 and 0 becomes -1; nothing bounds values
    below. Where all values are negative the sign flips, as it does there. Nothing is learned, and
    nothing is left of a window's amplitude.
    """

    kind: ClassVar[str] = "window"

    @classmethod
    def fit(cls, epochs: np.ndarray) -> "WindowScaler":
        """Return the scaler, having refused ``(trial, chan, time)`` epochs that it cannot scale."""
        scaler = cls()
        scaler.apply(epochs)
        return scaler

    def apply(self, epochs: np.ndarray) -> np.ndarray:
        """Return scaled epochs ``(trial, chan, time)`` as a new float32 array.

        Raises
        ------
        ValueError
            For a window with values that are not finite, or whose largest value is 0.
        """
        _checks.check_shape("epochs", epochs.shape, (None, None, None), "trial chan time")
        _checks.check_finite("epochs", epochs)
        if not epochs.size:
            raise ValueError(f"need epochs to scale; got shape {epochs.shape}; add trials.")
        half = epochs.max(axis=(1, 2), keepdims=True).astype(np.float64) / 2
        if not half.all():
            flat = np.flatnonzero(half == 0)
            raise ValueError(
                f"a window must have a largest value other than 0 to be scaled by it; {len(flat)} "
                f"of {len(epochs)} have 0, the first at index {flat[0]}; drop them at import or "
                "scale by channel."
            )
        return ((epochs - half) / half).astype(np.float32)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return nothing: each window has its own numbers."""
        return {}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "WindowScaler":
        """Take what `to_arrays` returned."""
        return cls()


SCALERS: dict[str, type[ChannelScaler] | type[WindowScaler]] = {
    scaler.kind: scaler for scaler in (ChannelScaler, WindowScaler)
}
"""Scalers by the word that settings and bundles have for them; all have `fit` and `from_arrays`."""
