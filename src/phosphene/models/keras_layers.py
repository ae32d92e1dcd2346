"""Layers as Keras and tensorflow-addons have them, where torch's differ."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn


class FixedModeBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose mode is chosen when it is built, whatever `train` and `eval` say later.

    In TensorFlow a function that is traced without saying whether it trains keeps the mode of its
    first call. Left in evaluation mode from the start, the moving statistics stay 0 and 1: all that
    remains is weight * x / sqrt(1 + eps) + bias, one line per plane. Left in training mode, every
    batch is normalised by its own numbers, and the moving statistics are never read.

    Parameters
    ----------
    n_planes
        Planes of the maps.
    batch_statistics
        Which of the two: normalise by the batch, or leave mean 0 and variance 1.
    eps
        Added to the variance; Keras has 1e-3.
    momentum
        Share of a new batch in the moving statistics; Keras' 0.99 is 0.01 here.
    """

    def __init__(
        self, n_planes: int, *, batch_statistics: bool, eps: float = 1e-3, momentum: float = 0.01
    ) -> None:
        super().__init__(n_planes, eps=eps, momentum=momentum)
        self.batch_statistics = batch_statistics
        self.train()

    def train(self, mode: bool = True) -> "FixedModeBatchNorm2d":
        """Keep the mode that was chosen."""
        return super().train(self.batch_statistics)


def start_spectral_norm_(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Give a layer the vector with which `normalize_kernel_` looks for its largest gain.

    It is drawn from the law of tensorflow-addons, which takes no iteration before the first update:
    the first values found are too low, and the first kernels too large.
    """
    n_planes = layer.weight.shape[0]
    direction = torch.empty(n_planes, device=layer.weight.device, dtype=layer.weight.dtype)
    nn.init.trunc_normal_(direction, std=0.02, a=-0.04, b=0.04)
    layer.register_buffer("direction", direction)


def normalize_kernel_(
    layer: nn.Conv2d | nn.ConvTranspose2d,
) -> Float[Tensor, "n_first n_second height width"]:
    """Overwrite a layer's kernel by itself over its largest singular value, and return it.

    One power iteration in each call, as `SpectralNormalization` of tensorflow-addons 0.16.1 does in
    each forward pass of training. The matrix is the kernel with its first axis as rows: the outputs
    of a convolution, the inputs of a transposed one, as the last axis is in Keras.

    The division is no part of the derivative: what is returned hands its gradient to the kernel as
    it is. Graphs of earlier calls keep the kernels that they were made with. torch's own
    `spectral_norm` keeps the kernel and differentiates the division; there an optimiser moves a
    kernel of any size, here one of gain 1.

    References
    ----------
    Miyato et al., ICLR 2018, https://arxiv.org/abs/1802.05957
    """
    direction: Any = layer.direction  # of `start_spectral_norm_`
    # In half precision a gain would be off by 0.4 %, and every kernel with it.
    with torch.no_grad(), torch.autocast(layer.weight.device.type, enabled=False):
        matrix = layer.weight.flatten(1)
        other = F.normalize(direction @ matrix, dim=0)
        response = matrix @ other
        direction.copy_(F.normalize(response, dim=0))
        normalized = layer.weight / (direction @ response)
        # Through `data`: earlier graphs that end in this kernel need its gradient, not its values.
        layer.weight.data.copy_(normalized)
    return _StandIn.apply(layer.weight, normalized)  # pyright: ignore[reportReturnType]


class _StandIn(torch.autograd.Function):
    """Use a tensor in place of another one, which gets its gradient."""

    @staticmethod
    def forward(ctx: Any, original: Tensor, used: Tensor) -> Tensor:
        return used.view_as(used)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None
