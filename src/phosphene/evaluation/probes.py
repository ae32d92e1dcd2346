"""Linear baselines: what a decoder must beat."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from phosphene._checks import check_finite, check_positive
from phosphene.evaluation.units import check_labels
from phosphene.evaluation.wide_lda import fit_wide_lda


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A fitted linear classifier; call `predict_proba`."""

    name: str
    model: Any
    shape: tuple[int, ...]
    """Shape of one row that it was fitted on."""
    step: int = 1
    """Every how many samples of an epoch are read."""

    def predict_proba(self, rows: Float[np.ndarray, "row ..."]) -> Float[np.ndarray, "row class"]:
        """Return class probabilities in label order, in float64, for features or epochs alike."""
        if rows.shape[1:] != self.shape:
            raise ValueError(
                f"{self.name} was fitted on rows of shape {self.shape}; got {rows.shape[1:]}; "
                "use the same channels, window and encoder."
            )
        check_finite("rows", rows)
        return self.model.predict_proba(_flatten(rows, self.step))


def linear_probe(
    features: Float[np.ndarray, "trial feature"],
    labels: Int[np.ndarray, " trial"],
    *,
    n_classes: int,
    penalty: int | float = 1.0,
) -> Probe:
    """Fit multinomial logistic regression on standardised training features.

    Shows whether the class is linearly readable from features, whatever objective made them.
    Classes count equally, however rare.

    Parameters
    ----------
    features
        Training features of one fold. Mean and scale are taken from them too.
    labels
        Their classes, each at least once.
    n_classes
        Number of classes.
    penalty
        Weight of half the squared coefficients against the summed log loss (scikit-learn's 1 / C).

    Raises
    ------
    ValueError
        If a class has no trial or a feature is not finite.
    """
    check_labels(labels, n_classes)
    check_finite("features", features)
    check_positive("penalty", penalty)
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / penalty, max_iter=2000, class_weight="balanced")
    )
    return _fit("linear probe", model, features, labels, step=1)


def shrinkage_lda(
    epochs: Float[np.ndarray, "trial chan time"],
    labels: Int[np.ndarray, " trial"],
    *,
    n_classes: int,
    step: int = 1,
) -> Probe:
    """Fit linear discriminant analysis with Ledoit-Wolf shrinkage on thinned epochs.

    The usual baseline for evoked responses. Indifferent to the unit of the signal. Classes count
    equally, however rare, as balanced accuracy counts them.

    Parameters
    ----------
    epochs
        Training epochs of one fold.
    labels
        Their classes, each at least once.
    n_classes
        Number of classes.
    step
        Every how many samples are taken, without a filter: signals must already be low-passed below
        half of the rate that is left, see `thinning_step`.

    Raises
    ------
    ValueError
        If a class has no trial or a sample is not finite.

    References
    ----------
    Blankertz et al., NeuroImage 2011, https://doi.org/10.1016/j.neuroimage.2010.06.048
    """
    check_labels(labels, n_classes)
    check_finite("epochs", epochs)
    check_positive("step", step)
    priors = np.full(n_classes, 1 / n_classes)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
    rows = _flatten(epochs, step)
    if rows.shape[1] > len(rows):  # the same, without a covariance of thousands of features
        wide = fit_wide_lda(rows, labels, n_classes=n_classes)
        return Probe(name="shrinkage LDA", model=wide, shape=epochs.shape[1:], step=step)
    return _fit("shrinkage LDA", model, epochs, labels, step=step)


def _fit(name: str, model: Any, rows: np.ndarray, labels: np.ndarray, *, step: int) -> Probe:
    model.fit(_flatten(rows, step), labels)
    return Probe(name=name, model=model, shape=rows.shape[1:], step=step)


def _flatten(rows: np.ndarray, step: int) -> np.ndarray:
    return rows[..., ::step].reshape(len(rows), -1).astype(np.float64)
