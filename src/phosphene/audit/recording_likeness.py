"""Recordings that are copies of one another: rescaled, shifted, resampled, or cut out of another.

All are compared by what a copy keeps: the signal from 1 to 12 Hz on one grid of time, channel by
channel, extreme values clipped. Its cross-correlation at every lag takes a Fourier transform.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import median_filter
from scipy.signal import butter, sosfiltfilt

from phosphene.data.recording import Recording

GRID = 32.0
"""Samples per second of the grid."""
BAND = (1.0, 12.0)
"""What is compared, in Hz: slower is electrode drift, faster may be filtered away in a copy."""
LEAST_LIKE = 0.85
"""Correlation from which two recordings count as copies."""
LEAST_SECONDS = 10.0
LEAST_SHARE = 0.25
"""Least overlap: so long, and this share of the shorter recording."""
MAX_SECONDS = 3600.0
"""So much of each recording is looked at, from its beginning."""
_MAX_CHANS = 8
_CLIP = 4.0


@dataclass(frozen=True)
class RecordingCopy:
    """Two recordings that hold the same signal.

    Parameters
    ----------
    one, other
        Their positions.
    correlation
        Of both on the grid, over the shared time.
    lag
        Beginning of the other after that of the first, in s.
    seconds
        Shared time.
    scale
        Amplitude of the other in units of the first.
    how
        In words: the same samples, or what was done to them.
    """

    one: int
    other: int
    correlation: float
    lag: float
    seconds: float
    scale: float
    how: str


def find_recording_copies(recordings: Sequence[Recording]) -> list[RecordingCopy]:
    """Compare every recording with every other one.

    Pairs without a channel of the same name are compared by the order of their channels, if they
    have as many. Recordings shorter than `LEAST_SECONDS` are passed over.
    """
    names = [n for r in recordings for n in r.ch_names]
    wanted = sorted(dict.fromkeys(names), key=lambda n: (-names.count(n), names.index(n)))
    grids = [_on_grid(recording, wanted[:_MAX_CHANS]) for recording in recordings]
    found = []
    for one, other in combinations(range(len(recordings)), 2):
        left, right = grids[one], grids[other]
        if min(left[0].shape[1], right[0].shape[1]) < LEAST_SECONDS * GRID:
            continue
        best = _best_lag(left[0], right[0])
        if best is None or best[0] < LEAST_LIKE:
            continue
        correlation, lag, n_shared = best
        found.append(
            RecordingCopy(
                one=one,
                other=other,
                correlation=correlation,
                lag=lag / GRID,
                seconds=n_shared / GRID,
                scale=float(np.median(right[1] / left[1])),
                how=_how(recordings[one], recordings[other], lag / GRID, right[1] / left[1]),
            )
        )
    return found


def _on_grid(recording: Recording, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(chan, time)`` on the grid, each channel with variance 1, and what that was."""
    n_samples = min(recording.n_samples, round(MAX_SECONDS * recording.sfreq))
    channels = [recording.ch_names.index(n) for n in names if n in recording.ch_names]
    channels = channels or list(range(min(_MAX_CHANS, len(recording.ch_names))))
    upper = min(BAND[1], 0.4 * recording.sfreq)
    sections = butter(4, (BAND[0], upper), "bandpass", fs=recording.sfreq, output="sos")
    times = np.arange(int(n_samples / recording.sfreq * GRID)) / GRID
    rows = np.zeros((len(channels), len(times)), np.float32)
    sizes = np.ones(len(channels))
    if n_samples <= 3 * (2 * len(sections) + 1) or not len(times):
        return rows, sizes
    at = np.arange(n_samples) / recording.sfreq
    for row, channel in enumerate(channels):
        signal = np.asarray(recording.signal[channel, :n_samples], dtype=np.float64)
        signal = np.where(np.isfinite(signal), signal, 0.0)
        filtered = np.interp(times, at, sosfiltfilt(sections, signal - signal.mean()))
        filtered = _without_tones(filtered)
        size = 1.4826 * float(np.median(np.abs(filtered)))  # blinks do not count
        if size > 1e-9 * (np.abs(signal).max() + 1e-30):
            rows[row] = np.clip(filtered / size, -_CLIP, _CLIP)
            sizes[row] = size
    return rows, sizes


