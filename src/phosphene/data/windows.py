"""Overlapping windows of a long signal: millions of them, drawn without being laid out."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from phosphene import _checks
from phosphene._checks.arrays import map_npy


class Windows:
    """All windows of `n_times` samples of a signal, at every sample, but for excluded ranges.

    A recording of 12,081,284 samples has 12,080,972 windows of 313 samples (the LFPGAN thesis,
    section 3.1, counts one fewer). None is copied before it is drawn. What is kept is one row per
    range without exclusions, so a draw of n windows takes O(n log k) for k excluded ranges.

    An object is pickled with the path of its memory map, which the other process opens anew; a
    signal in memory is pickled whole.

    Parameters
    ----------
    signal
        ``(chan, time)`` float32, in memory or memory-mapped.
    n_times
        Samples per window.
    excluded
        Ranges ``(start, stop)`` of samples that no window may touch; in any order, they may overlap
        one another and reach beyond the signal.
    gaps
        First sample after each place where samples are missing, as in `Recording.gaps`; no window
        spans one.

    Raises
    ------
    ValueError
        When the signal is shorter than a window, or the ranges leave none.
    """

    def __init__(
        self,
        signal: np.ndarray,
        *,
        n_times: int,
        excluded: Iterable[tuple[int, int]] = (),
        gaps: Iterable[int] = (),
    ) -> None:
        _checks.check_shape("signal", signal.shape, (None, None), "chan time")
        _checks.check_positive("n_times", n_times)
        if signal.dtype != np.float32:
            raise ValueError(f"windows are of float32; got {signal.dtype}; convert with astype.")
        self.signal = signal
        self.n_times = int(n_times)
        n_samples = signal.shape[1]
        if n_samples < n_times:
            raise ValueError(
                f"a signal must hold a window; {n_samples} samples hold none of {n_times}; take a "
                "shorter window or a longer recording."
            )
        free = _free_ranges(n_samples, excluded, gaps)
        free = free[free[:, 1] - free[:, 0] >= n_times]
        if not len(free):
            raise ValueError(
                f"exclusions must leave a window; no {n_times} samples in a row of {n_samples} are "
                "left; exclude less or take a shorter window."
            )
        self._first = free[:, 0]
        """First start of each range without exclusions."""
        self._until = np.cumsum(free[:, 1] - free[:, 0] - n_times + 1)
        """Windows in the ranges up to and including each."""

    def __len__(self) -> int:
        return int(self._until[-1])

    @property
    def n_chans(self) -> int:
        """Channels of the signal."""
        return int(self.signal.shape[0])

    def starts(self, index: np.ndarray) -> np.ndarray:
        """Return the first sample of each window, int64.

        Parameters
        ----------
        index
            Numbers of windows, from 0 to ``len(self) - 1``.
        """
        index = np.asarray(index, dtype=np.int64)
        if index.size and not 0 <= index.min() <= index.max() < len(self):
            raise ValueError(
                f"windows count from 0 to {len(self) - 1}; got {index.min()} to {index.max()}; "
                "draw fewer."
            )
        part = np.searchsorted(self._until, index, side="right")
        before = np.concatenate([[0], self._until[:-1]])
        return self._first[part] + index - before[part]

    def at(self, starts: np.ndarray) -> np.ndarray:
        """Copy the windows that begin at the given samples, excluded or not.

        Parameters
        ----------
        starts
            First sample of each window.

        Returns
        -------
        np.ndarray
            ``(window, chan, time)`` float32, in the signal's unit.
        """
        starts = np.asarray(starts, dtype=np.int64)
        last = self.signal.shape[1] - self.n_times
        if starts.size and not 0 <= starts.min() <= starts.max() <= last:
            raise ValueError(
                f"windows begin at the samples 0 to {last}; got {starts.min()} to {starts.max()}; "
                "correct the starts."
            )
        views = sliding_window_view(np.asarray(self.signal), self.n_times, axis=1)
        return np.ascontiguousarray(views[:, starts].transpose(1, 0, 2))

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Copy `n` windows, each drawn from all with equal chance and with replacement.

        Returns
        -------
        np.ndarray
            ``(n, chan, time)`` float32, in the signal's unit.
        """
        _checks.check_positive("n", n)
        return self.at(self.starts(rng.integers(len(self), size=n)))

    def __getstate__(self) -> dict[str, object]:
        state = dict(self.__dict__)
        signal = self.signal
        if isinstance(signal, np.memmap) and signal.filename and _is_whole_npy(signal):
            state["signal"] = str(signal.filename)
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        if isinstance(state["signal"], str):
            state["signal"] = map_npy(Path(state["signal"]))
        self.__dict__.update(state)


def zscore_windows(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale each window to mean 0 and standard deviation 1, over its channels and times together.

    So the LFPGAN thesis (chapter 3) normalises its samples: channels keep their sizes relative to
    one another, the size of the window is lost. Sums are in float64.

    Parameters
    ----------
    windows
        ``(window, chan, time)``, in any unit.

    Returns
    -------
    windows
        ``(window, chan, time)`` float32, without unit.
    mean, sd
        ``(window,)`` float32 each, in the unit of `windows`; ``windows * sd + mean`` undoes it.

    Raises
    ------
    ValueError
        When a window is constant or holds NaN or infinity.
    """
    _checks.check_shape("windows", windows.shape, (None, None, None), "window chan time")
    low, high = windows.min(axis=(1, 2)), windows.max(axis=(1, 2))
    bad = ~(np.isfinite(low) & np.isfinite(high) & (low < high))
    if bad.any():
        raise ValueError(
            f"a window must vary and be finite to be z-scored; {int(bad.sum())} of {len(windows)} "
            f"do not, the first is number {int(bad.argmax())}; exclude those samples."
        )
    mean = windows.mean(axis=(1, 2), dtype=np.float64)
    sd = windows.std(axis=(1, 2), dtype=np.float64)
    scaled = (windows - mean[:, None, None]) / sd[:, None, None]
    return scaled.astype(np.float32), mean.astype(np.float32), sd.astype(np.float32)


def _free_ranges(
    n_samples: int, excluded: Iterable[tuple[int, int]], gaps: Iterable[int]
) -> np.ndarray:
    """Return the ranges ``(start, stop)`` without exclusions and gaps, ``(range, 2)`` int64."""
    ranges = np.array([(int(a), int(b)) for a, b in excluded], dtype=np.int64).reshape(-1, 2)
    if (ranges[:, 1] < ranges[:, 0]).any():
        start, stop = ranges[(ranges[:, 1] < ranges[:, 0]).argmax()]
        raise ValueError(
            f"an excluded range stops after it starts; got ({start}, {stop}); swap the two."
        )
    ranges = ranges[ranges[:, 1] > ranges[:, 0]].clip(0, n_samples)
    edges = np.array([int(gap) for gap in gaps], dtype=np.int64).clip(0, n_samples)
    ranges = np.concatenate([ranges, np.stack([edges, edges], axis=1)])  # a gap takes no samples
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    starts = np.concatenate([[0], np.maximum.accumulate(ranges[:, 1])]).astype(np.int64)
    stops = np.concatenate([ranges[:, 0], [n_samples]]).astype(np.int64)
    return np.stack([starts, stops], axis=1)[stops > starts]


def _is_whole_npy(signal: np.memmap) -> bool:
    """Say whether opening the file anew gives this array, not one of which it is a part."""
    try:
        again = map_npy(Path(str(signal.filename)))
    except (OSError, ValueError):
        return False
    return (
        again.shape == signal.shape
        and again.dtype == signal.dtype
        and again.offset == signal.offset
        and again.strides == signal.strides
    )
