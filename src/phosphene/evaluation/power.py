"""What a design can detect: the chance that the verdict on a true effect is "decodes"."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special, stats

from phosphene._checks import check_at_least, check_share
from phosphene.evaluation.intervals import shared_training

MOST = 100_000
"""Trials, recordings or subjects beyond which nothing is searched."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(200)
_WEIGHTS /= _WEIGHTS.sum()
"""Gauss's quadrature over a standard normal variable."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """Trials of one cross-validation that leaves out one recording in turn."""

    n_recordings: int
    n_units: int
    """Independent units in a recording: trials, or blocks where classes were shown in blocks."""
    n_classes: int = 2
    reuse: float = 1.0
    """From `permutation.pair_reuse`; 0 for one decoder and test recordings that train none."""
    recording_sd: float = 0.0
    """Standard deviation between recordings of the accuracy that a decoder reaches."""

    def __post_init__(self) -> None:
        check_at_least("n_recordings", self.n_recordings, 1)
        check_at_least("n_classes", self.n_classes, 2)
        check_at_least("n_units", self.n_units, self.n_classes)
        check_share("reuse", self.reuse)
        check_share("recording_sd", self.recording_sd)


def auc_of_accuracy(accuracy: float, *, n_classes: int = 2) -> float:
    """Return the AUC of a decoder of some balanced accuracy, scores being Gaussian.

    For two classes the score of either is Gaussian of equal spread and the threshold is in the
    middle. For more, each class has a score of its own, higher by d where the class was shown, the
    highest is decoded, and the AUC is that of one score; a little too low, for a decoder compares.

    Parameters
    ----------
    accuracy
        Balanced accuracy, from chance to below 1.
    n_classes
        Number of classes.
    """
    chance = 1 / n_classes
    if not chance <= accuracy < 1:
        raise ValueError(
            f"an accuracy to detect lies between chance, {chance:.3g} for {n_classes} classes, and "
            f"1; got {accuracy:g}; give one such as {(1 + 4 * chance) / 5:.2f}."
        )
    if n_classes == 2:
        return float(special.ndtr(math.sqrt(2) * special.ndtri(accuracy)))

    def gap(d: float) -> float:
        return _share_highest(d, n_classes) - accuracy

    d = float(optimize.brentq(gap, -1.0, 20.0))
    return float(special.ndtr(d / math.sqrt(2)))


def _share_highest(d: float, n_classes: int) -> float:
    """Return how often one Gaussian score, higher by d, is the highest of all."""
    return float(_WEIGHTS @ special.ndtr(_NODES + d) ** (n_classes - 1))


def learned_accuracy(ceiling: float, *, n_features: int, n_training: int) -> float:
    """Accuracy of a linear decoder of two classes that was trained on so many trials.

    The mean of n trials points in the direction of the effect up to noise of every feature: of a
    best possible accuracy Phi(m), Phi(m cos) is reached, cos^2 = n m^2 / (n m^2 + features). The
    covariance is taken to be known, so this is what shrinkage reaches at best.

    Parameters
    ----------
    ceiling
        Best possible accuracy, 0.5 to below 1.
    n_features
        Independent features.
    n_training
        Training trials.
    """
    check_at_least("n_features", n_features, 1)
    check_at_least("n_training", n_training, 2)
    auc_of_accuracy(ceiling)  # refuses what is no accuracy
    m = float(special.ndtri(ceiling))
    return float(special.ndtr(m * m / math.sqrt(m * m + n_features / n_training)))


def detection_power(design: Design, accuracy: float, *, alpha: float = 0.05) -> float:
    """Probability that the AUC of a decoder with this accuracy has a p-value of ``alpha`` or less.

    The AUC is Gaussian. Under chance it has the variance of Mann and Whitney, times 1 + ``reuse``
    because folds train on each other's trials (`permutation.calibrate`). With an effect it has the
    variance of Hanley and McNeil, widened by `shared_training`, and that between recordings.

    Parameters
    ----------
    design
        What is recorded.
    accuracy
        Balanced accuracy in held-out recordings that the decoder reaches on average. What the best
        possible decoder reaches is more: `learned_accuracy`.
    alpha
        One-sided level.

    References
    ----------
    Hanley and McNeil, Radiology 1982, https://doi.org/10.1148/radiology.143.1.7063747
    """
    check_share("alpha", alpha, below_one=True)
    auc = auc_of_accuracy(accuracy, n_classes=design.n_classes)
    threshold = stats.norm.isf(alpha) * math.sqrt((1 + design.reuse) * _variance(design, 0.5))
    return float(special.ndtr((auc - 0.5 - threshold) / _spread(design, accuracy, auc)))


def _spread(design: Design, accuracy: float, auc: float) -> float:
    """Return the standard deviation of the AUC of a whole cross-validation."""
    inside = _variance(design, auc) * (1 + design.reuse * shared_training(auc))
    step = min(1e-3, (1 - accuracy) / 2)
    slope = (auc_of_accuracy(accuracy + step, n_classes=design.n_classes) - auc) / step
    return math.sqrt(inside + (slope * design.recording_sd) ** 2 / design.n_recordings)


def _variance(design: Design, auc: float) -> float:
    """Return the variance of the AUC over trials, decoders fixed, averaged over recordings."""
    shown = design.n_units / design.n_classes
    others = design.n_units - shown
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    squares = (shown - 1) * (first - auc**2) + (others - 1) * (second - auc**2)
    one = (auc * (1 - auc) + squares) / (shown * others)
    n_aucs = 1 if design.n_classes == 2 else design.n_classes
    return one / (n_aucs * design.n_recordings)


def detectable_accuracy(design: Design, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Smallest accuracy that the design detects with this power; None where 0.999 is not enough."""
    check_share("power", power, below_one=True)
    low, high = 1 / design.n_classes + 1e-6, 0.999
    if detection_power(design, high, alpha=alpha) < power:
        return None
    found = optimize.brentq(lambda a: detection_power(design, a, alpha=alpha) - power, low, high)
    return float(found)


