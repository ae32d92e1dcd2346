"""Windows that share samples, found from the samples: the end of one is the beginning of another.

Nothing compares all pairs. The first samples of each window are looked up among the samples at all
places of all windows, by a hash where values are the same, and by rounded random projections where
each window was scaled by itself; every hit is then verified on all samples that the two would
share.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

MAX_CHANS = 16
"""Channels that are looked at, evenly spread; more would only confirm what these say."""
N_VALUES = 32
"""Values that must be the same before a hit of the exact search is verified."""
SMALLEST_DIMENSION = 12
"""Independent directions in which unrelated beginnings must differ widely for a scaled search."""
LIKE = 1e-5
"""Largest ``1 - correlation`` of two channels that hold the same samples, each scaled anew."""
FLAT = 1e-6
"""A channel whose standard deviation is below this share of its size does not vary."""
_N_PROJECTIONS = 6
_CELL = 0.02
"""Width of a cell of the projections in standard deviations."""
_TRIED = 3
"""Hits of a beginning that are verified, those of least lag."""
_CHUNK = 1 << 25
"""Values of windows that are looked at together."""
_LENGTHS = (4, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclass(frozen=True, eq=False)
class Seams:
    """Pairs of windows of which the second begins inside the first.

    Parameters
    ----------
    first, second
        ``(pair,)`` rows of the windows, int64.
    lag
        ``(pair,)`` samples from the beginning of the first to that of the second, from 0.
    scaled
        Whether windows match only after each is shifted and scaled by itself.
    n_least
        Shared samples below which nothing was looked for; 0 where no search was possible.
    """

    first: np.ndarray
    second: np.ndarray
    lag: np.ndarray
    scaled: bool
    n_least: int

    def __len__(self) -> int:
        return len(self.lag)


def find_seams(epochs: np.ndarray, rng: np.random.Generator) -> Seams:
    """Match ends and beginnings of windows, first by equal values, then after scaling each.

    For each window the windows that it begins in are found, those of least lag.

    Parameters
    ----------
    epochs
        ``(trial, chan, time)``, any unit; a memory map is read in parts.
    rng
        Draws the salts of hashes, and projections.
    """
    channels = np.unique(np.linspace(0, epochs.shape[1] - 1, MAX_CHANS).round().astype(int))
    exact = _find_exact(epochs, channels, rng)
    if len(np.unique(exact.second)) > len(epochs) // 2:  # nothing more to learn
        return exact
    scaled = _find_scaled(epochs, channels, rng)
    return scaled if len(scaled) > len(exact) else exact


def _find_exact(epochs: np.ndarray, channels: np.ndarray, rng: np.random.Generator) -> Seams:
    n_times = epochs.shape[2]
    n_least = max(2, -(-N_VALUES // len(channels)))
    if n_least >= n_times:
        return _nothing(scaled=False)
    salts = rng.integers(1, 1 << 63, (2, max(len(channels), n_least)), dtype=np.uint64) | np.uint64(
        1
    )
    parts, varies = [], []
    for rows in _chunks(epochs, len(channels)):
        samples = np.ascontiguousarray(epochs[rows][:, channels], dtype=np.float32) + np.float32(0)
        bits = samples.view(np.uint32)  # minus zero became zero above
        columns = np.zeros((len(samples), n_times), np.uint64)
        for channel, salt in enumerate(salts[0][: len(channels)]):
            columns += _mixed(bits[:, channel] + salt)
        n_places = n_times - n_least + 1
        places = np.zeros((len(samples), n_places), np.uint64)
        for k, salt in enumerate(salts[1][:n_least]):
            places += _mixed(columns[:, k : k + n_places] * salt)
        parts.append(places)
        varies.append(np.ptp(samples[:, :, :n_least], axis=2).astype(bool).mean(axis=1) > 0.5)
    return _match(epochs, channels, np.concatenate(parts), np.concatenate(varies), n_least, False)


def _find_scaled(epochs: np.ndarray, channels: np.ndarray, rng: np.random.Generator) -> Seams:
    n_least = _telling_length(epochs, channels, rng)
    if not n_least:
        return _nothing(scaled=True)
    projection = rng.standard_normal((len(channels), n_least, _N_PROJECTIONS))
    projection -= projection.mean(axis=1, keepdims=True)  # then a shift of a window does nothing
    parts, varies = [], []
    for rows in _chunks(epochs, len(channels)):
        samples = _centred(epochs[rows][:, channels])
        projected = np.zeros((len(samples), samples.shape[2] - n_least + 1, _N_PROJECTIONS))
        moves = np.zeros(projected.shape[:2])
        for channel in range(len(channels)):
            views = sliding_window_view(samples[:, channel], n_least, axis=1)
            size = views.std(axis=2)
            flat = size <= FLAT * np.abs(samples[:, channel]).max(axis=1, initial=0)[:, None]
            flat |= size == 0
            scale = np.where(flat, 0.0, 1 / np.where(flat, 1.0, size))
            projected += (views @ projection[channel]) * scale[:, :, None]
            moves += ~flat
        parts.append(projected.astype(np.float32))
        varies.append(moves > len(channels) / 2)
    projected, moves = np.concatenate(parts), np.concatenate(varies)
    projected /= projected[:: max(1, len(projected) // 2000)].std(axis=(0, 1)) + 1e-30
    found = []
    for offset in (0.0, 0.5):  # a value beside the edge of a cell is inside a cell of the other
        cells = np.floor(projected / np.float32(_CELL) + np.float32(offset)).astype(np.int64)
        keys = np.zeros(moves.shape, np.uint64)
        for axis, salt in enumerate(rng.integers(1, 1 << 63, _N_PROJECTIONS, dtype=np.uint64)):
            keys += _mixed(cells[:, :, axis].astype(np.uint64) * (salt | np.uint64(1)))
        keys[~moves] = rng.integers(1, 1 << 63, int((~moves).sum()), dtype=np.uint64)
        found.append(_match(epochs, channels, keys, moves[:, 0], n_least, True))
    pairs = np.concatenate([np.stack([s.first, s.second, s.lag]) for s in found], axis=1)
    first, second, lag = np.unique(pairs, axis=1)
    return Seams(first, second, lag, True, n_least)


def _match(
    epochs: np.ndarray,
    channels: np.ndarray,
    places: np.ndarray,
    varies: np.ndarray,
    n_least: int,
    scaled: bool,
) -> Seams:
    """Look up the key of each window's beginning among the keys of all places, and verify.

    `places` are keys ``(trial, place)``; windows that do not vary at their beginning are left out.
    """
    rows = np.flatnonzero(varies)
    order = rows[np.argsort(places[rows, 0], kind="stable")]
    keys = places[order, 0]
    distinct, begins = np.unique(keys, return_index=True)
    if not len(distinct):
        return _nothing(scaled=scaled, n_least=n_least)
    flat = places.ravel()
    at = np.minimum(np.searchsorted(distinct, flat), len(distinct) - 1)
    hits = np.flatnonzero(distinct[at] == flat)
    trial, lag = np.divmod(hits, places.shape[1])
    group = at[hits]
    leader = order[begins]  # windows that begin alike follow the first of them, with lag 0
    double = np.setdiff1d(np.arange(len(order)), begins)
    twins = np.stack(
        [leader[np.searchsorted(begins, double, side="right") - 1], order[double]]
    ).astype(np.int64)
    later = lag > 0
    trial, lag, second = trial[later], lag[later], leader[group[later]]
    trial, second, lag = _nearest(trial, second, lag)
    first = np.concatenate([twins[0], trial])
    second = np.concatenate([twins[1], second])
    lag = np.concatenate([np.zeros(twins.shape[1], np.int64), lag])
    good = _verify(epochs, channels, first, second, lag, scaled=scaled)
    return Seams(first[good], second[good], lag[good], scaled, n_least)


def _nearest(
    first: np.ndarray, second: np.ndarray, lag: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep, for each second window, the few pairs of least lag."""
    order = np.lexsort((first, lag, second))
    first, second, lag = first[order], second[order], lag[order]
    begins = np.flatnonzero(np.diff(second, prepend=-1))
    sizes = np.diff(np.append(begins, len(second)))
    rank = np.arange(len(second)) - np.repeat(begins, sizes)
    keep = rank < _TRIED
    return first[keep], second[keep], lag[keep]


