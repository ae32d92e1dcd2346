"""A continuous recording, and the checks that a recording passes before anything is cut from it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from phosphene import _checks

EVENT_COLUMNS = ("sample", "code")


@dataclass(frozen=True, eq=False)
class Recording:
    """One continuous signal with the events that happened during it.

    Parameters
    ----------
    signal
        ``(chan, time)`` float32 in V; memory-mapped when it was read from a data set folder.
    sfreq
        Samples per second (nominal).
    ch_names
        One name per channel.
    recording, subject, session
        Identity. Strings, so that subject "001" stays "001".
    events
        One row per event: ``sample`` (int64), ``code`` (str), and where known ``stimulus`` (str),
        ``label`` (int), ``block`` (str).
    source
        Name of the file it came from, never an absolute path.
    sha256
        Of the source's bytes; of the signal where there is no source file.
    montage
        Name of an MNE montage that knows the channel names.
    gaps
        First sample after each place where the time stamps say that samples are missing.
    sfreq_measured
        Rate estimated from the time stamps, where the source has any.
    meas_note
        A remark about the measurement, shown by `data inspect`.
    bad_channels
        Channels that the source marks as bad, and those of it that could not be read along; a data
        set does not keep this.
    import_options
        Options that choose what was read, where the source holds several things to choose from, as
        in ('--events-from', 'annotations'); a data set does not keep this.

    Raises
    ------
    ValueError
        When the shapes, the dtype or the events contradict one another.
    """

    signal: np.ndarray
    sfreq: float
    ch_names: tuple[str, ...]
    recording: str
    subject: str
    session: str
    events: pd.DataFrame
    source: str
    sha256: str
    montage: str | None = None
    gaps: tuple[int, ...] = ()
    sfreq_measured: float | None = None
    meas_note: str = ""
    bad_channels: tuple[str, ...] = ()
    import_options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _checks.check_shape("signal", self.signal.shape, (len(self.ch_names), None), "chan time")
        if self.signal.dtype != np.float32:
            raise ValueError(
                f"a signal is float32 in V; {self.source} gives {self.signal.dtype}; convert it "
                f"with astype."
            )
        _checks.check_positive("sfreq", self.sfreq)
        if not self.n_samples:
            raise ValueError(
                f"a recording needs samples; {self.source} has none; leave the file out."
            )
        if len(set(self.ch_names)) < len(self.ch_names):
            raise ValueError(
                f"channel names must differ; {self.source} has {list(self.ch_names)}; rename the "
                f"doubles."
            )
        missing = [name for name in EVENT_COLUMNS if name not in self.events.columns]
        if missing:
            raise ValueError(
                f"events need the columns {list(EVENT_COLUMNS)}; {self.source} lacks {missing}; "
                f"add them."
            )
        samples = self.events["sample"].to_numpy()
        if len(samples) and (samples.min() < 0 or samples.max() >= self.n_samples):
            raise ValueError(
                f"events must lie in the recording's {self.n_samples} samples; {self.source} has "
                f"events from {samples.min()} to {samples.max()}; correct or remove them."
            )

    @property
    def n_samples(self) -> int:
        """Length of the signal."""
        return int(self.signal.shape[1])

    @property
    def n_gaps(self) -> int:
        """How often samples are missing."""
        return len(self.gaps)

    @property
    def duration(self) -> float:
        """Length in s, gaps not counted."""
        return self.n_samples / self.sfreq


def signal_sha256(signal: np.ndarray) -> str:
    """Hash the samples of a signal, whatever its memory layout."""
    return hashlib.sha256(np.ascontiguousarray(signal).data).hexdigest()


class UnknownChannelError(ValueError):
    """Channels are to be left out that a recording does not have; another one may."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


def check_dropped(names: Sequence[str], found: Sequence[str]) -> None:
    """Refuse to leave out channels that a recording lacks, all at once.

    Raises
    ------
    UnknownChannelError
        In the words of the first one.
    """
    unknown = [name for name in names if name not in found]
    if unknown:
        try:
            _checks.check_option("drop-channels", unknown[0], found)
        except ValueError as error:
            raise UnknownChannelError(str(error), unknown) from None


def drop_channels(recording: Recording, names: Sequence[str]) -> Recording:
    """Return the recording without the named channels; a name that it lacks is refused."""
    check_dropped(names, recording.ch_names)
    keep = [i for i, name in enumerate(recording.ch_names) if name not in names]
    if not keep:
        raise ValueError(
            f"a recording needs a channel; {recording.source} would keep none of "
            f"{list(recording.ch_names)}; drop fewer channels."
        )
    return replace(
        recording,
        signal=recording.signal[keep],
        ch_names=tuple(recording.ch_names[i] for i in keep),
    )


def check_channels(recording: Recording) -> None:
    """Refuse a recording with a constant channel or with samples that are not finite."""
    for name, samples in zip(recording.ch_names, recording.signal, strict=True):
        bad = ~np.isfinite(samples)
        remedy = f"leave the channel out with --drop-channels {name}, or leave the file out."
        if bad.any():
            raise ValueError(
                f"every sample must be a finite number; channel {name} of {recording.source} is "
                f"not at "
                f"{int(bad.sum())} of {len(samples)} samples, the first at {int(bad.argmax())}; "
                f"{remedy}"
            )
        if len(samples) and np.ptp(samples) == 0:
            raise ValueError(
                f"a channel must carry a signal; channel {name} of {recording.source} is constant "
                f"at {samples[0] * 1e6:.6g} uV; {remedy}"
            )


def check_distinct(recordings: Sequence[Recording]) -> None:
    """Refuse two recordings with the same name or with the same samples under two names."""
    by_name: dict[str, str] = {}
    by_signal: dict[str, str] = {}
    for recording in recordings:
        if recording.recording in by_name:
            raise ValueError(
                f"recording names must differ; {by_name[recording.recording]} and "
                f"{recording.source} are both '{recording.recording}'; rename one of the files."
            )
        digest = signal_sha256(recording.signal)
        if digest in by_signal:
            raise ValueError(
                "the same recording must not count twice, or it stands on both sides of a split; "
                f"{by_signal[digest]} and {recording.recording} ({recording.source}) hold the same "
                "signal; leave one of them out."
            )
        by_name[recording.recording] = recording.source
        by_signal[digest] = f"{recording.recording} ({recording.source})"
