"""Ridge regression from picture features to responses, in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from phosphene._checks import check_at_least

PENALTIES: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-6, 5))
"""Relative to the mean squared length of a picture's features."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """A linear map with what it was chosen by."""

    weights: Float[np.ndarray, "feature output"]
    """Of standardised features."""
    offset: Float[np.ndarray, " output"]
    """Output of a picture of mean features."""
    penalty: float
    explained: float
    """Share of the outputs' variance that it explains on pictures that did not fit it."""


def fit_ridge(
    features: Float[np.ndarray, "picture feature"],
    outputs: Float[np.ndarray, "picture output"],
    *,
    folds: Int[np.ndarray, " picture"],
    penalties: Sequence[float] = PENALTIES,
) -> Ridge:
    """Fit a ridge regression whose penalty was chosen by cross-validation over pictures.

    The dual form is solved, by the eigenvectors of the pictures' inner products: few pictures, and
    all penalties for the price of one.

    Parameters
    ----------
    features
        Standardised, of training pictures alone.
    outputs
        Mean response to each in any space; its axes count by their variance.
    folds
        Number of the part in which each picture is left out.
    penalties
        To choose from, relative to the mean of the features' squares and their number.

    Raises
    ------
    ValueError
        With fewer than 2 folds, or outputs that do not vary.
    """
    check_at_least("number of folds", len(np.unique(folds)), 2)
    scale = features.shape[1] ** -0.5
    scaled = features.astype(np.float64) * scale
    outputs = outputs.astype(np.float64)
    if not outputs.var(0).any():
        raise ValueError(
            "responses must differ between pictures to be predicted; these do not. Check that the "
            "recording belongs to the pictures."
        )
    missed, total = np.zeros(len(penalties)), 0.0
    for fold in np.unique(folds):
        out = folds == fold
        offset = outputs[~out].mean(0)
        duals = _dual_weights(scaled[~out], outputs[~out] - offset, penalties)
        kernel = scaled[out] @ scaled[~out].T
        missed += [((outputs[out] - offset - kernel @ dual) ** 2).sum() for dual in duals]
        total += ((outputs[out] - offset) ** 2).sum()
    best = int(missed.argmin())
    offset = outputs.mean(0)
    (dual,) = _dual_weights(scaled, outputs - offset, penalties[best : best + 1])
    return Ridge(
        weights=scale * scaled.T @ dual,
        offset=offset,
        penalty=float(penalties[best]),
        explained=float(1 - missed[best] / total),
    )


def _dual_weights(
    features: np.ndarray, outputs: np.ndarray, penalties: Sequence[float]
) -> list[np.ndarray]:
    """Return (picture, output) for each penalty."""
    values, vectors = np.linalg.eigh(features @ features.T)
    turned = vectors.T @ outputs
    return [vectors @ (turned / (values + penalty)[:, None]) for penalty in penalties]
