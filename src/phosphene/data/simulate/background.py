"""What the electrodes show without a picture: brain rhythms, noise, gains, drift and mains."""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from phosphene.data.simulate.head_model import LeadField, cortex_directions, cortex_names

KNEE = 1.0
"""Below this frequency in Hz the 1/f spectrum levels off; slower changes are `drift`."""

ALPHA_FREQUENCY = 10.0
ALPHA_WIDTH = 1.0
"""Centre and standard deviation of the alpha peak in Hz."""


@dataclass(frozen=True)
class Background:
    """A stationary Gaussian process with a known cross-spectral density.

    The density at frequency f is ``sum_i shape_i(f) * mixing_i @ mixing_i.T``, with the 1/f
    background, alpha and sensor noise as its three parts.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    mixings
        (chan, source) matrices in V, one per part: how unit-variance sources reach the channels.
    exponent
        Slope of the first part's power, ``1 / f**exponent``.
    """

    sfreq: float
    mixings: tuple[NDArray[np.float64], ...]
    exponent: float

    def shapes(self, n_times: int) -> NDArray[np.float64]:
        """Return (part, freq): spectra of unit variance at the frequencies of an `rfft`."""
        freqs = np.fft.rfftfreq(n_times, 1 / self.sfreq)
        pink = (KNEE**2 + freqs**2) ** (-self.exponent / 2)
        alpha = np.exp(-0.5 * ((freqs - ALPHA_FREQUENCY) / ALPHA_WIDTH) ** 2)
        shapes = np.stack([pink, alpha, np.ones_like(freqs)])
        weights = rfft_weights(n_times)
        return shapes * n_times / (shapes @ weights)[:, None]

    def density(self, n_times: int) -> NDArray[np.float64]:
        """Return (freq, chan, chan): expected ``X X^H / n_times`` of the `rfft` X, in V²."""
        covariances = np.stack([mixing @ mixing.T for mixing in self.mixings])
        return np.einsum("if,icd->fcd", self.shapes(n_times), covariances)

    def sample(self, n_times: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw a recording (chan, time) in V by shaping white noise; it is periodic in time."""
        n_freqs = n_times // 2 + 1
        spectrum = np.zeros((len(self.mixings[0]), n_freqs), np.complex64)
        for shape, mixing in zip(self.shapes(n_times), self.mixings, strict=True):
            white = rng.standard_normal((mixing.shape[1], n_freqs, 2), dtype=np.float32)
            white = white.view(np.complex64)[..., 0] * np.sqrt(n_times / 2, dtype=np.float32)
            white[:, 0] = white[:, 0].real * np.sqrt(2)  # the mean of a real signal is real
            if n_times % 2 == 0:
                white[:, -1] = white[:, -1].real * np.sqrt(2)
            spectrum += (mixing.astype(np.float32) @ white) * np.sqrt(shape).astype(np.float32)
        return np.fft.irfft(spectrum, n_times).astype(np.float32)


def fast_length(n_times: int) -> int:
    """Return the next length from `n_times` up whose Fourier transform is fast."""
    return int(scipy.fft.next_fast_len(n_times, real=True))  # pyright: ignore[reportArgumentType]


def rfft_weights(n_times: int) -> NDArray[np.float64]:
    """Return how many of the `n_times` frequencies each bin of an `rfft` stands for."""
    weights = np.full(n_times // 2 + 1, 2.0)
    weights[0] = 1
    if n_times % 2 == 0:
        weights[-1] = 1
    return weights


def make_background(
    lead_field: LeadField,
    *,
    sfreq: float,
    background: float,
    exponent: float,
    alpha: float,
    noise: float,
) -> Background:
    """Scale the three parts of the background to their amplitudes at the electrodes.

    Parameters
    ----------
    lead_field
        From `load_lead_field`.
    sfreq
        Sampling rate in Hz.
    background
        1/f background, mean RMS over channels in V; independent sources all over the sphere.
    exponent
        Its slope.
    alpha
        Alpha rhythm, RMS in V at the channel where it is strongest; occipital and parietal.
    noise
        White noise of the sensors, RMS in V, independent between channels.
    """
    n_chans = len(lead_field.ch_names)
    everywhere = lead_field.background.reshape(-1, n_chans)
    # Only the covariance of the many sources matters: as many sources as channels give the same.
    scale, axes = np.linalg.eigh(everywhere.T @ everywhere)
    spread = axes * np.sqrt(scale.clip(min=0))
    spread = spread * background / np.sqrt((spread**2).sum(1).mean())
    rhythmic = [place.startswith(("occipital", "parietal")) for place in cortex_names()]
    waves = np.einsum("sa,sac->cs", cortex_directions()[rhythmic], lead_field.cortex[rhythmic])
    waves = waves * alpha / np.sqrt((waves**2).sum(1).max())
    return Background(sfreq, (spread, waves, noise * np.eye(n_chans)), exponent)


def slow_drift(
    n_chans: int, n_times: int, *, sfreq: float, sd: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw electrode drift (chan, time) in V: an offset and a random walk smooth within seconds.

    ``sd`` is the standard deviation of the offset; the walk moves as far in five minutes.
    """
    step = 5.0  # s between the points of the walk
    n_steps = int(np.ceil(n_times / sfreq / step)) + 3
    walk = np.cumsum(rng.standard_normal((n_steps, n_chans)), axis=0) * np.sqrt(step / 300)
    walk += rng.standard_normal(n_chans)
    position = np.arange(n_times) / sfreq / step
    first, phase = position.astype(int), (position % 1).astype(np.float32)
    # Cubic B-spline: slopes and curvatures stay continuous.
    pieces = [
        (1 - phase) ** 3,
        3 * phase**3 - 6 * phase**2 + 4,
        -3 * phase**3 + 3 * phase**2 + 3 * phase + 1,
        phase**3,
    ]
    points = (sd / 6 * walk.T).astype(np.float32)
    drift = np.zeros((n_chans, n_times), np.float32)
    for offset, piece in enumerate(pieces):
        drift += points[:, first + offset] * piece
    return drift


def mains_line(
    n_chans: int,
    n_times: int,
    *,
    sfreq: float,
    frequency: float,
    amplitude: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Draw the mains hum (chan, time) in V: one phase, every channel its own strength.

    The grid is off by up to 0.02 Hz. Above half the sampling rate there is nothing: a headset
    filters before it samples.
    """
    strength = amplitude * np.exp(0.3 * rng.standard_normal(n_chans))
    actual, phase = frequency + rng.uniform(-0.02, 0.02), rng.uniform(0, 2 * np.pi)
    if frequency >= sfreq / 2:
        return np.zeros((n_chans, n_times), np.float32)
    wave = np.sqrt(2) * np.sin(2 * np.pi * actual * np.arange(n_times) / sfreq + phase)
    return np.outer(strength, wave).astype(np.float32)
