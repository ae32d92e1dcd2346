"""The settings of a simulated probe; free of numpy, so that `--help` is instant."""

import math
from dataclasses import dataclass, fields

from phosphene import _checks

AREA = "VISp"
"""Primary visual cortex, as the Allen Institute's atlas calls it."""
OTHER_AREA = "CA1"
"""What the deeper channels lie in, below the cortex."""
FRAME = 1 / 59.95
"""Seconds from one frame of the monitor to the next."""
FRAMES_PER_SHOWING = 15
WINDOW = 0.2504
"""Seconds of a showing's response that are kept: 313 samples at 1250 Hz (thesis, section 3.1)."""

_POSITIVE = ("sfreq", "spacing", "evoked", "mains")
_COUNTS = ("n_chans", "n_pictures", "n_repeats", "n_blocks")
_NOT_NEGATIVE = (
    "other_channels",
    "effect",
    "response_sd",
    "background",
    "exponent",
    "slow",
    "gamma",
    "gamma_induced",
    "gamma_tuning",
    "theta",
    "mains_amplitude",
    "noise",
    "drift",
    "seed",
)
MIN_PICTURE_SIDE = 32


@dataclass(frozen=True, kw_only=True)
class LFPSimulation:
    """What a probe in mouse visual cortex sees, answers and hides. SI units throughout.

    The showings follow the Allen Institute's Visual Coding sessions: every picture `n_repeats`
    times and grey as often, in random order, back to back every 15 frames of a monitor at 59.95 Hz.
    """

    n_chans: int = 22
    """Channels in primary visual cortex (VISp); 22 as in the thesis' session."""
    other_channels: int = 4
    """Channels below it in the hippocampus (CA1), so that choosing an area has something to do."""
    spacing: float = 40e-6
    """Distance of neighbouring channels in m, as in the published LFP."""
    sfreq: float = 1249.998
    """Samples per second of the probe's own clock, which is never quite the nominal 1250 Hz."""
    n_pictures: int = 118
    """Pictures made; taken from the folder where `images` are given."""
    picture_shape: tuple[int, int] = (918, 1174)
    """Height and width of the pictures in pixels."""
    n_repeats: int = 50
    """Showings of each picture, and of grey."""
    n_blocks: int = 3
    """Blocks of showings, with rest before, between and after."""
    rest: float = 240.0
    """Seconds of grey screen in all, before, between and after the blocks in equal parts."""
    effect: float = 1.0
    """Strength of what differs between pictures, in evoked response and gamma; 0 leaves nothing."""
    picture_share: float = 0.35
    """Share of the evoked response's power that differs between pictures where `effect` is 1."""
    evoked: float = 180e-6
    """Largest deflection in V of the response that all pictures share."""
    response_sd: float = 0.25
    """Standard deviation of the log of a showing's response gain; the mean gain is 1."""
    background: float = 90e-6
    """1/f background, smooth over depth: RMS in V, mean over the VISp channels."""
    exponent: float = 2.0
    """Slope of the background's power spectrum, 1 / f**exponent above its knee at 2 Hz."""
    slow: float = 60e-6
    """Slow waves of 1 to 4 Hz that come and go: RMS in V where they are strongest."""
    gamma: float = 12e-6
    """Gamma bursts (30 to 60 Hz) that no picture locks: RMS in V where they are strongest."""
    gamma_induced: float = 18e-6
    """Gamma during a picture, of random phase: RMS in V at its height for an average picture."""
    gamma_tuning: float = 0.35
    """Change of the log of the induced gamma per standard deviation of its drive, at `effect` 1."""
    theta: float = 90e-6
    """Hippocampal theta (7 Hz): RMS in V where it is strongest; the cortex sees its far field."""
    mains: float = 60.0
    """Mains frequency in Hz."""
    mains_amplitude: float = 0.0
    """Mains hum: RMS in V of a typical channel; recordings from a good rig have none."""
    noise: float = 4e-6
    """White noise of the amplifiers: RMS in V."""
    drift: float = 5e-6
    """Slow drift: standard deviation in V of each channel's walk in 5 minutes; its mean is 0."""
    seed: int = 0
    """Same seed, same pictures, order and signal."""

    def __post_init__(self) -> None:
        for name in (*_POSITIVE, *_COUNTS):
            _checks.check_positive(name, getattr(self, name))
        for name in (*_NOT_NEGATIVE, "rest"):
            _checks.check_at_least(name, getattr(self, name), 0)
        _checks.check_share("picture_share", self.picture_share, below_one=True)
        if self.n_pictures < 2:
            raise ValueError(
                f"responses differ between at least 2 pictures; `n_pictures` is {self.n_pictures}; "
                "take more."
            )
        if self.n_chans < 4:
            raise ValueError(
                "a laminar profile needs at least 4 channels; `n_chans` is "
                f"{self.n_chans}; take more."
            )
        if min(self.picture_shape) < MIN_PICTURE_SIDE:
            raise ValueError(
                f"the filters need pictures of at least {MIN_PICTURE_SIDE} pixels a side; "
                f"`picture_shape` is {self.picture_shape[0]} x {self.picture_shape[1]}; take "
                "larger ones."
            )
        if self.sfreq < 300:
            raise ValueError(
                "gamma reaches 60 Hz and its sidebands further: `sfreq` must be at least 300 Hz; "
                f"got {self.sfreq:g}; raise it."
            )
        if self.n_blocks > self.n_showings:
            raise ValueError(
                f"every block needs a showing; got {self.n_showings} showings for "
                f"{self.n_blocks} blocks; take more repeats or fewer blocks."
            )

    @property
    def n_times(self) -> int:
        """Samples of a showing's window."""
        return round(WINDOW * self.sfreq)

    @property
    def n_showings(self) -> int:
        """Showings in all, grey included."""
        return (self.n_pictures + 1) * self.n_repeats

    @property
    def duration(self) -> float:
        """Length of the recording in s; the showings end on whole frames."""
        return self.rest + self.n_showings * FRAMES_PER_SHOWING * FRAME

    @property
    def n_samples(self) -> int:
        """Samples of the recording: half a second more than rest and showings."""
        return math.ceil((self.duration + 0.5) * self.sfreq)

    def to_json(self) -> dict:
        """Return the settings as plain JSON values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"picture_shape": list(self.picture_shape)}
