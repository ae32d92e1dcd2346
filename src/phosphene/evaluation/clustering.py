"""k-means accuracy: whether features fall into clusters by class, without a classifier."""

from collections.abc import Hashable, Iterable

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from phosphene._checks import check_finite
from phosphene.evaluation.confusion import count_pairs
from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.intervals import binomial_interval, null_range
from phosphene.evaluation.units import check_labels, group_numbers
from phosphene.score import Score


def kmeans_accuracy(
    features: Float[np.ndarray, "trial feature"],
    labels: Int[np.ndarray, " trial"],
    *,
    n_classes: int,
    seed: int,
) -> float:
    """Share of trials whose cluster is matched to their class, 0 to 1.

    As many clusters as classes (k-means++, 10 starts), matched one to one so that most trials agree
    (Hungarian method). As in EEG2Image, features are not normalised; unlike there, the number must
    never choose a checkpoint. Above 1 / n_classes by construction: see `kmeans_score` for its
    chance level.

    Raises
    ------
    ValueError
        If a class has no trial or a feature is not finite.
    """
    check_labels(labels, n_classes)
    clusters = _cluster(features, n_classes, seed)
    return _matched(labels, clusters, n_classes) / len(labels)


def kmeans_score(
    features: Float[np.ndarray, "trial feature"],
    labels: Int[np.ndarray, " trial"],
    *,
    n_classes: int,
    seed: int,
    method: str,
    split: str = "",
    role: str = "result",
    folds: Iterable[Hashable] | None = None,
    recordings: Iterable[Hashable] | None = None,
    blocks: Iterable[Hashable] | None = None,
    unit: str = "trial",
    n_permutations: int = 500,
) -> Score:
    """k-means accuracy of held-out features with its own chance level.

    The matching looks at the labels it is scored on, so chance lies above 1 / n_classes, the more
    so the fewer trials there are. It is measured: labels are permuted, clusters stay, matching is
    done again. The interval is exact binomial over trials and takes clusters and matching as given.

    Parameters
    ----------
    features
        Of held-out trials, as the encoder returns them.
    labels
        Class shown, each at least once in every fold.
    n_classes
        Number of classes and of clusters.
    seed
        Of k-means and permutations.
    method, split, role
        Words for the `Score`.
    folds
        Fold whose encoder made the feature: features of different encoders are not comparable, so
        clusters and matching are made within a fold and hits are pooled. None: one encoder.
    recordings, blocks, unit
        Level at which labels were randomised, as in `permute_labels`; without recordings labels
        are permuted within a fold.
    n_permutations
        Of the chance range.

    Raises
    ------
    ValueError
        If a label is out of range or a feature is not finite.
    """
    fold = group_numbers("folds", [0] * len(labels) if folds is None else folds, len(labels))
    recording = fold
    if recordings is not None:
        recording = group_numbers("recordings", recordings, len(labels))
    permute = label_permuter(labels, recordings=recording, blocks=blocks, unit=unit)
    parts = [np.flatnonzero(fold == f) for f in range(fold.max() + 1)]
    for rows in parts:
        check_labels(labels[rows], n_classes, complete=False)
    clusters = [_cluster(features[rows], n_classes, seed) for rows in parts]

    def matched(shown: np.ndarray) -> int:
        pairs = zip(parts, clusters, strict=True)
        return sum(_matched(shown[rows], found, n_classes) for rows, found in pairs)

    n = len(labels)
    hits = matched(labels)
    mean, low, high = null_range(
        lambda rng: np.array(matched(permute(rng)) / n), n_draws=n_permutations, seed=seed
    )
    ends = binomial_interval(hits, n)
    return Score(
        name="k-means accuracy",
        value=hits / n,
        low=ends[0],
        high=ends[1],
        n=n,
        unit="trials",
        chance=float(mean),
        chance_low=float(low),
        chance_high=float(high),
        role=role,
        method=method,
        split=split,
        interval="exact binomial over trials, clusters and matching taken as given",
    )


def _cluster(features: np.ndarray, n_classes: int, seed: int) -> np.ndarray:
    check_finite("features", features)
    model = KMeans(n_classes, n_init=10, random_state=seed)  # pyright: ignore[reportArgumentType]
    found = model.fit_predict(features.astype(np.float64))
    return found.astype(np.int64)


def _matched(labels: np.ndarray, clusters: np.ndarray, n_classes: int) -> int:
    table = count_pairs(labels, clusters, n_classes=n_classes)
    return int(table[linear_sum_assignment(table, maximize=True)].sum())
