"""Fréchet distance between sets of signals, on features or on all their samples."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from phosphene._checks import check_finite
from phosphene.evaluation.pictures.distribution import frechet_distances_to
from phosphene.evaluation.signals.windows import number_pictures, picture_score
from phosphene.score import Score

BLOCK = 1024
"""Samples of all windows that are in double precision at a time."""


def frechet_distance_of_samples(
    real: Float[np.ndarray, "n_real ..."], generated: Float[np.ndarray, "n_fake ..."]
) -> float:
    """Squared 2-Wasserstein distance between Gaussians fitted to all samples of windows.

    A window of 22 channels and 313 samples is a point in 6,886 dimensions, and the definition asks
    for the root of a matrix of that size. With covariances ``A'A`` and ``B'B``, where rows of
    ``A`` and ``B`` are centred windows, the trace of the root of their product is the sum of the
    singular values of ``A B'``, as large as the numbers of windows. This is exact, not an
    approximation. Double precision; memory grows with ``n_real * n_fake``, not with the samples.

    The distance is biased upwards, the more so the fewer windows there are: compare at equal
    numbers, and with the distance between two halves of real data. The thesis computes table 5.1
    with another, unknown number of windows per row, and prints its equation 2.11 without the square
    on the distance of the means; here it is squared, as in Dowson and Landau.

    Parameters
    ----------
    real, generated
        At least 2 windows each, of any equal shape: signals, or features.

    Raises
    ------
    ValueError
        If a set has fewer than 2 windows or values that are not finite, or shapes differ.

    References
    ----------
    Dowson and Landau, Journal of Multivariate Analysis 1982; LFPGAN thesis, section 2.8.2.
    """
    return frechet_distances_between(real, generated)()


def frechet_distances_between(
    real: Float[np.ndarray, "n_real ..."], generated: Float[np.ndarray, "n_fake ..."]
) -> Callable[..., float]:
    """Prepare `frechet_distance_of_samples` for many draws of the same windows.

    The function that is returned takes how often each real and each generated window counts, by
    default once.
    """
    _check_sets(real, generated)
    rows = real.reshape(len(real), -1), generated.reshape(len(generated), -1)
    origin = rows[0].mean(axis=0, dtype=np.float64)  # near both means: centring then loses nothing
    squares = [np.zeros(len(part)) for part in rows]
    products = np.zeros((len(real), len(generated)))
    for block in _blocks(rows[0].shape[1]):
        parts = [part[:, block] - origin[block] for part in rows]
        products += parts[0] @ parts[1].T
        for square, part in zip(squares, parts, strict=True):
            square += (part**2).sum(axis=1)

    def distance(
        drawn_real: Int[np.ndarray, " n_real"] | None = None,
        drawn_generated: Int[np.ndarray, " n_fake"] | None = None,
    ) -> float:
        shares, roots, traces, means = [], [], [], []
        for part, square, drawn in zip(rows, squares, (drawn_real, drawn_generated), strict=True):
            drawn = np.ones(len(part)) if drawn is None else drawn.astype(np.float64)
            n = drawn.sum()
            mean = _mean(part, drawn / n, origin)
            shares.append(drawn / n)
            roots.append(np.sqrt(drawn / (n - 1)))
            traces.append((drawn @ square - n * (mean**2).sum()) / (n - 1))
            means.append(mean)
        left, right = (np.flatnonzero(root) for root in roots)
        to_real, to_generated = shares[0] @ products, products @ shares[1]
        centred = products[np.ix_(left, right)] - to_real[right] - to_generated[left][:, None]
        centred += to_real @ shares[1]
        centred *= roots[0][left][:, None] * roots[1][right]
        gap = ((means[0] - means[1]) ** 2).sum()
        total = gap + traces[0] + traces[1] - 2 * _sum_of_singular_values(centred)
        return float(max(total, 0.0))  # equal sets: rounding may leave -1e-12

    return distance


def frechet_score(
    real: Float[np.ndarray, "window ..."],
    generated: Float[np.ndarray, "n_generated ..."],
    *,
    picture: Int[np.ndarray, " window"],
    extractor: str,
    method: str,
    distance_name: str = "Fréchet distance",
    split: str = "",
    role: str = "result",
    seed: int = 0,
) -> Score:
    """Fréchet distance of generated to real windows, with an interval over pictures.

    Parameters
    ----------
    real, generated
        Windows, or features of windows; as many real as generated ones of each picture.
    picture
        Picture of each window, the same for both sets.
    extractor
        "raw" for the samples themselves, else the network whose features these are.
    distance_name
        "FID" where features are those of Inception-v3.
    method, split, role
        Words for the `Score`.
    seed
        Of the groups of pictures that the interval leaves out.

    Raises
    ------
    ValueError
        If sets differ in length or shape, or there are fewer than 2 pictures.
    """
    if len(real) != len(generated):
        raise ValueError(
            "the distance depends on the number of windows, so both sets need as many; got "
            f"{len(real)} real and {len(generated)} generated; choose them with `choose_windows`."
        )
    numbers = number_pictures(picture, len(real))
    real, generated = real.reshape(len(real), -1), generated.reshape(len(generated), -1)
    n_pictures = int(numbers.max()) + 1
    if real.shape[1] > len(real):
        between = frechet_distances_between(real, generated)
    else:  # fewer features than windows: their covariances are the smaller matrices
        _check_sets(real, generated)

        def between(drawn_real: np.ndarray, drawn_generated: np.ndarray) -> float:
            return frechet_distances_to(np.repeat(real, drawn_real, axis=0))(
                generated, drawn_generated
            )

    def statistic(drawn: np.ndarray) -> float:
        return between(drawn[numbers], drawn[numbers])

    return picture_score(
        f"{distance_name}[{extractor}]",
        statistic,
        n_pictures,
        method=method,
        split=split,
        role=role,
        extractor=extractor,
        note=f"{len(real)} real against {len(generated)} other windows",
        leave_out=True,
        seed=seed,
    )


def _check_sets(real: np.ndarray, generated: np.ndarray) -> None:
    for name, part in (("real", real), ("generated", generated)):
        if len(part) < 2:
            raise ValueError(
                f"a covariance needs at least 2 windows; got {len(part)} {name}; draw more."
            )
        check_finite(name, part)
    if real.shape[1:] != generated.shape[1:]:
        raise ValueError(
            "real and generated windows must have the same shape; got "
            f"{real.shape[1:]} and {generated.shape[1:]}; describe both with one network."
        )


def _blocks(n: int) -> list[slice]:
    return [slice(first, first + BLOCK) for first in range(0, n, BLOCK)]


def _mean(rows: np.ndarray, shares: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return the weighted mean as seen from the origin, with few samples in double precision."""
    parts = [shares @ (rows[:, block] - origin[block]) for block in _blocks(rows.shape[1])]
    return np.concatenate(parts)


def _sum_of_singular_values(matrix: np.ndarray) -> float:
    """Return the nuclear norm; squares of what is below rounding count as 0."""
    wide = matrix.shape[0] <= matrix.shape[1]
    squares = np.linalg.eigvalsh(matrix @ matrix.T if wide else matrix.T @ matrix)
    tiny = len(squares) * np.finfo(np.float64).eps * max(squares[-1], 0.0)
    return float(np.sqrt(squares[squares > tiny]).sum())
