"""The conditional picture generator of EEG2Image."""

from itertools import pairwise
from math import log2

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_option
from phosphene.models.keras_layers import (
    FixedModeBatchNorm2d,
    normalize_kernel_,
    start_spectral_norm_,
)
from phosphene.models.layers import (
    check_columns,
    check_picture_size,
    he_normal_,
    truncated_normal_,
)

NORMS = ("batch", "affine")


class DCGANGenerator(nn.Module):
    """Grow a picture from noise and a feature vector by transposed convolutions.

    The joined vector [z | f] becomes a 4x4 map (kernel 3, stride 4: its last row and column stay
    zero, as published), then stages of stride 2 with batch norm double the map up to `size`, and a
    last convolution with tanh makes the picture. With the default values this is the published
    network of 8,647,456 parameters; other sizes have `log2(size / 4)` stages.

    TensorFlow crops and pads "same" at the bottom and right, torch's symmetric padding acts on the
    top and left. All maps are therefore held turned by 180 degrees and the finished picture is
    turned back: the same borders as published without a single copy. Kernels read from TensorFlow
    have to be turned likewise.

    The released code reads as if it trained with batch statistics and spectral norm: that network
    has `spectral_norm`. When it is run, a tracing accident leaves its batch norms without any
    statistics and its spectral norm unapplied: that network has `norm` "affine". The default is the
    first without spectral norm, which the paper does not mention. Numbers of values and start
    values are the same in all three.

    Parameters
    ----------
    n_noise
        Length of the noise z.
    n_features
        Length of the condition f.
    size
        Height and width of the pictures, a power of two of at least 16.
    color
        Planes of the picture, 1 for grey and 3 for colour.
    width
        Planes before the last convolution; each stage before has twice as many.
    max_width
        Most planes a stage may have.
    norm
        After each stage: "batch", batch statistics in training and running ones in evaluation, or
        "affine", weight * x / sqrt(1 + 1e-3) + bias in both (released code, executed).
    spectral_norm
        Overwrite each kernel by itself over its largest singular value, in each forward pass of
        training, with one power iteration (released code, as written; see `normalize_kernel_`).
    he_init
        Start from He's law instead of the published narrow one; see `he_normal_`.

    References
    ----------
    Singh et al., ICASSP 2023, section 3, https://arxiv.org/abs/2302.10121
    """

    def __init__(
        self,
        *,
        n_noise: int = 128,
        n_features: int = 128,
        size: int = 128,
        color: int = 3,
        width: int = 32,
        max_width: int = 1024,
        norm: str = "batch",
        spectral_norm: bool = False,
        he_init: bool = False,
    ) -> None:
        super().__init__()
        check_picture_size(size)
        check_option("norm", norm, NORMS)
        self.n_noise, self.n_features, self.size, self.color = n_noise, n_features, size, color
        self.spectral_norm = spectral_norm
        n_stages = int(log2(size // 4))
        widths = [min(width * 2**stage, max_width) for stage in range(n_stages, -1, -1)]
        self.first = nn.ConvTranspose2d(n_noise + n_features, widths[0], 3, stride=4, bias=False)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(n_in, n_out, 3, 2, padding=1, output_padding=1, bias=False)
            for n_in, n_out in pairwise(widths)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(n, eps=1e-3, momentum=0.01)
            if norm == "batch"
            else FixedModeBatchNorm2d(n, batch_statistics=False)
            for n in widths[1:]
        )
        self.last = nn.Conv2d(width, color, 3, padding=1, bias=False)
        truncated_normal_(self)
        if he_init:
            he_normal_(self, slope=0.3)
        if spectral_norm:
            for layer in (self.first, *self.grow, self.last):
                start_spectral_norm_(layer)  # pyright: ignore[reportArgumentType]

    def forward(
        self, z: Float[Tensor, "batch noise"], f: Float[Tensor, "batch feature"]
    ) -> Float[Tensor, "batch color size size"]:
        """Return pictures in [-1, 1]."""
        check_columns("z", z, self.n_noise, "noise values")
        check_columns("f", f, self.n_features, "features")
        joined = torch.cat([z, f], 1)
        # On a single pixel the transposed convolution is a matrix product.
        maps = (joined @ self._kernel(self.first).flatten(1)).view(len(z), -1, 3, 3)
        maps = F.leaky_relu(F.pad(maps, (1, 0, 1, 0)), 0.3, inplace=True)
        maps = maps.contiguous(memory_format=torch.channels_last)
        for grow, norm in zip(self.grow, self.norms, strict=True):
            maps = F.leaky_relu(norm(self._grow(grow, maps)), 0.3, inplace=True)
        # A convolution of stride 1 is the transposed one of the turned kernel, whose gradient is
        # three times faster where so few planes leave.
        turned = self._kernel(self.last).transpose(0, 1).flip(2, 3)
        return torch.tanh(F.conv_transpose2d(maps, turned, padding=1)).flip(2, 3)

    def _kernel(self, layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
        return normalize_kernel_(layer) if self.spectral_norm and self.training else layer.weight

    def _grow(self, layer: nn.Module, maps: Tensor) -> Tensor:
        if not (self.spectral_norm and self.training):
            return layer(maps)
        kernel = normalize_kernel_(layer)  # pyright: ignore[reportArgumentType]
        return F.conv_transpose2d(maps, kernel, stride=2, padding=1, output_padding=1)
