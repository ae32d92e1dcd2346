"""What all scores of signals rest on: checked windows, and pictures as the independent units."""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy import stats

from phosphene._checks import check_finite
from phosphene.evaluation.intervals import cluster_bootstrap
from phosphene.score import Score

BLOCK = 256
"""Windows that are in double precision at a time."""
MAX_GROUPS = 24
"""Of pictures that a jackknife leaves out."""


def check_windows(name: str, signals: Float[np.ndarray, "window chan time"]) -> None:
    """Refuse an empty set of windows, empty windows, and values that are not finite.

    Raises
    ------
    ValueError
        If there is no window, channel or sample, or a value is not finite.
    """
    if 0 in signals.shape:
        raise ValueError(
            f"`{name}` needs at least one window, channel and sample; got the shape "
            f"{signals.shape}; draw signals first."
        )
    check_finite(name, signals)


def check_alike(
    real: Float[np.ndarray, "n_real chan time"], generated: Float[np.ndarray, "n_fake _ _"]
) -> None:
    """Refuse sets whose windows differ in channels or length.

    Raises
    ------
    ValueError
        Also for what `check_windows` refuses.
    """
    check_windows("real", real)
    check_windows("generated", generated)
    if real.shape[1:] != generated.shape[1:]:
        raise ValueError(
            "real and generated windows must have the same channels and samples; got "
            f"{real.shape[1:]} and {generated.shape[1:]}; generate them with the system that was "
            "trained on these recordings."
        )


def number_pictures(
    picture: Int[np.ndarray, " window"], n_windows: int
) -> Int[np.ndarray, " window"]:
    """Give pictures of windows numbers from 0, in the order of their rows.

    Raises
    ------
    ValueError
        If there is not one picture per window, or there are fewer than 2 pictures.
    """
    if len(picture) != n_windows:
        raise ValueError(
            f"`picture` needs one row number for each of {n_windows} windows; got {len(picture)}; "
            "pass the same selection of windows to every argument."
        )
    found, numbers = np.unique(picture, return_inverse=True)
    if len(found) < 2:
        raise ValueError(
            f"intervals over pictures need at least 2 pictures; got {len(found)}; "
            "hold out more pictures."
        )
    return numbers.astype(np.int64)


def blocks(signals: Float[np.ndarray, "window chan time"]) -> Iterator[tuple[slice, np.ndarray]]:
    """Walk over windows, a block at a time in double precision."""
    for first in range(0, len(signals), BLOCK):
        rows = slice(first, min(first + BLOCK, len(signals)))
        yield rows, signals[rows].astype(np.float64)


def sums_by_picture(
    values: Shaped[np.ndarray, "window ..."],
    numbers: Int[np.ndarray, " window"],
    *,
    n_pictures: int,
) -> Float[np.ndarray, "picture ..."]:
    """Sum values over the windows of each picture, whose numbers run from 0."""
    member = np.arange(n_pictures)[:, None] == numbers
    sums = member.astype(np.float64) @ values.reshape(len(values), -1).astype(np.float64)
    return sums.reshape(n_pictures, *values.shape[1:])


def mean_by_picture(
    signals: Float[np.ndarray, "window chan time"], picture: Int[np.ndarray, " window"]
) -> Float[np.ndarray, "picture chan time"]:
    """Average the windows of each picture, in double precision, in the order of picture rows."""
    numbers = number_pictures(picture, len(signals))
    n_pictures = int(numbers.max()) + 1
    total = np.zeros((n_pictures, *signals.shape[1:]))
    for rows, part in blocks(signals):
        total += sums_by_picture(part, numbers[rows], n_pictures=n_pictures)
    return total / np.bincount(numbers)[:, None, None]


def jackknife_interval(
    statistic: Callable[[np.ndarray], float],
    n_pictures: int,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of a number from leaving out each picture once, or one of 24 groups of pictures.

    A bootstrap holds some pictures several times. Where a number depends on how many different
    windows there are, as a Fréchet distance of many features does, that alone makes it vary, and
    the interval comes out several times too wide.

    Parameters
    ----------
    statistic
        Value as a function of whether each picture is in: an int64 array of 0 and 1.
    n_pictures
        At least 2.
    bounds
        Smallest and largest value of the number.
    seed
        Of the groups.

    References
    ----------
    Efron and Stein, Annals of Statistics 1981.
    """
    n_groups = min(n_pictures, MAX_GROUPS)
    group = np.random.default_rng(seed).permutation(np.arange(n_pictures) % n_groups)
    left = np.array([statistic((group != out).astype(np.int64)) for out in range(n_groups)])
    error = np.sqrt((n_groups - 1) / n_groups * ((left - left.mean()) ** 2).sum())
    value = statistic(np.ones(n_pictures, dtype=np.int64))
    reach = stats.t.ppf(0.975, n_groups - 1) * error
    return float(max(bounds[0], value - reach)), float(min(bounds[1], value + reach))


def picture_score(
    name: str,
    statistic: Callable[[np.ndarray], float],
    n_pictures: int,
    *,
    method: str,
    split: str,
    role: str,
    bounds: tuple[float, float] = (0.0, np.inf),
    higher_is_better: bool = False,
    extractor: str | None = None,
    note: str = "",
    n_resamples: int = 200,
    leave_out: bool = False,
    seed: int = 0,
) -> Score:
    """Score of signals whose interval draws pictures again, each with all its windows.

    Real and generated windows of a picture are drawn together. Networks are held fixed.

    Parameters
    ----------
    name
        Of the score.
    statistic
        Value as a function of how often each picture was drawn.
    n_pictures
        At least 2.
    method, split, role, extractor, note, higher_is_better
        As in `Score`.
    bounds
        Smallest and largest value of the number.
    n_resamples, seed
        Of the bootstrap; 200 draws leave an error of 5 % in the width (see `cluster_bootstrap`).
    leave_out
        Leave pictures out in place of drawing them (`jackknife_interval`), for numbers that depend
        on how many different windows there are.
    """
    if leave_out:
        low, high = jackknife_interval(statistic, n_pictures, bounds=bounds, seed=seed)
    else:
        low, high = cluster_bootstrap(
            statistic, n_pictures, bounds=bounds, n_resamples=n_resamples, seed=seed
        )
    return Score(
        name=name,
        value=statistic(np.ones(n_pictures, dtype=np.int64)),
        low=low,
        high=high,
        n=n_pictures,
        unit="pictures",
        higher_is_better=higher_is_better,
        section="signals",
        role=role,
        method=method,
        split=split,
        extractor=extractor,
        interval=f"t with {'jackknife' if leave_out else 'bootstrap'} error over pictures",
        note=note,
    )
