"""Trials that are copies of one another: as they are, rescaled, or resampled and filtered.

Copies with equal samples are found by their hash. For the others each channel of a trial is
shifted and scaled by itself, and trials are described by their whitened principal components.
Extreme values are clipped, and the rest of the components must agree without them, so that neither
slow drift nor a blink makes two trials alike. Neighbours are looked up in a tree of the first
components; all pairs are never compared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from scipy.stats import beta

from phosphene.audit.seams import FLAT
from phosphene.data.trials import content_hash

SAME, RESCALED, SIMILAR = "the same samples", "rescaled", "resampled or filtered"
LEAST_LIKE = 0.9
"""Correlation of two trials' components from which they count as copies."""
EXPECTED_BY_CHANCE = 1e-6
"""Pairs of independent trials that may pass; the limit rises where components are few."""
SAME_SHAPE = 1e-5
"""Largest ``1 - correlation`` of every channel of trials that are rescaled and nothing else."""
_MAX_CHANS, _MAX_TIMES = 16, 64
_MAX_COMPONENTS, _N_NEAR = 64, 8
_NEAR_LIKE = 0.97
"""Correlation in the first components from which pairs are looked at."""
_FITTED_ON = 4000
_N_NEIGHBOURS = 5
_CLIP = 3.0


@dataclass(frozen=True, eq=False)
class Copies:
    """Groups of trials that are copies of one another.

    Parameters
    ----------
    group
        ``(trial,)`` int64 number of the group; -1 for a trial without a copy.
    how
        `SAME`, `RESCALED` or `SIMILAR` for each group: the loosest relation in it.
    least_like
        Correlation that was asked for; above 1 where too few components allow no judgement.
    """

    group: np.ndarray
    how: tuple[str, ...]
    least_like: float

    def pairs(self) -> np.ndarray:
        """Return ``(pair, 2)`` rows: every copy with the first trial of its group."""
        rows = np.flatnonzero(self.group >= 0)
        if not len(rows):
            return np.zeros((0, 2), dtype=np.int64)
        _, first, inverse = np.unique(self.group[rows], return_index=True, return_inverse=True)
        found = np.stack([rows[first][inverse], rows], axis=1)
        return found[found[:, 0] != found[:, 1]]


