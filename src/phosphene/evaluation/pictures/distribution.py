"""Scores that compare sets of pictures through a network's probabilities and features."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from phosphene._checks import check_finite
from phosphene.evaluation.intervals import cluster_bootstrap
from phosphene.evaluation.units import check_probabilities
from phosphene.score import Score


def inception_score(
    probabilities: Float[np.ndarray, "picture class"], *, n_splits: int = 1, seed: int = 0
) -> tuple[float, float]:
    """Exponential of the mean KL divergence between a picture's classes and those of the set.

    From 1 (all pictures look like the same mixture) to the number of classes (each picture is sure,
    all classes occur equally often). It never looks at real pictures and rewards variety of any
    kind, outside the wanted class too: print the value of real pictures beside it. Biased downwards
    for few pictures per split.

    Rows are shuffled before they are split. Published code splits in file order, where a split may
    hold a single class; with one split there is no difference.

    Parameters
    ----------
    probabilities
        Of the judge's classes; rows sum to 1.
    n_splits
        Equal parts; the score is computed in each.
    seed
        Seed of the shuffle.

    Returns
    -------
    mean, spread
        Over splits; the spread (population standard deviation) is not an error of the mean.

    Raises
    ------
    ValueError
        If there are fewer pictures than splits, or rows that are not probabilities.

    References
    ----------
    Salimans et al., NeurIPS 2016, https://arxiv.org/abs/1606.03498; Barratt and Sharma,
    https://arxiv.org/abs/1801.01973 on what it does not say.
    """
    check_probabilities(probabilities)
    if not 1 <= n_splits <= len(probabilities):
        raise ValueError(
            f"need at least one picture per split and one split; got {len(probabilities)} pictures "
            f"and {n_splits} splits; lower `n_splits`."
        )
    rows = np.random.default_rng(seed).permutation(probabilities.astype(np.float64))
    scores = [
        np.exp(entr(part.mean(axis=0)).sum() - entr(part).sum(axis=1).mean())
        for part in np.array_split(rows, n_splits)
    ]
    return float(np.mean(scores)), float(np.std(scores))


def frechet_distance(
    real: Float[np.ndarray, "n_real feature"], fake: Float[np.ndarray, "n_fake feature"]
) -> float:
    """Squared 2-Wasserstein distance between Gaussians fitted to the two sets (0 is best).

    Biased upwards for few samples, the more so the more features: only compare scores with equal
    numbers of pictures, and with the distance between two halves of the real ones.

    Raises
    ------
    ValueError
        If a set has fewer than 2 rows or values that are not finite.

    References
    ----------
    Heusel et al., NeurIPS 2017, https://arxiv.org/abs/1706.08500; the bias: Chong and Forsyth,
    https://arxiv.org/abs/1911.07023.
    """
    return frechet_distances_to(real)(fake)


def frechet_distances_to(real: Float[np.ndarray, "n_real feature"]) -> Callable[..., float]:
    """Prepare `frechet_distance` for many sets against the same real one.

    The function that is returned takes a set, and optionally how often each of its rows counts.
    """
    _check_rows("real", real)
    mean, root = _mean_and_root(real)
    if len(root) > root.shape[1]:  # more pictures than features: a square root is smaller
        scale, basis = np.linalg.eigh(root.T @ root)
        root = (basis * np.sqrt(scale.clip(min=0))).T

    def distance(
        fake: Float[np.ndarray, "n_fake feature"], drawn: Int[np.ndarray, " n_fake"] | None = None
    ) -> float:
        _check_rows("fake", fake)
        mean_fake, root_fake = _mean_and_root(fake, drawn)
        # With covariances A'A and B'B, the trace of the root of their product is the sum of the
        # singular values of A B', a matrix no larger than the numbers of pictures.
        product = root @ root_fake.T
        small = product @ product.T if len(root) <= len(root_fake) else product.T @ product
        overlap = np.sqrt(np.linalg.eigvalsh(small).clip(min=0)).sum()
        gap = ((mean - mean_fake) ** 2).sum()
        total = gap + (root**2).sum() + (root_fake**2).sum() - 2 * overlap
        return float(max(total, 0.0))  # equal sets: rounding may leave -1e-15

    return distance


def _mean_and_root(
    rows: np.ndarray, drawn: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean, and the rows around it, scaled: their products are the covariance.

    A row that was drawn several times stands once, with a weight; one that was not drawn is left
    out, which makes a bootstrap of many features several times faster.
    """
    rows = rows.astype(np.float64)
    if drawn is None:
        mean = rows.mean(axis=0)
        return mean, (rows - mean) / np.sqrt(len(rows) - 1)
    rows, drawn = rows[drawn > 0], drawn[drawn > 0]
    mean = drawn @ rows / drawn.sum()
    return mean, (rows - mean) * np.sqrt(drawn / (drawn.sum() - 1))[:, None]


def _check_rows(name: str, rows: np.ndarray) -> None:
    if len(rows) < 2:
        raise ValueError(f"need at least 2 rows per set; got {len(rows)} {name}; add pictures.")
    check_finite(name, rows)


def distribution_scores(
    probabilities: Float[np.ndarray, "picture class"],
    features: Float[np.ndarray, "picture feature"],
    *,
    real_features: Float[np.ndarray, "n_real feature"],
    extractor: str,
    method: str,
    distance_name: str = "Fréchet distance",
    split: str = "",
    role: str = "result",
    n_resamples: int = 40,
    seed: int = 0,
) -> list[Score]:
    """Inception Score and Fréchet distance of one set of pictures, with intervals over pictures.

    The interval holds the judge, the generator and the real pictures fixed: it says how much the
    score would move with other held-out trials, not with another training run.

    Parameters
    ----------
    probabilities, features
        What the judge says about the pictures; one picture per held-out trial, else trials count
        several times.
    real_features
        Features of real pictures that neither generator nor judge was trained on.
    extractor
        Judge, for the name: "domain" gives "IS[domain]". Scores of two extractors never share a
        name, so they never share a column.
    distance_name
        "FID" where features are those of Inception-v3, which is what the letters stand for.
    method, split, role
        Words for the `Score`; for the reference pass real pictures and ``role="reference"``.
    n_resamples
        Draws of the bootstrap; 40 leave an error of 11 % in the width.
    seed
        Of the bootstrap.
    """
    distance = frechet_distances_to(real_features)
    values = (inception_score(probabilities)[0], distance(features))

    def drawn_rows(drawn: np.ndarray) -> np.ndarray:
        return np.repeat(np.arange(len(drawn)), drawn)

    intervals = [
        cluster_bootstrap(
            statistic, len(probabilities), bounds=bounds, n_resamples=n_resamples, seed=seed
        )
        for statistic, bounds in (
            (
                lambda drawn: inception_score(probabilities[drawn_rows(drawn)])[0],
                (1.0, float(probabilities.shape[1])),
            ),
            (
                lambda drawn: distance(features, drawn),
                (0.0, np.inf),
            ),
        )
    ]
    return [
        Score(
            name=f"{name}[{extractor}]",
            value=value,
            low=low,
            high=high,
            n=len(probabilities),
            unit="pictures",
            higher_is_better=higher,
            section="pictures",
            role=role,
            method=method,
            split=split,
            extractor=extractor,
            interval="t with bootstrap error over pictures",
        )
        for name, value, (low, high), higher in zip(
            ("IS", distance_name), values, intervals, (True, False), strict=True
        )
    ]
