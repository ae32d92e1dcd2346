"""Stretches of recording, put together again from windows that share samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from phosphene.audit.seams import Seams


@dataclass(frozen=True, eq=False)
class Stretches:
    """Where each window lies in a continuous stretch of signal.

    A recording of which no window is missing is one stretch; where windows are missing, or do not
    overlap, it falls into several. So the number of stretches is the most recordings that there
    may be.

    Parameters
    ----------
    stretch
        ``(trial,)`` number of the stretch, from 0; windows that share samples, directly or through
        others, have one number.
    start
        ``(trial,)`` first sample of the window, counted from the first of its stretch.
    n_times
        Samples per window.
    """

    stretch: np.ndarray
    start: np.ndarray
    n_times: int

    @property
    def n_stretches(self) -> int:
        """How many stretches there are, single windows included."""
        return int(self.stretch.max(initial=-1)) + 1

    @property
    def sizes(self) -> np.ndarray:
        """Windows of each stretch."""
        return np.bincount(self.stretch, minlength=self.n_stretches)

    @property
    def lengths(self) -> np.ndarray:
        """Samples of each stretch."""
        ends = np.zeros(self.n_stretches, dtype=np.int64)
        np.maximum.at(ends, self.stretch, self.start + self.n_times)
        return ends

    def to_table(self) -> pd.DataFrame:
        """Return ``recording, start, stop`` as a trial table has them, of stretches."""
        return pd.DataFrame(
            {
                "recording": self.stretch.astype(str),
                "start": self.start,
                "stop": self.start + self.n_times,
            }
        )


def join_windows(seams: Seams, *, n_windows: int, n_times: int) -> Stretches:
    """Put windows in line that share samples."""
    ones = np.ones(len(seams), dtype=np.int8)
    graph = coo_array((ones, (seams.first, seams.second)), shape=(n_windows, n_windows))
    _, stretch = connected_components(graph, directed=False)
    start = _places(seams, n_windows)
    least = np.full(int(stretch.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, stretch, start)
    return Stretches(stretch.astype(np.int64), start - least[stretch], n_times)


def _places(seams: Seams, n_windows: int) -> np.ndarray:
    """Walk from window to window and add up the lags; the first of each stretch is at 0."""
    ends = np.concatenate([seams.first, seams.second])
    others = np.concatenate([seams.second, seams.first])
    lags = np.concatenate([seams.lag, -seams.lag])
    order = np.argsort(ends, kind="stable")
    others, lags = others[order].tolist(), lags[order].tolist()
    begins = np.searchsorted(ends[order], np.arange(n_windows + 1)).tolist()
    place: list[int | None] = [None] * n_windows
    for root in range(n_windows):
        if place[root] is not None:
            continue
        place[root] = 0
        waiting = [root]
        while waiting:
            window = waiting.pop()
            here = place[window] or 0
            for k in range(begins[window], begins[window + 1]):
                if place[others[k]] is None:
                    place[others[k]] = here + lags[k]
                    waiting.append(others[k])
    return np.array(place, dtype=np.int64)