def find_copies(
    epochs: np.ndarray,
    rng: np.random.Generator,
    *,
    is_explained: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Copies:
    """Group trials that hold the same signal.

    Trials in which nothing varies are passed over.

    Parameters
    ----------
    epochs
        ``(trial, chan, time)``, any unit; a memory map is read in parts.
    is_explained
        Says of ``(pair, 2)`` rows which pairs are alike for another reason, such as neighbouring
        windows that overlap; they are no copies unless their samples are the same.
    rng
        Draws the trials on which components are fitted.
    """
    varies = np.array([bool((np.ptp(epoch, axis=1) > 0).any()) for epoch in epochs])
    hashes = np.array([content_hash(np.asarray(e, np.float32) + np.float32(0)) for e in epochs])
    _, leader, member = np.unique(hashes, return_index=True, return_inverse=True)
    same = np.stack([leader[member], np.arange(len(epochs))], axis=1)
    same = same[(same[:, 0] != same[:, 1]) & varies[same[:, 1]]]
    rows = np.sort(leader[varies[leader]])  # one of each content goes on
    near, limit = _similar_pairs(epochs, rows, rng)
    if is_explained is not None:
        near = near[~is_explained(near)]
    rescaled = _is_rescaled(epochs, near)
    pairs = np.concatenate([same, near])
    how = np.concatenate([np.zeros(len(same), int), np.where(rescaled, 1, 2)])
    n = len(epochs)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, found = connected_components(graph, directed=False)
    sizes = np.bincount(found)
    kept = np.flatnonzero(sizes > 1)
    number = np.full(len(sizes), -1)
    number[kept] = np.arange(len(kept))
    loosest = np.zeros(len(kept), int)
    np.maximum.at(loosest, number[found[pairs[:, 0]]], how)
    words = tuple((SAME, RESCALED, SIMILAR)[k] for k in loosest)
    return Copies(number[found].astype(np.int64), words, limit)


def chance_limit(n_trials: int, n_components: int) -> float:
    """Return the correlation that `EXPECTED_BY_CHANCE` pairs of independent trials exceed.

    The square of a correlation in p independent dimensions is Beta(1/2, (p - 1) / 2).
    """
    if n_components < 2:
        return 2.0
    n_pairs = max(1.0, n_trials * (n_trials - 1) / 2)
    square = beta.isf(min(1.0, 2 * EXPECTED_BY_CHANCE / n_pairs), 0.5, (n_components - 1) / 2)
    return 2.0 if square > 0.998 else max(LEAST_LIKE, float(np.sqrt(square)))


def _similar_pairs(
    epochs: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Return ``(pair, 2)`` rows that are alike, and the correlation that this takes."""
    none = np.zeros((0, 2), dtype=np.int64)
    if len(rows) < 3:
        return none, 2.0
    found = _components(_described(epochs, rows), rng)
    limit = chance_limit(len(rows), found.shape[1])
    if limit > 1:
        return none, limit
    moderate = np.abs(found) < _CLIP
    size = np.linalg.norm(found, axis=1, keepdims=True)
    near = (found * (np.sqrt(found.shape[1]) / np.where(size > 0, size, 1.0)))[:, :_N_NEAR]
    # in a dimension of variance v, copies of correlation r are sqrt(2 v (1 - r)) apart
    radius = 1.5 * np.sqrt(2 * (1 - _NEAR_LIKE) * near.var(axis=0).sum())
    distance, neighbour = KDTree(near).query(
        near, k=min(_N_NEIGHBOURS + 1, len(near)), distance_upper_bound=radius
    )
    one, slot = np.nonzero(np.isfinite(distance))
    other = neighbour[one, slot]
    one, other = one[one < other], other[one < other]
    by_count = [chance_limit(len(rows), n) for n in range(found.shape[1] + 1)]
    alike = np.zeros(len(one), dtype=bool)
    for begin in range(0, len(one), 100_000):
        some = slice(begin, begin + 100_000)
        left, right = found[one[some]], found[other[some]]
        both = moderate[one[some]] & moderate[other[some]]
        enough = np.array(by_count)[both.sum(axis=1)]
        alike[some] = (_correlation(left, right) > limit) & (
            _correlation(left * both, right * both) > enough
        )
    return np.stack([rows[one], rows[other]], axis=1)[alike], limit


def _correlation(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the correlation of each row with the same row of the other, means taken as 0."""
    sizes = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left * right).sum(axis=1) / np.where(sizes > 0, sizes, 1.0)


def _described(epochs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return ``(row, value)`` float32: few channels and times, in units of a channel's steps."""
    _, n_chans, n_times = epochs.shape
    channels = np.unique(np.linspace(0, n_chans - 1, _MAX_CHANS).round().astype(int))
    edges = np.linspace(0, n_times, min(n_times, _MAX_TIMES) + 1).round().astype(int)
    described = np.empty((len(rows), len(channels) * (len(edges) - 1)), np.float32)
    for begin in range(0, len(rows), 1000):
        some = rows[begin : begin + 1000]
        samples = np.asarray(epochs[some][:, channels], dtype=np.float64)
        samples = samples - samples.mean(axis=2, keepdims=True)
        means = np.add.reduceat(samples, edges[:-1], axis=2) / np.diff(edges)
        size = _steps(means)
        flat = size <= FLAT * np.abs(samples).max(axis=2, keepdims=True, initial=0)
        means = np.where(flat, 0.0, means / np.where(flat, 1.0, size))
        described[begin : begin + len(some)] = means.reshape(len(some), -1)
    return described


def _steps(samples: np.ndarray) -> np.ndarray:
    """Return the typical step of each channel, ``(trial, chan, 1)``; drift and blinks do not count.

    It is 0 for a single sample and for a channel that mostly stays where it is.
    """
    if samples.shape[2] < 3:
        return np.linalg.norm(samples, axis=2, keepdims=True)
    steps = np.diff(samples, axis=2)
    return np.median(np.abs(steps - np.median(steps, axis=2, keepdims=True)), axis=2, keepdims=True)


def _components(described: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return whitened principal components, clipped; fewer where the rest is rounding."""
    fitted = rng.choice(len(described), min(len(described), _FITTED_ON), replace=False)
    mean = described[fitted].mean(axis=0)
    rows = (described[fitted] - mean).astype(np.float64)
    wide = rows.shape[1] > len(rows)
    square = (rows @ rows.T if wide else rows.T @ rows) / len(rows)
    most = min(_MAX_COMPONENTS, len(fitted) // 4, len(square))
    if most < 2:
        return np.zeros((len(described), 0))
    spread, axes = eigh(square, subset_by_index=(len(square) - most, len(square) - 1))
    kept = spread > 1e-7 * max(spread[-1], 1e-30)
    spread, axes = spread[kept][::-1], axes[:, kept][:, ::-1]
    if wide:
        axes = rows.T @ axes / np.sqrt(len(rows) * spread)
    found = (described - mean) @ (axes / np.sqrt(spread)).astype(np.float32)
    found /= 1.4826 * np.median(np.abs(found[fitted]), axis=0) + 1e-30  # few trials may be extreme
    return np.clip(found, -_CLIP, _CLIP)


def _is_rescaled(epochs: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Say of each pair whether every channel is the same but for shift and scale."""
    found = np.zeros(len(pairs), dtype=bool)
    for k, (one, other) in enumerate(pairs):
        left, right = (np.asarray(epochs[row], dtype=np.float64) for row in (one, other))
        left = left - left.mean(axis=1, keepdims=True)
        right = right - right.mean(axis=1, keepdims=True)
        sizes = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        moves = sizes > 0
        correlation = (left * right).sum(axis=1)[moves] / sizes[moves]
        found[k] = bool(len(correlation)) and bool((correlation > 1 - SAME_SHAPE).all())
    return found
