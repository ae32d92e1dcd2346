"""Averages of several trials of one class."""

import numpy as np
from jaxtyping import Float, Int


def group_repetitions(
    labels: Int[np.ndarray, " trial"],
    recordings: np.ndarray,
    *,
    n: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, "group n"]:
    """Deal trials of one class and recording into groups at random, each trial into one at most.

    Parameters
    ----------
    labels, recordings
        Class and recording of each trial.
    n
        Trials per group; what is left over is left out.
    rng
        Source of the order.

    Returns
    -------
    groups
        Positions of the trials of each group.

    Raises
    ------
    ValueError
        If `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"an average needs at least 1 trial; got {n}; take 1, 2, 4 or more.")
    found = [np.empty((0, n), dtype=np.int64)]
    for recording in np.unique(recordings):
        for label in np.unique(labels):
            rows = rng.permutation(np.flatnonzero((recordings == recording) & (labels == label)))
            whole = len(rows) // n * n
            found.append(rows[:whole].reshape(-1, n))
    return np.concatenate(found)


def average_repetitions(
    epochs: Float[np.ndarray, "trial chan time"], groups: Int[np.ndarray, "group n"]
) -> Float[np.ndarray, "group chan time"]:
    """Return the mean epoch of each group, summed in double precision.

    What repeats stays and the rest falls with the square root of the number of trials.
    """
    means = [epochs[rows].mean(axis=0, dtype=np.float64) for rows in groups]
    shape = (len(groups), *epochs.shape[1:])
    return np.array(means).reshape(shape).astype(epochs.dtype)
