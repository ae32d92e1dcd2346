"""How far the power of generated signals is from that of real ones, in each band."""

import numpy as np
from jaxtyping import Float, Int

from phosphene._checks import check_positive
from phosphene.evaluation.signals.windows import (
    blocks,
    check_alike,
    check_windows,
    number_pictures,
    picture_score,
    sums_by_picture,
)
from phosphene.score import Score

BANDS = {
    "delta 1-4 Hz": (1.0, 4.0),
    "theta 4-8 Hz": (4.0, 8.0),
    "alpha and beta 8-30 Hz": (8.0, 30.0),
    "gamma 30-80 Hz": (30.0, 80.0),
    "high 80-200 Hz": (80.0, 200.0),
    "very high 200-500 Hz": (200.0, 500.0),
}
"""From the first frequency on, below the second.

Up to 80 Hz as is usual for LFP; above, 500 Hz is where the Allen Institute's filter ends. A window
of 313 samples at 1250 Hz tells frequencies 4 Hz apart: delta and theta are one frequency each.
"""
HIGH = (80.0, 500.0)
"""Of the high-frequency spectrum error."""
FLOOR = 1e-12
"""Power, as a share of the real channel's, below which none is told apart: -120 dB."""


def power_spectra(
    signals: Float[np.ndarray, "window chan time"], *, sfreq: float
) -> tuple[Float[np.ndarray, " freq"], Float[np.ndarray, "chan freq"]]:
    """Mean power of each channel at each frequency, over windows.

    Windows are tapered (Hann), after the mean of each channel is taken off: LFP falls by orders of
    magnitude from 1 to 500 Hz, and the step between the ends of an untapered window would hide what
    is at high frequencies. The price: artefacts at the edges of windows hardly count here; the
    distance of amplitudes over time shows them.

    Returns
    -------
    freqs, power
        In Hz, and in squared units of the signals; only ratios of powers are used.
    """
    check_windows("signals", signals)
    freqs, sums = _sums(signals, np.zeros(len(signals), dtype=np.int64), sfreq)
    return freqs, sums[0] / len(signals)


def spectrum_scores(
    real: Float[np.ndarray, "window chan time"],
    generated: Float[np.ndarray, "window chan time"],
    *,
    picture: Int[np.ndarray, " window"],
    sfreq: float,
    method: str,
    split: str = "",
    role: str = "result",
    n_resamples: int = 200,
    seed: int = 0,
) -> list[Score]:
    """Spectrum distance in each band, and the high-frequency spectrum error, in dB (0 is best).

    In a band: the absolute value of 10 log10 of generated over real power, mean over channels. The
    high-frequency error is the same for each frequency from 80 to 500 Hz, mean over frequencies and
    channels. Missing and excessive power count alike, 3 dB for half or twice the power.

    Parameters
    ----------
    real, generated
        As many windows of each picture in both.
    picture
        Picture of each window, the same for both sets.
    sfreq
        Samples per second. A band that ends above half of it, or that is narrower than the window
        resolves, has no score.
    method, split, role
        Words for the `Score`.
    n_resamples, seed
        Of the bootstrap over pictures.

    Raises
    ------
    ValueError
        If windows differ in shape, there are fewer than 2 pictures, or a real channel is constant.
    """
    check_alike(real, generated)
    numbers = number_pictures(picture, len(real))
    (freqs, of_real), (_, of_generated) = (_sums(p, numbers, sfreq) for p in (real, generated))
    total = of_real.sum(axis=2)  # (picture, chan)
    dead = np.flatnonzero(total.sum(axis=0) == 0)
    if len(dead):
        raise ValueError(
            f"every real channel must change; got no power in channel {dead[0]}; "
            "leave dead channels out of the recording."
        )
    scores = []
    for name, edges in {**BANDS, "": HIGH}.items():
        inside = (freqs >= edges[0]) & (freqs < edges[1])
        if edges[1] > sfreq / 2 or not inside.any():
            continue
        powers = [part[:, :, inside] for part in (of_real, of_generated)]
        if name:
            powers = [part.sum(axis=2, keepdims=True) for part in powers]

        def statistic(drawn: np.ndarray, powers: list[np.ndarray] = powers) -> float:
            least = FLOOR * (drawn @ total)[:, None]
            both = [np.maximum(np.tensordot(drawn, part, 1), least) for part in powers]
            return float(np.abs(10 * np.log10(both[1] / both[0])).mean())

        scores.append(
            picture_score(
                f"spectrum distance, {name}" if name else "high-frequency spectrum error",
                statistic,
                len(of_real),
                method=method,
                split=split,
                role=role,
                note=f"dB, {int(inside.sum())} frequencies",
                n_resamples=n_resamples,
                seed=seed,
            )
        )
    return scores


def _sums(signals: np.ndarray, numbers: np.ndarray, sfreq: float) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies, and power summed over windows: (picture, chan, freq)."""
    check_positive("sfreq", sfreq)
    n_times, n_pictures = signals.shape[2], int(numbers.max()) + 1
    taper = np.hanning(n_times + 2)[1:-1]
    freqs = np.fft.rfftfreq(n_times, 1 / sfreq)
    sums = np.zeros((n_pictures, signals.shape[1], len(freqs)))
    for rows, part in blocks(signals):
        part = part - part.mean(axis=2, keepdims=True)
        power = np.abs(np.fft.rfft(part * taper, axis=2)) ** 2
        sums += sums_by_picture(power, numbers[rows], n_pictures=n_pictures)
    return freqs, sums
