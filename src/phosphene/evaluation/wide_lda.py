"""Shrinkage LDA where features outnumber trials: the same numbers without their covariance.

Of 128 channels a baseline sees thousands of features. Their covariance would take hundreds of
megabytes and its solution minutes; shrunk, it is a diagonal plus as many directions as there are
trials, so a system as large as the trials is solved instead (Woodbury's identity).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class WideLDA:
    """A fitted discriminant."""

    coef: Float[np.ndarray, "class feature"]
    intercept: Float[np.ndarray, " class"]

    def predict_proba(
        self, rows: Float[np.ndarray, "row feature"]
    ) -> Float[np.ndarray, "row class"]:
        """Return class probabilities."""
        logits = rows @ self.coef.T + self.intercept
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)


def fit_wide_lda(
    rows: Float[np.ndarray, "trial feature"], labels: Int[np.ndarray, " trial"], *, n_classes: int
) -> WideLDA:
    """Fit what scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")` fits.

    With equal priors: each class's covariance is shrunk after standardisation, then all are
    averaged.
    """
    diagonal = np.zeros(rows.shape[1])
    factors, means = [], []
    for label in range(n_classes):
        group = rows[labels == label]
        mean, scale = group.mean(axis=0), group.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        standard = (group - mean) / scale
        share, level = ledoit_wolf_share(standard)
        diagonal += share * level * scale**2 / n_classes
        factors.append(standard * scale * np.sqrt((1 - share) / len(group) / n_classes))
        means.append(mean)
    centres = np.stack(means)
    weights = centres / diagonal
    factor = np.concatenate(factors)  # covariance = diagonal + factor.T @ factor
    inner = np.eye(len(factor)) + (factor / diagonal) @ factor.T
    coef = weights - np.linalg.solve(inner, factor @ weights.T).T @ (factor / diagonal)
    intercept = -0.5 * (centres * coef).sum(axis=1) - np.log(n_classes)
    return WideLDA(coef, intercept)


def ledoit_wolf_share(rows: Float[np.ndarray, "trial feature"]) -> tuple[float, float]:
    """Return how far to shrink the covariance of centred rows, and the variance to shrink towards.

    As `sklearn.covariance.ledoit_wolf_shrinkage`, from products of trials instead of features.

    References
    ----------
    Ledoit and Wolf, Journal of Multivariate Analysis 2004.
    """
    n, p = rows.shape
    squares = (rows**2).sum(axis=1)
    level = squares.sum() / n / p
    total = ((rows @ rows.T) ** 2).sum() / n**2
    spread = ((squares**2).sum() / n - total) / (n * p)
    distance = total / p - level**2
    spread = min(spread, distance)
    return (0.0 if spread <= 0 else float(spread / distance)), float(level)