def needed_recordings(
    design: Design,
    accuracy: float | Callable[[Design], float],
    *,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int | None:
    """Fewest recordings like those of the design, at least 3; None beyond 100,000.

    Where decoders learn more from more trials, ``accuracy`` is a function of the design.
    """
    return _fewest(
        lambda n: _reaches(replace(design, n_recordings=n), accuracy, power, alpha), least=3
    )


def needed_units(
    design: Design,
    accuracy: float | Callable[[Design], float],
    *,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int | None:
    """Fewest trials (or blocks) in each recording; None where recordings are too few for any."""
    return _fewest(
        lambda n: _reaches(replace(design, n_units=n), accuracy, power, alpha),
        least=2 * design.n_classes,
    )


def _reaches(
    design: Design, accuracy: float | Callable[[Design], float], power: float, alpha: float
) -> bool:
    check_share("power", power, below_one=True)
    reached = accuracy(design) if callable(accuracy) else accuracy
    return detection_power(design, reached, alpha=alpha) >= power


def needed_subjects(
    design: Design,
    accuracy: float,
    *,
    subject_sd: float,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int | None:
    """Fewest subjects, each with this design, whose mean AUC a t-test finds above chance.

    Every subject has a decoder of its own, so subjects are independent. Their AUCs differ by what
    a cross-validation varies and by ``subject_sd``, the standard deviation of the accuracy between
    subjects.

    Parameters
    ----------
    design
        Of one subject.
    accuracy
        Mean over subjects.
    subject_sd
        Standard deviation of accuracies between subjects, 0 to 1.
    power, alpha
        As elsewhere.
    """
    check_share("subject_sd", subject_sd)
    check_share("power", power, below_one=True)
    auc = auc_of_accuracy(accuracy, n_classes=design.n_classes)
    step = min(1e-3, (1 - accuracy) / 2)
    slope = (auc_of_accuracy(accuracy + step, n_classes=design.n_classes) - auc) / step
    sd = math.hypot(_spread(design, accuracy, auc), slope * subject_sd)

    def enough(n: int) -> bool:
        reach = (auc - 0.5) / sd * math.sqrt(n)
        found = stats.nct.sf(stats.t.isf(alpha, n - 1), n - 1, reach)
        return bool(np.nan_to_num(found, nan=float(reach > 30)) >= power)

    return _fewest(enough, least=2)


def _fewest(enough: Callable[[int], bool], *, least: int) -> int | None:
    """Return the smallest number from which on it is enough, by doubling and bisection."""
    high = least
    while not enough(high):
        high *= 2
        if high > MOST:
            return None
    low = max(least, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return high
