"""The conditional discriminator of EEG2Image."""

from math import log2

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.keras_layers import FixedModeBatchNorm2d
from phosphene.models.layers import (
    FoldedConditionConv2d,
    check_columns,
    check_picture_size,
    he_normal_,
    truncated_normal_,
)


class DCGANDiscriminator(nn.Module):
    """Judge whether a picture is real and belongs to a feature vector.

    As published, the features are repeated over the picture as constant planes and convolved with
    it; here their exact response, borders included, is added instead (`FoldedConditionConv2d`).
    Stages of stride 2 halve the map (four at the published size 128, fewer below, so that at least
    4x4 remains), one more widens it, the last makes a single plane; each is followed by batch norm
    and leaky ReLU, also the last. A linear map of that plane is the logit. With the default values
    and 128-pixel pictures this is the published network of 6,355,587 parameters.

    As in the generator, maps are held turned by 180 degrees, so that torch's padding falls where
    TensorFlow pads, at the bottom and right.

    Parameters
    ----------
    n_features
        Length of the condition f.
    size
        Height and width of the pictures, a power of two of at least 16.
    color
        Planes of the picture.
    width
        Planes after the first stage; each stage has twice as many as the one before.
    batch_norm
        Normalise each stage by batch statistics, as published; otherwise stages learn a bias.
    moving_statistics
        Normalise by moving averages in evaluation mode, as torch does. Without them every batch is
        normalised by its own numbers in both modes (released code, executed). Adversarial training
        never leaves training mode, so that its numbers are the same.
    he_init
        Start from He's law instead of the published narrow one; see `he_normal_`.
    projection
        Add to the logit the product of the pooled last map with a linear image of the features
        (Miyato and Koyama, 2018). Not in the paper; ties pictures to their condition sooner.

    References
    ----------
    Singh et al., ICASSP 2023, section 3, https://arxiv.org/abs/2302.10121
    Miyato and Koyama, ICLR 2018, https://arxiv.org/abs/1802.05637
    """

    def __init__(
        self,
        *,
        n_features: int = 128,
        size: int = 128,
        color: int = 3,
        width: int = 64,
        batch_norm: bool = True,
        moving_statistics: bool = True,
        projection: bool = False,
        he_init: bool = False,
    ) -> None:
        super().__init__()
        check_picture_size(size)
        self.n_features, self.size, self.color = n_features, size, color
        n_halvings = min(4, int(log2(size // 4)))
        widths = [*(width * 2**stage for stage in range(n_halvings + 1)), 1]
        strides = [2] * (n_halvings - 1) + [1, 1]
        bias = not batch_norm
        self.first = FoldedConditionConv2d(color, n_features, width=width, stride=2, bias=bias)
        self.stages = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=bias)
            for n_in, n_out, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.norms = nn.ModuleList(
            _make_norm(n, moving_statistics=moving_statistics) if batch_norm else nn.Identity()
            for n in widths
        )
        self.head = nn.Linear((size >> n_halvings) ** 2, 1)
        self.project = nn.Linear(n_features, widths[-2], bias=False) if projection else None
        truncated_normal_(self)
        if he_init:
            he_normal_(self, slope=0.2)

    def forward(
        self,
        images: Float[Tensor, "batch color size size"],
        f: Float[Tensor, "batch feature"],
    ) -> Float[Tensor, " batch"]:
        """Return one logit per picture, high for real and fitting ones."""
        check_columns("images", images, self.color, "colour planes")
        check_columns("images", images, self.size, "rows", axis=2)
        check_columns("f", f, self.n_features, "features")
        maps = images.flip(2, 3).contiguous(memory_format=torch.channels_last)
        maps = F.leaky_relu(self.norms[0](self.first(maps, f)), 0.2, inplace=True)
        for stage, norm in zip(self.stages[:-1], self.norms[1:-1], strict=True):
            maps = F.leaky_relu(norm(stage(maps)), 0.2, inplace=True)
        plane = F.leaky_relu(self.norms[-1](self.stages[-1](maps)), 0.2, inplace=True)
        logits = self.head(plane.flatten(1)).squeeze(1)
        if self.project is None:
            return logits
        return logits + (self.project(f) * maps.mean((2, 3))).sum(1)


def _make_norm(n_planes: int, *, moving_statistics: bool) -> nn.Module:
    if moving_statistics:
        return nn.BatchNorm2d(n_planes, eps=1e-3, momentum=0.01)
    return FixedModeBatchNorm2d(n_planes, batch_statistics=True)
