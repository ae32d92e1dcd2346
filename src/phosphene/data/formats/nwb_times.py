"""Time stamps of an NWB series: rate, gaps, and the sample that is nearest to a time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from phosphene import _checks
from phosphene.data.formats.hdf5_file import attribute, find_group, read_numbers, read_texts

if TYPE_CHECKING:
    import h5py

CLOCK = 1e-4
"""Share by which a clock may differ from a whole number of Hz that is then the nominal rate."""
NO_TIME = -1.0
"""Stamp of samples at the start of some published recordings that were never given a time."""
BAD_STEP_S = 0.1
"""Distance of the gaps that fill a stretch of invalid times, so that no window lies within."""


@dataclass(frozen=True, eq=False)
class SampleTimes:
    """When the samples of a series were taken."""

    times: np.ndarray
    """``(time,)`` s, rising."""
    skipped: int
    """Samples before the first that has a time."""
    sfreq: float
    """Nominal rate in Hz."""
    measured: float | None
    """Rate by the time stamps, gaps left out; None where the file gives only a rate."""
    gaps: tuple[int, ...]
    """First sample after each place where samples are missing."""

    def nearest(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sample nearest to each time, and its distance in s."""
        after = np.searchsorted(self.times, seconds).clip(1, len(self.times) - 1)
        left, right = self.times[after - 1], self.times[after]
        sample = np.where(seconds - left <= right - seconds, after - 1, after)
        return sample.astype(np.int64), np.abs(self.times[sample] - seconds)


def read_times(series: "h5py.Group", *, n_samples: int) -> SampleTimes:
    """Read time stamps, or rate and start where a series has no stamps.

    Samples at the start whose stamp is -1, as in some published recordings, are skipped. A step of
    more than one and a half periods is a gap; any other step must be within half a period of one.

    Raises
    ------
    ValueError
        When there are neither stamps nor a rate, or they are not finite or do not rise evenly.
    """
    source = series.file.filename
    times = read_numbers(series, "timestamps")
    if times is None:
        return _from_rate(series, n_samples)
    times = times.astype(np.float64)
    if len(times) != n_samples:
        raise ValueError(
            f"each sample needs a time stamp; {source} has {len(times)} for {n_samples} samples; "
            "download or export it again."
        )
    if not np.isfinite(times).all():
        raise ValueError(
            f"time stamps must be finite; {int((~np.isfinite(times)).sum())} of {source} are not; "
            "export it again."
        )
    skipped = int((times != NO_TIME).argmax()) if (times != NO_TIME).any() else n_samples
    times = times[skipped:]
    if len(times) < 3:
        raise ValueError(
            f"a recording needs at least 3 samples with a time; {source} has {len(times)}; "
            "download or export it again."
        )
    steps = np.diff(times)
    period = float(np.median(steps))
    uneven = ~(np.abs(steps - period) <= period / 2)
    is_gap = steps > 1.5 * period
    if period <= 0 or (uneven & ~is_gap).any():
        at = int((uneven & ~is_gap).argmax())
        raise ValueError(
            f"time stamps must rise evenly between gaps; {source} has {times[at]:.6f} and then "
            f"{times[at + 1]:.6f} s at sample {skipped + at + 1}, others are {period:.6f} s apart; "
            "correct or export it again."
        )
    measured = float((~is_gap).sum() / steps[~is_gap].sum())
    whole = float(round(measured))
    sfreq = whole if abs(measured - whole) <= CLOCK * measured else measured
    gaps = (np.flatnonzero(is_gap) + 1).tolist()
    return SampleTimes(times, skipped, sfreq, measured, tuple(gaps))


def read_invalid(session: "h5py.File", labels: "set[str]") -> list[tuple[float, float]]:
    """Return the stretches ``(start, stop)`` in s that a session calls invalid for a probe.

    Parameters
    ----------
    session
        Whose table ``intervals/invalid_times`` is read, if there is one.
    labels
        What tags call the probe; 'all_probes' counts for each. A stretch without tags counts.
    """
    table = find_group(session, "intervals/invalid_times")
    if table is None:
        return []
    starts, stops = read_numbers(table, "start_time"), read_numbers(table, "stop_time")
    if starts is None or stops is None or len(starts) != len(stops):
        raise ValueError(
            f"invalid times need a start and a stop each; those of {session.filename} lack some; "
            "export it again."
        )
    tags, ends = read_texts(table, "tags"), read_numbers(table, "tags_index")
    if tags is None or ends is None or len(ends) != len(starts):
        return list(zip(starts.tolist(), stops.tolist(), strict=True))
    begins = [0, *ends[:-1].tolist()]
    found = []
    for start, stop, begin, end in zip(starts, stops, begins, ends.tolist(), strict=True):
        if not tags[begin:end] or labels & set(tags[begin:end]):
            found.append((float(start), float(stop)))
    return found


def gaps_of(times: SampleTimes, stretches: list[tuple[float, float]]) -> tuple[int, ...]:
    """Return the gaps of a recording with those that fill stretches of invalid times."""
    gaps = set(times.gaps)
    step = max(1, round(BAD_STEP_S * times.sfreq))
    for start, stop in stretches:
        first, last = np.searchsorted(times.times, [start, stop]).tolist()
        gaps.update(range(first, last, step))
        gaps.update((first, last))
    return tuple(sorted(gap for gap in gaps if 0 < gap < len(times.times)))


def _from_rate(series: "h5py.Group", n_samples: int) -> SampleTimes:
    import h5py

    start = series.get("starting_time")
    rate = attribute(start, "rate") if isinstance(start, h5py.Dataset) else None
    if not isinstance(start, h5py.Dataset) or start.shape != () or not isinstance(rate, float):
        raise ValueError(
            f"a series needs time stamps or a rate; {series.name} of {series.file.filename} has "
            "neither; export it with its times."
        )
    _checks.check_positive(f"rate of {series.file.filename}", rate)
    return SampleTimes(float(start[()]) + np.arange(n_samples) / rate, 0, rate, None, ())
