"""How channels move together, in real and in generated signals."""

import numpy as np
from jaxtyping import Float, Int

from phosphene.evaluation.signals.windows import (
    blocks,
    check_alike,
    check_windows,
    number_pictures,
    picture_score,
    sums_by_picture,
)
from phosphene.score import Score


def channel_correlation(
    signals: Float[np.ndarray, "window chan time"],
) -> Float[np.ndarray, "chan chan"]:
    """Correlation of channels over all samples of all windows (thesis, appendix A).

    A channel that never changes correlates 0 with the others and 1 with itself.

    Raises
    ------
    ValueError
        If there is no window or a value is not finite.
    """
    check_windows("signals", signals)
    sums, products = _moments(signals, np.zeros(len(signals), dtype=np.int64))
    return _correlation(sums[0], products[0], signals.shape[0] * signals.shape[2])


def correlation_score(
    real: Float[np.ndarray, "window chan time"],
    generated: Float[np.ndarray, "window chan time"],
    *,
    picture: Int[np.ndarray, " window"],
    method: str,
    split: str = "",
    role: str = "result",
    n_resamples: int = 200,
    seed: int = 0,
) -> Score:
    """Mean absolute difference of correlations over pairs of channels, 0 to 2 (0 is best).

    Parameters
    ----------
    real, generated
        As many windows of each picture in both, at least 2 channels.
    picture
        Picture of each window, the same for both sets.
    method, split, role
        Words for the `Score`.
    n_resamples, seed
        Of the bootstrap over pictures.

    Raises
    ------
    ValueError
        If windows differ in shape, or there is one channel or one picture only.
    """
    check_alike(real, generated)
    numbers = number_pictures(picture, len(real))
    n_chans, n_times = real.shape[1:]
    if n_chans < 2:
        raise ValueError(
            f"a correlation between channels needs at least 2; got {n_chans}; "
            "leave this score out for single channels."
        )
    pairs = np.triu_indices(n_chans, 1)
    counts = np.bincount(numbers) * n_times
    moments = [_moments(part, numbers) for part in (real, generated)]

    def statistic(drawn: np.ndarray) -> float:
        found = [
            _correlation(
                np.tensordot(drawn, sums, 1), np.tensordot(drawn, products, 1), int(drawn @ counts)
            )
            for sums, products in moments
        ]
        return float(np.abs(found[0] - found[1])[pairs].mean())

    return picture_score(
        "difference of channel correlations",
        statistic,
        len(counts),
        bounds=(0.0, 2.0),
        method=method,
        split=split,
        role=role,
        note=f"mean over {len(pairs[0])} pairs of channels",
        n_resamples=n_resamples,
        seed=seed,
    )


def _moments(signals: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sums (picture, chan) and sums of products (picture, chan, chan) of samples."""
    n_pictures, n_chans = int(numbers.max()) + 1, signals.shape[1]
    sums, products = np.zeros((n_pictures, n_chans)), np.zeros((n_pictures, n_chans, n_chans))
    for rows, part in blocks(signals):
        sums += sums_by_picture(part.sum(axis=2), numbers[rows], n_pictures=n_pictures)
        each = part @ part.transpose(0, 2, 1)  # (window, chan, chan)
        products += sums_by_picture(each, numbers[rows], n_pictures=n_pictures)
    return sums, products


def _correlation(sums: np.ndarray, products: np.ndarray, n: int) -> np.ndarray:
    covariance = products / n - np.outer(sums, sums) / n**2
    scale = np.sqrt(np.diag(covariance).clip(min=0))
    still = scale <= 1e-6 * np.sqrt(np.diag(products) / n)  # rounding is all that moves
    scale = np.where(still, 1.0, scale)
    correlation = (covariance / np.outer(scale, scale)).clip(-1, 1)
    correlation[still] = correlation[:, still] = 0
    np.fill_diagonal(correlation, 1.0)
    return correlation
