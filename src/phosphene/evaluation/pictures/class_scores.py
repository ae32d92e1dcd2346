"""Inception Scores of the pictures of single classes (EEG2Image, table 2)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr

from phosphene.evaluation.intervals import cluster_bootstrap
from phosphene.evaluation.pictures.distribution import inception_score
from phosphene.evaluation.units import check_labels, check_probabilities
from phosphene.score import Score

OF_THESE_CLASSES = (
    "the extractor tells these very classes apart, so that pictures surely of one class score 1, "
    "however varied, and mixed ones up to {n}: low is good here, and it says little"
)
OF_OTHER_CLASSES = (
    "the extractor has {n} classes of its own; biased downwards for few pictures, so that it "
    "compares with published values in form only, and with real pictures where n is alike"
)
MIN_PICTURES = 2


def class_inception_scores(
    probabilities: Float[np.ndarray, "picture class"],
    labels: Int[np.ndarray, " picture"],
    *,
    classes: Sequence[str],
    extractor: str,
    of_these_classes: bool,
    method: str,
    split: str = "",
    role: str = "result",
    n_resamples: int = 40,
    seed: int = 0,
) -> list[Score]:
    """Inception Score of each class's pictures, one set of pictures at a time.

    The paper's table 2 takes one folder of generated pictures per class and Inception's 1008
    classes: the score is high where pictures of one class look like many things to Inception, and
    each of them clearly like one. Real pictures of the class have a score too, which says how much
    of that lies in the class: call once with generated and once with real ones, equally many.

    Through a classifier of the same classes the score turns around: pictures that are surely of
    their class all have the same probabilities and score 1, the lowest value there is. The note of
    each score says which of the two it is.

    The interval holds the extractor and the generator fixed and rests on pictures, as in
    `distribution_scores`. A class with fewer than 2 pictures has no score.

    Parameters
    ----------
    probabilities
        What the extractor says about each picture; rows sum to 1.
    labels
        Class that each picture is meant to show: the decoded one of generated pictures.
    classes
        Names of the classes, for the scores' names.
    extractor
        Name of the extractor: "domain" gives "IS of class apple[domain]".
    of_these_classes
        Whether the extractor's classes are the pictures' own, as those of the [domain] network.
    method, split, role
        Words for the `Score`; for the reference pass real pictures and ``role="reference"``.
    n_resamples, seed
        Of the bootstrap.

    Raises
    ------
    ValueError
        If rows are not probabilities, or a label has no name.

    References
    ----------
    Singh et al., ICASSP 2023, table 2, https://arxiv.org/abs/2302.10121; Barratt and Sharma,
    https://arxiv.org/abs/1801.01973 on scores through classes that are not the pictures'.
    """
    check_probabilities(probabilities)
    check_labels(labels, len(classes), complete=False)
    n_outputs = probabilities.shape[1]
    caveat = (OF_THESE_CLASSES if of_these_classes else OF_OTHER_CLASSES).format(n=f"{n_outputs:,}")
    scores = []
    for label in np.unique(labels):
        rows = probabilities[labels == label].astype(np.float64)
        if len(rows) < MIN_PICTURES:
            continue
        low, high = _interval(rows, n_resamples=n_resamples, seed=seed)
        scores.append(
            Score(
                name=f"IS of class {classes[label]}[{extractor}]",
                value=inception_score(rows)[0],
                low=low,
                high=high,
                n=len(rows),
                unit="pictures",
                higher_is_better=not of_these_classes,
                section="pictures",
                role=role,
                method=method,
                split=split,
                extractor=extractor,
                interval="t with bootstrap error over pictures",
                note=caveat,
            )
        )
    return scores


def _interval(
    rows: Float[np.ndarray, "picture class"], *, n_resamples: int, seed: int
) -> tuple[float, float]:
    """Bootstrap pictures; a picture's own entropy is the same in every draw."""
    entropies = entr(rows).sum(axis=1)

    def score(drawn: np.ndarray) -> float:
        share = drawn / len(rows)
        return float(np.exp(entr(share @ rows).sum() - share @ entropies))

    bounds = (1.0, float(rows.shape[1]))
    return cluster_bootstrap(score, len(rows), bounds=bounds, n_resamples=n_resamples, seed=seed)