def _without_tones(signal: np.ndarray) -> np.ndarray:
    """Limit each frequency to three times what is usual within 1 Hz.

    Steady flicker or hum would make two recordings alike at one lag after another.
    """
    spectrum = rfft(signal)
    size = np.abs(spectrum)
    usual = median_filter(size, size=max(3, round(len(signal) / GRID) | 1), mode="nearest")
    return irfft(spectrum * np.minimum(1, 3 * usual / np.maximum(size, 1e-300)), len(signal))


def _best_lag(one: np.ndarray, other: np.ndarray) -> tuple[float, int, int] | None:
    """Return the highest correlation, its lag and the shared samples; None if nothing varies."""
    n_chans = min(len(one), len(other))
    one, other = one[:n_chans], other[:n_chans]
    lengths = one.shape[1], other.shape[1]
    n = next_fast_len(sum(lengths), real=True)
    spectrum = (rfft(one, n) * np.conj(rfft(other, n))).sum(axis=0)
    products = irfft(spectrum, n)
    least = int(max(LEAST_SECONDS * GRID, LEAST_SHARE * min(lengths)))
    lags = np.arange(least - lengths[1], lengths[0] - least + 1)  # the other begins so much later
    energy = [np.append(0, np.cumsum((each**2).sum(axis=0, dtype=float))) for each in (one, other)]
    begin, end = np.maximum(lags, 0), np.minimum(lengths[0], lags + lengths[1])
    left = energy[0][end] - energy[0][begin]
    right = energy[1][end - lags] - energy[1][begin - lags]
    size = np.sqrt(left * right)
    if not (size > 0).any():
        return None
    correlation = np.where(size > 0, products[lags % n] / np.where(size > 0, size, 1.0), 0.0)
    best = int(correlation.argmax())
    return float(correlation[best]), int(lags[best]), int(end[best] - begin[best])


def _how(one: Recording, other: Recording, lag: float, scales: np.ndarray) -> str:
    """Say in words what was done to make a copy of the other."""
    words = []
    if one.sfreq != other.sfreq:
        words.append(f"resampled from {one.sfreq:g} to {other.sfreq:g} Hz")
    scale = float(np.median(scales))
    if abs(scale - 1) > (0.1 if lag or words else 0.005):  # other parts have other sizes
        words.append(f"rescaled by {scale:.3g}")
    shift = _shift(one, other, lag)
    if shift is not None and abs(shift) < one.sfreq:
        words += [f"shifted by {abs(shift)} samples"] * bool(shift)
    elif abs(lag) > 1.5 / GRID:
        words.append(f"shifted by {abs(lag):.2f} s")
    if not words:
        equal = one.signal.shape == other.signal.shape and np.array_equal(one.signal, other.signal)
        return "the same samples" if equal else "nearly the same samples"
    return ", ".join(words)


def _shift(one: Recording, other: Recording, lag: float) -> int | None:
    """Return the lag in samples that fits best near one found on the grid, None for other rates."""
    names = [name for name in one.ch_names if name in other.ch_names]
    if one.sfreq != other.sfreq or not names:
        return None
    near, most = round(lag * one.sfreq), round(2 * one.sfreq / GRID)
    signals = [np.asarray(r.signal[r.ch_names.index(names[0])], dtype=float) for r in (one, other)]
    left, right = (np.diff(signal) for signal in signals)  # fast changes tell samples apart
    begin = max(0, near) + most
    part = left[begin : begin + 20_000]
    part = part[: max(0, len(right) - (begin - near) - most)]
    if len(part) < 4 * most + 1:
        return None
    fits = {}
    for samples in range(near - most, near + most + 1):
        same = right[begin - samples : begin - samples + len(part)]
        if len(same) == len(part) and begin >= samples:
            fits[samples] = float(np.dot(part - part.mean(), same - same.mean()))
    return max(fits, key=lambda samples: fits[samples]) if fits else None
