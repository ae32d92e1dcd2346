"""A conditional discriminator for few steps on small pictures."""

from itertools import pairwise
from math import log2

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns, check_picture_size


class ProjectionDiscriminator(nn.Module):
    """Judge whether a picture is real, and by an inner product whether it fits its features.

    A 3x3 convolution sees the picture at its full size, then 4x4 convolutions of stride 2 halve the
    map down to 4x4 and double the planes; all are followed by leaky ReLU and none by a norm, so
    that no picture is judged by its neighbours in the batch. The logit is a linear map of the last
    planes, plus the product of their mean over the picture with a linear image of the features.
    The cited paper takes residual blocks with spectral norm, and classes for the features.

    Parameters
    ----------
    n_features
        Length of the condition f.
    size
        Height and width of the pictures, a power of two of at least 16.
    color
        Planes of the picture.
    width
        Planes after the first convolution; each stage has twice as many as the one before.
    max_width
        Most planes a stage may have.

    References
    ----------
    Miyato and Koyama, ICLR 2018, https://arxiv.org/abs/1802.05637
    """

    def __init__(
        self,
        *,
        n_features: int = 128,
        size: int = 128,
        color: int = 3,
        width: int = 32,
        max_width: int = 512,
    ) -> None:
        super().__init__()
        check_picture_size(size)
        check_positive("width", width)
        self.n_features, self.size, self.color = n_features, size, color
        widths = [min(width * 2**stage, max_width) for stage in range(int(log2(size // 4)) + 1)]
        self.first = nn.Conv2d(color, widths[0], 3, padding=1)
        stages = [nn.Conv2d(n_in, n_out, 4, 2, padding=1) for n_in, n_out in pairwise(widths)]
        self.stages = nn.ModuleList(stages)
        self.head = nn.Linear(16 * widths[-1], 1)
        self.project = nn.Linear(n_features, widths[-1], bias=False)
        for layer in (self.first, *stages):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            layer.bias.data.zero_()  # pyright: ignore[reportOptionalMemberAccess]
        nn.init.normal_(self.project.weight, std=n_features**-0.5)

    def forward(
        self,
        images: Float[Tensor, "batch color size size"],
        f: Float[Tensor, "batch feature"],
    ) -> Float[Tensor, " batch"]:
        """Return one logit per picture, high for real and fitting ones."""
        check_columns("images", images, self.color, "colour planes")
        check_columns("images", images, self.size, "rows", axis=2)
        check_columns("f", f, self.n_features, "features")
        maps = images.contiguous(memory_format=torch.channels_last)
        for layer in (self.first, *self.stages):
            maps = F.leaky_relu(layer(maps), 0.2, inplace=True)
        fits = (self.project(f) * maps.mean((2, 3))).sum(1)
        return self.head(maps.flatten(1)).squeeze(1) + fits
