"""What figures show of a set of signals, in arrays small enough to keep."""

import numpy as np
from jaxtyping import Float

from phosphene._checks import check_at_least, check_positive
from phosphene.evaluation.signals.channel_correlation import channel_correlation
from phosphene.evaluation.signals.windows import blocks, check_windows

PERCENTS = (2.5, 25.0, 50.0, 75.0, 97.5)


def summarise(
    signals: Float[np.ndarray, "window chan time"], *, sfreq: float, n_examples: int = 8
) -> dict[str, np.ndarray]:
    """Summarise windows as figures of the thesis' chapter 5 and appendices show them.

    Parameters
    ----------
    signals
        Windows, z-scored or in volts.
    sfreq
        Samples per second.
    n_examples
        Windows that are kept as they are, evenly spaced over the set; fewer if there are fewer.

    Returns
    -------
    dict
        ``quantiles`` (5, chan, time): 2.5, 25, 50, 75 and 97.5 % over windows (figure 5.3);
        ``spectrum_mean`` and ``spectrum_sd`` (chan, freq): amplitude in the unit of the signals,
        mean and standard deviation over windows (figure 5.2); ``freqs`` (freq,) in Hz;
        ``correlation`` (chan, chan) (figure A.1); ``examples`` (window, chan, time). All float32.

    Raises
    ------
    ValueError
        If there is no window, a value is not finite, or `sfreq` is not positive.
    """
    check_windows("signals", signals)
    check_at_least("n_examples", n_examples, 1)
    freqs, mean, spread = amplitude_spectrum(signals, sfreq=sfreq)
    quantiles = [  # a channel at a time: sorting copies
        np.quantile(signals[:, chan], np.array(PERCENTS) / 100, axis=0)
        for chan in range(signals.shape[1])
    ]
    shown = np.unique(np.linspace(0, len(signals) - 1, n_examples).round().astype(np.int64))
    found = {
        "quantiles": np.stack(quantiles, axis=1),
        "spectrum_mean": mean,
        "spectrum_sd": spread,
        "freqs": freqs,
        "correlation": channel_correlation(signals),
        "examples": signals[shown],
    }
    return {name: array.astype(np.float32) for name, array in found.items()}


def amplitude_spectrum(
    signals: Float[np.ndarray, "window chan time"], *, sfreq: float
) -> tuple[
    Float[np.ndarray, " freq"], Float[np.ndarray, "chan freq"], Float[np.ndarray, "chan freq"]
]:
    """Amplitude of each frequency, mean and standard deviation over windows.

    A sine of amplitude 1 that fits the window has amplitude 1 at its frequency. Windows are not
    tapered, as (it seems) in the thesis: a window whose ends do not meet spreads some of its slow
    waves over all frequencies. The scores of spectra taper (`power_spectra`).

    Returns
    -------
    freqs, mean, spread
        In Hz and in the unit of the signals; the spread is the population standard deviation.
    """
    check_positive("sfreq", sfreq)
    n_times = signals.shape[2]
    freqs = np.fft.rfftfreq(n_times, 1 / sfreq)
    scale = np.full(len(freqs), 2 / n_times)
    scale[0] = 1 / n_times
    if n_times % 2 == 0:
        scale[-1] = 1 / n_times
    total = np.zeros((signals.shape[1], len(freqs)))
    squares = np.zeros_like(total)
    for _, part in blocks(signals):
        amplitude = np.abs(np.fft.rfft(part, axis=2)) * scale
        total += amplitude.sum(axis=0)
        squares += (amplitude**2).sum(axis=0)
    mean = total / len(signals)
    return freqs, mean, np.sqrt((squares / len(signals) - mean**2).clip(min=0))
