"""The settings of a simulation; free of numpy, so that `data simulate --help` is instant."""

from dataclasses import dataclass, fields
from typing import Literal

from phosphene import _checks

_POSITIVE = ("sfreq", "duration", "mains", "background", "noise")
_NOT_NEGATIVE = (
    "effect",
    "exponent",
    "alpha",
    "mains_amplitude",
    "drift",
    "gain_sd",
    "block_sd",
    "subject_sd",
)


@dataclass(frozen=True, kw_only=True)
class EEGSimulation:
    """Who sees what, how strongly the brain answers, and what hides the answer."""

    montage: str = "emotiv14"
    """'emotiv14', 'muse', or the name of an MNE montage such as 'biosemi32'."""
    sfreq: float = 128.0
    """Sampling rate in Hz."""
    n_trials: int = 10_000
    """Trials of all recordings together."""
    n_subjects: int = 4
    """Subjects; each has response gains, dipole orientations and latencies of his own."""
    n_recordings: int = 5
    """Recordings per subject; each has channel gains, drift and mains phase of its own."""
    order: Literal["randomised", "blocked"] = "randomised"
    """'blocked' shows one class per block, so that drift and block state betray the class."""
    ceiling: float | None = None
    """Best accuracy that any decoder could reach; `effect` is solved for it and must not be set."""
    effect: float = 1.0
    """Strength of the class and picture responses; 0 leaves nothing to decode."""
    picture_share: float = 0.2
    """Share of the response's variance that the picture drives beyond its class, from 0 to 1."""
    shown_share: float = 0.6
    """Share of each class that is shown, where the pictures do not say; the rest is for judges."""
    max_shown: int = 2000
    """Most pictures that are shown in all."""
    duration: float = 0.6
    """Length of a response in s; it is zero outside."""
    interval: tuple[float, float] = (0.7, 0.9)
    """Shortest and longest time from one picture to the next in s; not shorter than `duration`."""
    onset_response: float = 1.0
    """Strength of the response that all pictures share; it carries no class."""
    background: float = 12e-6
    """1/f background from sources all over the head: RMS in V, mean over channels."""
    exponent: float = 1.4
    """Slope of the background's power spectrum, 1 / f**exponent above 1 Hz."""
    alpha: float = 5e-6
    """Alpha rhythm: RMS in V at the channel where it is strongest."""
    noise: float = 2.5e-6
    """White noise of the sensors: RMS in V."""
    mains: float = 50.0
    """Mains frequency in Hz."""
    mains_amplitude: float = 3e-6
    """Mains hum: RMS in V of a typical channel."""
    drift: float = 30e-6
    """Electrode drift: standard deviation in V of the offset, and of the walk in 5 minutes."""
    gain_sd: float = 0.1
    """Standard deviation of a recording's log gain, most of it common to all channels."""
    block_sd: float = 0.15
    """How much blocks differ: standard deviation of the log of the onset response (place by place)
    and of mains; gains vary by half of it, eye movements by 70 uV times it."""
    subject_sd: float = 0.15
    """How much subjects differ: standard deviation of log response gain, and dipole tilt in rad."""
    seed: int = 0
    """Same seed, same data."""

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            _checks.check_positive(name, getattr(self, name))
        for name in ("n_trials", "n_subjects", "n_recordings", "max_shown"):
            _checks.check_positive(name, getattr(self, name))
        for name in (*_NOT_NEGATIVE, "onset_response", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(
                    f"`{name}` must not be negative; got {getattr(self, name)!r}; 0 turns it off."
                )
        _checks.check_option("order", self.order, ("randomised", "blocked"))
        if not 0 <= self.picture_share <= 1 or not 0 < self.shown_share <= 1:
            raise ValueError(
                "`picture_share` and `shown_share` are shares of 1; got "
                f"{self.picture_share:g} and {self.shown_share:g}; take for instance 0.2 and 0.6."
            )
        if self.ceiling is not None and self.effect != 1.0:
            raise ValueError(
                f"`ceiling` sets the effect; got `effect` {self.effect:g} as well; leave one out."
            )
        if not self.duration <= self.interval[0] <= self.interval[1]:
            raise ValueError(
                "responses must not overlap: `interval` rises from at least `duration`, "
                f"{self.duration:g} s; got {self.interval[0]:g} to {self.interval[1]:g} s; "
                "lengthen the interval or shorten the response."
            )
        if self.n_trials < self.n_subjects * self.n_recordings:
            raise ValueError(
                "every recording needs a trial; got "
                f"{self.n_trials} trials for {self.n_subjects * self.n_recordings} recordings; "
                "take more trials or fewer recordings."
            )

    def to_json(self) -> dict:
        """Return the settings as plain JSON values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"interval": list(self.interval)}