def _verify(
    epochs: np.ndarray,
    channels: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    lag: np.ndarray,
    *,
    scaled: bool,
) -> np.ndarray:
    """Say of each pair whether all samples that it would share are the same."""
    good = np.zeros(len(lag), dtype=bool)
    n_times = epochs.shape[2]
    for each in np.unique(lag):
        (pairs,) = np.nonzero(lag == each)
        step = max(1, _CHUNK // (len(channels) * n_times))
        for begin in range(0, len(pairs), step):
            some = pairs[begin : begin + step]
            ends = epochs[first[some]][:, channels, each:]
            starts = epochs[second[some]][:, channels, : n_times - each]
            good[some] = _alike(ends, starts) if scaled else (ends == starts).all(axis=(1, 2))
    return good & (first != second)


def _alike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Say of each pair whether nearly all channels are the same but for shift and scale."""
    one, other = _centred(one), _centred(other)
    sizes = np.linalg.norm(one, axis=2) * np.linalg.norm(other, axis=2)
    flat = sizes == 0
    correlation = (one * other).sum(axis=2) / np.where(flat, 1.0, sizes)
    same = (correlation > 1 - LIKE) & ~flat
    return (same.sum(axis=1) >= 0.9 * (~flat).sum(axis=1)) & (same.mean(axis=1) > 0.5)


def _telling_length(epochs: np.ndarray, channels: np.ndarray, rng: np.random.Generator) -> int:
    """Return the fewest samples by which unrelated beginnings surely differ; 0 where none do.

    Slow signals look alike over a few samples once their scale is gone. So the beginnings, each
    channel scaled to norm 1, must spread over `SMALLEST_DIMENSION` independent directions, in each
    by ten times the error that a match may have.
    """
    n_times = epochs.shape[2]
    rows = np.sort(rng.choice(len(epochs), min(len(epochs), 1500), replace=False))
    samples = _centred(epochs[rows][:, channels])
    widest = 10 * np.sqrt(2 * LIKE * len(channels))
    for length in _LENGTHS:
        if length > n_times * 3 // 4:
            break
        begin = _centred(samples[:, :, :length])
        size = np.linalg.norm(begin, axis=2, keepdims=True)
        begin = (begin / np.where(size > 0, size, 1.0)).reshape(len(rows), -1)
        if min(begin.shape) <= SMALLEST_DIMENSION:
            continue
        spread = np.linalg.svd(begin - begin.mean(axis=0), compute_uv=False) / np.sqrt(len(rows))
        if spread[SMALLEST_DIMENSION - 1] > widest:
            return length
    return 0


def _centred(samples: np.ndarray) -> np.ndarray:
    """Return float64 with each channel's mean of each window taken off."""
    samples = np.asarray(samples, dtype=np.float64)
    return samples - samples.mean(axis=2, keepdims=True)


def _mixed(words: np.ndarray) -> np.ndarray:
    """Scramble 64-bit words (the finaliser of splitmix64), so that sums of them are hashes."""
    words = words.astype(np.uint64)
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def _chunks(epochs: np.ndarray, n_chans: int) -> Iterator[slice]:
    step = max(1, _CHUNK // (8 * n_chans * epochs.shape[2]))
    for begin in range(0, len(epochs), step):
        yield slice(begin, begin + step)


def _nothing(*, scaled: bool, n_least: int = 0) -> Seams:
    none = np.zeros(0, dtype=np.int64)
    return Seams(none, none, none, scaled, n_least)
