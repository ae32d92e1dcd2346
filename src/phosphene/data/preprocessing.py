"""Settings with which trials are cut; free of numpy, so that `data import --help` is quick."""

from dataclasses import dataclass

from phosphene import _checks


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How trials are cut from continuous signals. Nothing here learns from the data."""

    band: tuple[float, float] | None = (1.0, 30.0)
    """Band-pass edges in Hz (zero-phase Butterworth on the continuous signal); None leaves it
    out.
    """
    notch: float | None = None
    """Mains frequency to remove, with harmonics, in Hz; needless where the band ends below it."""
    resample: float | None = 128.0
    """New rate in Hz, after the filters; None keeps the recording's."""
    tmin: float = 0.0
    """Start of the window after the event, in s."""
    tmax: float = 0.8
    """End of the window after the event, in s (excluded)."""
    baseline: tuple[float, float] | None = None
    """Interval after the event, in s, whose mean is subtracted per channel."""
    reference: str = "none"
    """'none' keeps the recording's; 'average'; or the channels to subtract, with commas."""
    reject: float | None = None
    """Drop trials that exceed this peak to peak in a channel, in V (400e-6 is 400 uV)."""
    margin: float = 0.2
    """Extra signal kept on each side of the window, in s; models do not see it."""

    def __post_init__(self) -> None:
        if self.band is not None and not 0 < self.band[0] < self.band[1]:
            raise ValueError(
                f"band is two rising frequencies above 0 Hz; got {self.band}; write for instance "
                f"1 30."
            )
        if self.tmax <= self.tmin:
            raise ValueError(
                f"tmax must be after tmin; got {self.tmin} to {self.tmax} s; enlarge tmax."
            )
        for name in ("notch", "resample", "reject"):
            if getattr(self, name) is not None:
                _checks.check_positive(name, getattr(self, name))
        if self.margin < 0:
            raise ValueError(f"margin must not be negative; got {self.margin} s; take 0 for none.")
        start, stop = self.tmin - self.margin, self.tmax + self.margin
        if self.baseline is not None and not (start <= self.baseline[0] < self.baseline[1] <= stop):
            raise ValueError(
                f"baseline must lie in the window with its margin, {start:g} to {stop:g} s; got "
                f"{self.baseline}; enlarge margin."
            )
        if (
            self.resample is not None
            and self.band is not None
            and self.band[1] >= self.resample / 2
        ):
            raise ValueError(
                f"the band must end below half the new rate, {self.resample / 2:g} Hz; got "
                f"{self.band[1]:g} Hz; lower the band or resample less."
            )


LFP_WINDOW = Preprocessing(band=None, resample=None, tmin=0.0, tmax=0.2504, margin=0.0)
"""Settings of the LFPGAN thesis: 313 samples at 1250 Hz from the onset of a picture, unfiltered."""
