"""How evenly pictures change along straight lines between classes in feature space."""

from itertools import combinations

import numpy as np
from jaxtyping import Float, Int, UInt8

from phosphene._checks import check_finite
from phosphene.evaluation.intervals import cluster_bootstrap
from phosphene.score import Score

TENTH = 0.1
FEWEST_POINTS = 11
"""Points that leave ten steps, of which the steepest is a tenth."""
FEWEST_CLASSES = 3
"""Classes from which on an interval over them can be given."""


def lines_between(
    centres: Float[np.ndarray, "class feature"], *, n_points: int = 21
) -> tuple[Float[np.ndarray, "path point feature"], Int[np.ndarray, "path 2"]]:
    """Return evenly spaced points on the straight line between every two classes.

    Parameters
    ----------
    centres
        One point per class, such as the mean features of its training trials.
    n_points
        Points of each line, both ends included.

    Returns
    -------
    points
        What a generator is to be fed, with one draw of noise for a whole path: else the noise
        changes the pictures too.
    pairs
        The classes at the ends of each path, the lower one first.
    """
    _check_points(n_points)
    if len(centres) < 2:
        raise ValueError(f"a line needs two classes; got {len(centres)}; add another class.")
    pairs = np.array(list(combinations(range(len(centres)), 2)), dtype=np.int64)
    return _between(centres[pairs[:, 0]], centres[pairs[:, 1]], n_points), pairs


def cross_fade(
    starts: UInt8[np.ndarray, "path height width color"],
    ends: UInt8[np.ndarray, "path height width color"],
    *,
    n_points: int = 21,
) -> UInt8[np.ndarray, "path point height width color"]:
    """Blend one picture into another: the most even path there is in pixels.

    Scored with its own ends it is what `interpolation_smoothness` is read against: the extractor
    itself may change its mind at once where pixels change evenly.
    """
    _check_points(n_points)
    faded = _between(starts.astype(np.float64), ends.astype(np.float64), n_points)
    return np.rint(faded).astype(np.uint8)


def interpolation_smoothness(
    features: Float[np.ndarray, "path point feature"],
    pairs: Int[np.ndarray, "path 2"],
    *,
    extractor: str,
    method: str,
    split: str = "",
    role: str = "result",
    seed: int = 0,
) -> list[Score]:
    """Evenness and directness of the pictures along paths between classes, as a judge sees them.

    A step is the Euclidean distance of the extractor's features of two neighbouring pictures.

    - "interpolation smoothness": of the judged change along a path, the share that happens outside
      its steepest tenth, divided by 0.9. 1: every tenth of the way changes the picture equally; 0:
      the picture jumps from one class to the other. Where the steps are no multiple of ten, a part
      of a step counts.
    - "interpolation detour": the sum of the steps of all paths over the sum of the distances
      between their two ends. 1: straight towards the other class; 2: twice that way, with other
      pictures in between.

    Neither says whether the pictures are good. A generator that does not listen to the features at
    all changes nothing: paths without any change are left out of the smoothness and counted in the
    note, and there is no score if no path leads elsewhere. Both depend on the extractor: compare
    with the values of `cross_fade` between the same ends (role "baseline") and between real
    pictures of the same classes (role "reference"), at the same number of points.

    Parameters
    ----------
    features
        Of the picture at each point of each path; several paths may join the same classes, with
        other noise.
    pairs
        Classes at the two ends of each path.
    extractor
        For the names: "domain" gives "interpolation smoothness[domain]".
    method, split, role
        Words for the scores.
    seed
        Of the bootstrap.

    Returns
    -------
    list of Score
        Smoothness, averaged over paths, and detour; empty if all paths end where they begin. Their
        intervals draw classes, not paths, with replacement: paths share classes. They are a little
        too narrow for few classes; with fewer than 3 there is none.

    Raises
    ------
    ValueError
        If a path has fewer than 11 points or joins a class to itself, or values are not finite.

    References
    ----------
    Paths judged by the features of a network: Karras et al., CVPR 2019, section 4.1,
    https://arxiv.org/abs/1812.04948, who square the steps and so see the mean slope, not its peaks.
    """
    n_points = features.shape[1]
    _check_points(n_points)
    check_finite("features", features)
    if len(pairs) != len(features) or (pairs[:, 0] == pairs[:, 1]).any():
        raise ValueError(
            f"each path joins two different classes; got {len(features)} paths and {len(pairs)} "
            f"pairs, {int((pairs[:, 0] == pairs[:, 1]).sum())} of them of equal classes; take "
            "both from `lines_between`."
        )
    features = features.astype(np.float64)
    steps = np.linalg.norm(np.diff(features, axis=1), axis=2)
    ends = np.linalg.norm(features[:, -1] - features[:, 0], axis=1)
    moves = steps.sum(axis=1) > 0
    if not ends.any():
        return []
    smooth = _evenness(steps[moves])
    n_still = int((~moves).sum())
    classes, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(pairs.shape)

    def mean_smoothness(drawn: np.ndarray) -> float:
        weights = (drawn[places[:, 0]] * drawn[places[:, 1]])[moves]
        return float(np.average(smooth, weights=weights)) if weights.any() else np.nan

    def detour(drawn: np.ndarray) -> float:
        weights = drawn[places[:, 0]] * drawn[places[:, 1]]
        way = weights @ ends
        return float(weights @ steps.sum(axis=1) / way) if way > 0 else np.nan

    scores = []
    for name, statistic, bounds, higher in (
        ("interpolation smoothness", mean_smoothness, (0.0, 1.0), True),
        ("interpolation detour", detour, (1.0, np.inf), False),
    ):
        low, high, interval = None, None, ""
        if len(classes) >= FEWEST_CLASSES:
            low, high = cluster_bootstrap(statistic, len(classes), bounds=bounds, seed=seed)
            interval = f"t with bootstrap error over classes ({len(features)} paths)"
        scores.append(
            Score(
                name=f"{name}[{extractor}]",
                value=statistic(np.ones(len(classes), dtype=np.int64)),
                low=low,
                high=high,
                n=len(classes),
                unit="classes",
                higher_is_better=higher,
                section="pictures",
                role=role,
                method=method,
                split=split,
                extractor=extractor,
                interval=interval,
                note=f"{n_points} points a path; {n_still} of {len(features)} paths without change",
            )
        )
    return scores


def _evenness(steps: Float[np.ndarray, "path step"]) -> Float[np.ndarray, " path"]:
    """Share of each path's change outside its steepest tenth, over what an even path has there."""
    n_steepest = TENTH * steps.shape[1]
    # A step counts wholly, in part or not at all among the steepest.
    counted = np.clip(n_steepest - np.arange(steps.shape[1]), 0, 1)
    falling = -np.sort(-steps, axis=1)
    steepest = falling @ counted / steps.sum(axis=1)
    return np.clip((1 - steepest) / (1 - TENTH), 0, 1)  # rounding may leave 1e-16 outside


def _between(starts: np.ndarray, ends: np.ndarray, n_points: int) -> np.ndarray:
    share = np.linspace(0, 1, n_points).reshape(1, -1, *[1] * (starts.ndim - 1))
    return (1 - share) * starts[:, None] + share * ends[:, None]


def _check_points(n_points: int) -> None:
    if n_points < FEWEST_POINTS:
        raise ValueError(
            f"a path needs at least {FEWEST_POINTS} points, which leave ten steps; got {n_points}; "
            "place more of them."
        )
