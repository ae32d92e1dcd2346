"""Covariances of evoked responses as features: the tangent space of a Riemannian mean."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from phosphene._checks import check_at_least
from phosphene.models.layers import check_columns

CHUNK = 1024
"""Trials whose covariances are decomposed at a time."""
MAX_SIDE = 48
"""Largest covariance that `filters_per_class` chooses; its features are 1,176."""


def filters_per_class(n_chans: int, *, n_classes: int) -> int:
    """Return how many x-dawn filters per class keep covariances small; 0 where none are needed."""
    if (1 + n_classes) * n_chans <= MAX_SIDE:
        return 0
    return min(n_chans, max(1, MAX_SIDE // (2 * n_classes)))


class TangentSpaceEncoder(nn.Module):
    """Describe a trial by how its channels vary with each other and with each class's response.

    Below the trial's channels the mean response of each class is written, and the covariance of
    all these rows is estimated (shrunk by OAS). Blocks off the diagonal say how much of each
    response the trial holds. The covariance C is then mapped to the tangent space at the
    Riemannian mean M of the training trials: the upper triangle of log(M^-1/2 C M^-1/2), off the
    diagonal times sqrt(2), so that lengths are kept. Features are standardised with the training
    trials' mean and SD.

    Nothing here is trained by gradient: `fit` measures all there is, and the network is saved as
    plain tensors. Arithmetic is in float64, whatever the signals are. Of d rows in all come
    `n_features = d (d + 1) / 2` features: 78 of 4 channels and 2 classes.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_times
        Samples per trial.
    n_classes
        Classes whose responses are written below the trial.
    n_filters
        X-dawn filters per class, which replace the channels of responses and trials alike where
        channels are many; 0 keeps the channels.
    step
        Every how many samples are taken, without a filter: signals must already be low-passed.

    References
    ----------
    Barachant and Congedo, 2014, https://arxiv.org/abs/1409.0107 (responses below the trial);
    Barachant et al., IEEE Trans. Biomed. Eng. 2012, https://doi.org/10.1109/TBME.2011.2172210
    (tangent space); Rivet et al., IEEE Trans. Biomed. Eng. 2009,
    https://doi.org/10.1109/TBME.2009.2012869 (x-dawn)
    """

    filters: Tensor
    prototypes: Tensor
    whitening: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(
        self, n_chans: int, n_times: int, *, n_classes: int, n_filters: int = 0, step: int = 1
    ) -> None:
        super().__init__()
        for name, value in {"n_chans": n_chans, "n_times": n_times, "step": step}.items():
            check_at_least(name, value, 1)
        check_at_least("n_classes", n_classes, 2)
        check_at_least("n_filters", n_filters, 0)
        if n_filters > n_chans:
            raise ValueError(
                f"`n_filters` must be at most the {n_chans} channels; got {n_filters}. "
                "Take fewer, or 0 to keep the channels."
            )
        self.n_chans, self.n_times, self.n_classes = n_chans, n_times, n_classes
        self.n_filters, self.step = n_filters, step
        n_rows = n_filters * n_classes or n_chans  # of the trial
        n_responses = n_classes * (n_filters or n_chans)
        side = n_rows + n_responses
        self.n_features = side * (side + 1) // 2
        sizes = {
            "filters": (n_rows, n_chans),
            "prototypes": (n_responses, len(range(0, n_times, step))),
            "whitening": (side, side),
            "mean": (self.n_features,),
            "scale": (self.n_features,),
        }
        for name, size in sizes.items():
            self.register_buffer(name, torch.zeros(size, dtype=torch.float64))

    @torch.no_grad()
    def fit(
        self, signals: Float[Tensor, "trial chan time"], labels: Int[Tensor, " trial"]
    ) -> "TangentSpaceEncoder":
        """Measure responses, mean covariance and the features' scale on training trials.

        Raises
        ------
        ValueError
            If a class has no trial, or for signals of another size.
        """
        present = labels.unique().tolist()
        if present != list(range(self.n_classes)):
            raise ValueError(
                f"every class needs a training trial; of {self.n_classes} classes there are "
                f"{present}. Add trials or leave classes out."
            )
        signals = self._thinned(signals)
        responses = [signals[labels == label].mean(0) for label in present]
        self.filters = torch.eye(self.n_chans, dtype=torch.float64, device=signals.device)
        if self.n_filters:
            total = oas_covariance(signals.transpose(0, 1).flatten(1))
            filters = [_xdawn_filters(row, total, self.n_filters) for row in responses]
            responses = [f @ row for f, row in zip(filters, responses, strict=True)]
            self.filters = torch.cat(filters)
        self.prototypes = torch.cat(responses)
        covariances = torch.cat([self._covariances(part) for part in signals.split(CHUNK)])
        self.whitening = _of_eigenvalues(riemannian_mean(covariances), torch.rsqrt)
        tangent = self._project(covariances)
        self.mean, self.scale = tangent.mean(0), tangent.std(0, correction=0)
        self.scale[self.scale < 1e-9] = 1.0  # as between two responses, which are always the same
        return self

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Describe trials that were brought to unit scale, as those that `fit` saw."""
        return ((self.tangent(eeg) - self.mean) / self.scale).to(eeg.dtype)

    def tangent(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Return features before they are standardised, float64."""
        if not self.whitening.any():
            raise ValueError(
                "the tangent space needs training trials; none were seen. Call `fit`, or load "
                "weights."
            )
        parts = self._thinned(eeg).split(CHUNK)
        return torch.cat([self._project(self._covariances(part)) for part in parts])

    def _thinned(self, eeg: Tensor) -> Float[Tensor, "batch chan sample"]:
        check_columns("eeg", eeg, self.n_chans, "channels")
        check_columns("eeg", eeg, self.n_times, "samples", axis=2)
        return eeg[:, :, :: self.step].double()

    def _covariances(self, signals: Tensor) -> Float[Tensor, "batch side side"]:
        responses = self.prototypes.expand(len(signals), -1, -1)
        return oas_covariance(torch.cat([responses, self.filters @ signals], dim=1))

    def _project(self, covariances: Tensor) -> Float[Tensor, "batch feature"]:
        logs = _of_eigenvalues(self.whitening @ covariances @ self.whitening, torch.log)
        rows, columns = torch.triu_indices(*logs.shape[1:], device=logs.device)
        return logs[:, rows, columns] * torch.where(rows == columns, 1.0, 2**0.5)


def oas_covariance(
    rows: Float[Tensor, "*batch row sample"],
) -> Float[Tensor, "*batch row row"]:
    """Return covariances over samples, shrunk towards their mean variance.

    The share is that of the oracle approximating estimator, as scikit-learn's `oas` computes it.

    References
    ----------
    Chen et al., IEEE Trans. Signal Process. 2010, https://arxiv.org/abs/0907.4698
    """
    n_rows, n_samples = rows.shape[-2:]
    rows = rows - rows.mean(-1, keepdim=True)
    covariance = rows @ rows.mT / n_samples
    level = covariance.diagonal(dim1=-2, dim2=-1).mean(-1)
    power = covariance.square().mean((-2, -1))
    spread = (n_samples + 1) * (power - level.square() / n_rows)
    share = torch.where(spread > 0, (power + level.square()) / spread, 1.0).clamp(max=1.0)
    share, level = share[..., None, None], level[..., None, None]
    identity = torch.eye(n_rows, dtype=rows.dtype, device=rows.device)
    return (1 - share) * covariance + share * level * identity


def riemannian_mean(
    matrices: Float[Tensor, "matrix side side"], *, max_steps: int = 50, tolerance: float = 1e-9
) -> Float[Tensor, "side side"]:
    """Return the matrix whose tangent vectors to all others add up to zero.

    Gradient descent from the arithmetic mean; the step is halved whenever the gradient grew.

    References
    ----------
    Moakher, SIAM J. Matrix Anal. Appl. 2005, https://doi.org/10.1137/S0895479803436937
    """
    mean, step, last = matrices.mean(0), 1.0, float("inf")
    for _ in range(max_steps):
        root = _of_eigenvalues(mean, torch.sqrt)
        inverse = _of_eigenvalues(mean, torch.rsqrt)
        logs = [
            _of_eigenvalues(inverse @ part @ inverse, torch.log) for part in matrices.split(CHUNK)
        ]
        gradient = torch.cat(logs).mean(0)
        length = float(gradient.norm())
        if length < tolerance:
            break
        step = step / 2 if length > last else step
        last = length
        mean = root @ torch.linalg.matrix_exp(step * gradient) @ root
    return mean


def _xdawn_filters(
    response: Float[Tensor, "chan sample"], total: Float[Tensor, "chan chan"], n_filters: int
) -> Float[Tensor, "filter chan"]:
    """Return the unit vectors along which a response stands out most from all signals."""
    white = _of_eigenvalues(total, torch.rsqrt)
    _, vectors = torch.linalg.eigh(white @ oas_covariance(response) @ white)
    filters = (white @ vectors).T.flip(0)[:n_filters]
    return filters / filters.norm(dim=1, keepdim=True)


def _of_eigenvalues(matrices: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function to symmetric matrices through their eigenvalues."""
    values, vectors = torch.linalg.eigh(matrices)
    least = 1e-12 * values[..., -1:].clamp(min=1e-300)
    values = function(torch.maximum(values, least))
    return (vectors * values[..., None, :]) @ vectors.mT
