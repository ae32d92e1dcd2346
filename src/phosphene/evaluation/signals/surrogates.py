"""Signals that are like the data in one thing and in nothing else: the rows that must fail."""

import numpy as np
from jaxtyping import Float

from phosphene.evaluation.signals.windows import blocks, check_windows


def gaussian_noise(
    signals: Float[np.ndarray, "window chan time"], rng: np.random.Generator
) -> Float[np.ndarray, "window chan time"]:
    """White Gaussian noise with the mean and the variance of the data (thesis, table 5.1).

    One mean and one variance for the whole set, 0 and 1 for z-scored windows; neither spectrum nor
    correlation nor mean response is kept. The thesis does not say whether it took them per channel.

    Parameters
    ----------
    signals
        Windows, in any unit; as many are returned, in single precision.
    rng
        Source of the noise.
    """
    check_windows("signals", signals)
    mean, spread = signals.mean(dtype=np.float64), signals.std(dtype=np.float64)
    noise = rng.standard_normal(signals.shape, dtype=np.float32)
    return noise * np.float32(spread) + np.float32(mean)


def phase_randomised(
    signals: Float[np.ndarray, "window chan time"], rng: np.random.Generator
) -> Float[np.ndarray, "window chan time"]:
    """Windows with their own spectra and correlations of channels, and phases drawn anew.

    For each window and frequency one angle is drawn and added to the phase of all channels: the
    amplitude of each channel and the phase between channels stay, and when things happen, such as
    a response to the picture, is lost.

    A window is short against slow waves, and a Fourier transform takes it as periodic: the step
    from its end to its beginning would become high-frequency noise all over the surrogate. So the
    straight line through the ends of each channel is taken off before and put back after, together
    with the mean of the channel and for all channels with one sign, drawn for each window: lines
    and means too tell pictures apart. (Prichard and Theiler keep means and take no lines off.)

    Parameters
    ----------
    signals
        Windows, in any unit.
    rng
        Source of angles and signs.

    Returns
    -------
    surrogates
        Row i from row i, in single precision; the mean of each window stays.

    References
    ----------
    Prichard and Theiler, Physical Review Letters 1994.
    """
    check_windows("signals", signals)
    n_times = signals.shape[2]
    ramp = np.linspace(0, 1, n_times)
    found = np.empty(signals.shape, dtype=np.float32)
    for rows, part in blocks(signals):
        offset = part.mean(axis=(1, 2), keepdims=True)
        first, last = part[..., :1], part[..., -1:]
        line = first + (last - first) * ramp
        line += (part - line).mean(axis=2, keepdims=True)  # now with the channel's mean
        spectra = np.fft.rfft(part - line, axis=2)
        angles = rng.uniform(0, 2 * np.pi, (len(part), 1, spectra.shape[2]))
        if n_times % 2 == 0:  # half the rate must stay real: its sign is drawn
            angles[..., -1] = np.pi * rng.integers(0, 2, (len(part), 1))
        turned = np.fft.irfft(spectra * np.exp(1j * angles), n=n_times, axis=2)
        sign = rng.choice([-1.0, 1.0], (len(part), 1, 1))
        found[rows] = offset + sign * (line - offset) + turned
    return found
