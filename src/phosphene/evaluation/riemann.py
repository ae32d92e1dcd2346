"""The classical decoder of evoked responses by Riemannian geometry, through pyriemann."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from phosphene._checks import check_finite, check_positive
from phosphene._checks.installation import pip_install
from phosphene.evaluation.probes import Probe
from phosphene.evaluation.units import check_labels

MAX_SIDE = 48
"""Covariances larger than this are made from x-dawn filters instead of channels."""


def riemann_available() -> bool:
    """Say whether pyriemann is installed."""
    return find_spec("pyriemann") is not None


def tangent_space(
    epochs: Float[np.ndarray, "trial chan time"],
    labels: Int[np.ndarray, " trial"],
    *,
    n_classes: int,
    step: int = 1,
) -> Probe:
    """Fit logistic regression in the tangent space of covariances with the classes' responses.

    The strongest classical baseline for evoked responses of few channels. Below each trial the mean
    response of each class is written; the covariance of all rows, shrunk by OAS, is mapped to the
    tangent space at the Riemannian mean of the training trials. Where that covariance had more than
    48 rows, x-dawn filters of each class stand in for the channels. Channels are brought to unit
    variance first, so that the unit does not matter. Classes count equally, however rare.

    Parameters
    ----------
    epochs
        Training epochs of one fold.
    labels
        Their classes, each at least once.
    n_classes
        Number of classes.
    step
        Every how many samples are taken, as for `shrinkage_lda`.

    Raises
    ------
    ValueError
        If pyriemann is not installed, a class has no trial or a sample is not finite.

    References
    ----------
    Barachant and Congedo, 2014, https://arxiv.org/abs/1409.0107; Barachant et al., IEEE Trans.
    Biomed. Eng. 2012, https://doi.org/10.1109/TBME.2011.2172210
    """
    if not riemann_available():
        raise ValueError(
            "the tangent-space baseline needs pyriemann; it is not installed. Install it with "
            f"`{pip_install('pyriemann')}`."
        )
    check_labels(labels, n_classes)
    check_finite("epochs", epochs)
    check_positive("step", step)
    from pyriemann.tangentspace import TangentSpace  # takes a second, and only this needs it

    n_chans = epochs.shape[1]
    thinned = epochs[..., ::step].astype(np.float64)
    rows = thinned.reshape(len(epochs), -1)
    scale = thinned.std(axis=(0, 2))
    scale[scale == 0] = 1.0
    model = make_pipeline(
        FunctionTransformer(_scaled_epochs, kw_args={"scale": scale}),
        _covariances(n_chans, n_classes),
        TangentSpace(),
        LogisticRegression(max_iter=2000, class_weight="balanced"),
    )
    model.fit(rows, labels)
    return Probe(name="tangent space", model=model, shape=epochs.shape[1:], step=step)


def _covariances(n_chans: int, n_classes: int) -> Any:
    from pyriemann.estimation import ERPCovariances, XdawnCovariances

    if (1 + n_classes) * n_chans <= MAX_SIDE:
        return ERPCovariances(estimator="oas")
    n_filters = min(n_chans, max(1, MAX_SIDE // (2 * n_classes)))
    return XdawnCovariances(n_filters, estimator="oas", xdawn_estimator="oas")


def _scaled_epochs(rows: np.ndarray, *, scale: np.ndarray) -> np.ndarray:
    return rows.reshape(len(rows), len(scale), -1) / scale[:, None]
