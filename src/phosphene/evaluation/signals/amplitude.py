"""How far the amplitudes of generated signals are from those of real ones."""

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import wasserstein_distance

from phosphene.evaluation.signals.windows import check_alike, number_pictures, picture_score
from phosphene.score import Score

N_BINS = 128
"""Of the interval; values themselves are exact."""
TIME_STEP = 16
"""The interval over time looks at every so-many-th sample."""


def wasserstein_by_channel(
    real: Float[np.ndarray, "n_real chan time"], generated: Float[np.ndarray, "n_fake _ _"]
) -> Float[np.ndarray, " chan"]:
    """Wasserstein-1 distance of the amplitudes of each channel, all windows and samples together.

    Exact: the mean distance of sorted values where there are equally many, the area between the
    distribution functions otherwise. In the unit of the signals.

    Raises
    ------
    ValueError
        If a set is empty, a value is not finite, or channels or samples differ.
    """
    check_alike(real, generated)
    return np.array(
        [_wasserstein(real[:, chan].ravel(), fake.ravel()) for chan, fake in _channels(generated)]
    )


def wasserstein_over_time(
    real: Float[np.ndarray, "n_real chan time"], generated: Float[np.ndarray, "n_fake _ _"]
) -> Float[np.ndarray, "chan time"]:
    """Wasserstein-1 distance at each channel and sample, over windows, as figure 5.3 shows them.

    It sees what the distance by channel does not: artefacts at the ends of windows, a response at
    the wrong time. Biased upwards for few windows: compare with the two halves of real data.

    Raises
    ------
    ValueError
        If a set is empty, a value is not finite, or channels or samples differ.
    """
    check_alike(real, generated)
    return np.stack([_wasserstein(real[:, chan], fake) for chan, fake in _channels(generated)])


def amplitude_scores(
    real: Float[np.ndarray, "window chan time"],
    generated: Float[np.ndarray, "window chan time"],
    *,
    picture: Int[np.ndarray, " window"],
    method: str,
    split: str = "",
    role: str = "result",
    n_resamples: int = 40,
    seed: int = 0,
) -> list[Score]:
    """Both distances, mean over channels (and samples), in the unit of the signals (0 is best).

    Intervals draw pictures again, with amplitudes in 128 classes, and over time with every 16th
    sample; values use all.

    Parameters
    ----------
    real, generated
        As many windows of each picture in both.
    picture
        Picture of each window, the same for both sets.
    method, split, role
        Words for the `Score`.
    n_resamples, seed
        Of the bootstrap; 40 draws leave an error of 11 % in the width.

    Raises
    ------
    ValueError
        If windows differ in shape or there are fewer than 2 pictures.
    """
    check_alike(real, generated)
    numbers = number_pictures(picture, len(real))
    low = float(min(real.min(), generated.min()))
    high = float(max(real.max(), generated.max()))
    width = (high - low) / N_BINS or 1.0
    counts = np.bincount(numbers)
    found = []
    for name, by_position, step in (
        ("amplitude distance", wasserstein_by_channel, 0),
        ("amplitude distance over time", wasserstein_over_time, TIME_STEP),
    ):
        exact = float(by_position(real, generated).mean())
        between = [
            _histograms(part, numbers, low=low, width=width, step=step)
            for part in (real, generated)
        ]
        difference = between[1] - between[0]  # (picture, position * bin), counts
        per_window = 1 if step else real.shape[2]

        def binned(
            drawn: np.ndarray, difference: np.ndarray = difference, per_window: int = per_window
        ) -> float:
            total = (drawn.astype(np.float32) @ difference).reshape(-1, N_BINS)
            apart = np.abs(total.cumsum(axis=1, dtype=np.float64)).sum(axis=1)
            return float(apart.mean() * width / (drawn @ counts * per_window))

        offset = exact - binned(np.ones(len(counts), dtype=np.int64))
        found.append(
            picture_score(
                name,
                lambda drawn, binned=binned, offset=offset: binned(drawn) + offset,
                len(counts),
                method=method,
                split=split,
                role=role,
                note="in standard deviations where windows are z-scored",
                n_resamples=n_resamples,
                seed=seed,
            )
        )
    return found


def _channels(signals: np.ndarray) -> list[tuple[int, np.ndarray]]:
    return [(chan, signals[:, chan]) for chan in range(signals.shape[1])]


def _wasserstein(real: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """Return the distance along the first axis."""
    if len(real) == len(generated):
        gaps = np.sort(real, axis=0).astype(np.float64) - np.sort(generated, axis=0)
        return np.asarray(np.abs(gaps).mean(axis=0))
    if real.ndim == 1:
        return np.asarray(wasserstein_distance(real, generated))
    columns = zip(real.T, generated.T, strict=True)
    return np.array([wasserstein_distance(left, right) for left, right in columns])


def _histograms(
    signals: np.ndarray, numbers: np.ndarray, *, low: float, width: float, step: int
) -> np.ndarray:
    """Count amplitudes of each picture, by channel (and sample): (picture, position * bin)."""
    n_pictures, n_chans = int(numbers.max()) + 1, signals.shape[1]
    seen = signals[:, :, ::step] if step else signals
    n_places = seen.shape[2] if step else 1
    place = np.arange(n_chans)[:, None] * n_places + (np.arange(n_places) if step else 0)
    found = np.zeros((n_pictures, n_chans * n_places * N_BINS), dtype=np.float32)
    for number in range(n_pictures):
        bins = ((seen[numbers == number] - low) / width).astype(np.int64).clip(0, N_BINS - 1)
        found[number] = np.bincount((place * N_BINS + bins).ravel(), minlength=found.shape[1])
    return found
