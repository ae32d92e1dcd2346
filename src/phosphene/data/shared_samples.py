"""Windows of one recording that share samples."""

import numpy as np
import pandas as pd


def count_shared_samples(
    table: pd.DataFrame, train: np.ndarray, test: np.ndarray, *, more_than: int = 0
) -> int:
    """Count test windows that overlap a training window of the same recording.

    Parameters
    ----------
    table
        A trial table; ``start`` and ``stop`` bound a window in samples of ``recording``.
    train, test
        Rows of it.
    more_than
        Samples that two windows may share without counting.
    """
    return int(find_shared_samples(table, train, test, more_than=more_than).sum())


def find_shared_samples(
    table: pd.DataFrame, train: np.ndarray, test: np.ndarray, *, more_than: int = 0
) -> np.ndarray:
    """Say for each of `test` whether it overlaps a training window; as `count_shared_samples`."""
    found = np.zeros(len(test), dtype=bool)
    recording = table["recording"].to_numpy(dtype=str)
    start, stop = table["start"].to_numpy(), table["stop"].to_numpy() - more_than
    for name in np.intersect1d(recording[train], recording[test]):
        known = train[recording[train] == name]
        here = recording[test] == name
        asked = test[here]
        known = known[np.argsort(start[known])]
        furthest = np.maximum.accumulate(stop[known])  # end of the windows that start before
        before = np.searchsorted(start[known], stop[asked], side="left")
        ends = np.where(before > 0, furthest[np.maximum(before - 1, 0)], np.iinfo(np.int64).min)
        found[here] = ends > start[asked]
    return found
