"""The conditional discriminator of Brain2Image."""

from itertools import pairwise
from math import log2

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns, check_picture_size, truncated_normal_


class Brain2ImageDiscriminator(nn.Module):
    """Judge whether a picture is real and belongs to a feature vector, as a DCGAN.

    The paper's layer table is not public. As in the DCGAN of that time (Radford et al., 2015),
    convolutions of stride 2 with leaky ReLU halve the map down to 4x4 and double the planes, with
    batch norm after all but the first. As in the text-conditional GAN of that time (Reed et al.,
    2016), which has the same task with sentences in place of signals, the features join the map
    there, as planes that are constant, and a 1x1 convolution with batch norm mixes both. The
    response to constant planes is one number per plane and picture, which is added here without
    making them. The last 4x4 convolution leaves one value, the logit; the sigmoid is in the loss.

    Parameters
    ----------
    n_features
        Length of the condition f.
    size
        Height and width of the pictures, a power of two of at least 16.
    color
        Planes of the picture.
    width
        Planes after the first stage (64 in DCGAN's torch code); each stage doubles them.

    References
    ----------
    Kavasidis et al., ACM Multimedia 2017, https://doi.org/10.1145/3123266.3127907
    Radford et al., ICLR 2016, https://arxiv.org/abs/1511.06434
    Reed et al., ICML 2016, https://arxiv.org/abs/1605.05396
    """

    def __init__(
        self, *, n_features: int = 128, size: int = 64, color: int = 3, width: int = 64
    ) -> None:
        super().__init__()
        check_picture_size(size)
        check_positive("width", width)
        self.n_features, self.size, self.color = n_features, size, color
        widths = [width * 2**stage for stage in range(int(log2(size // 4)))]
        self.first = nn.Conv2d(color, width, 4, 2, padding=1, bias=False)
        self.stages = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 4, 2, padding=1, bias=False) for n_in, n_out in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in widths[1:])
        # The two halves of the 1x1 convolution of [map | features].
        self.mix = nn.Conv2d(widths[-1], widths[-1], 1, bias=False)
        self.condition = nn.Linear(n_features, widths[-1], bias=False)
        self.mix_norm = nn.BatchNorm2d(widths[-1])
        self.last = nn.Conv2d(widths[-1], 1, 4, bias=False)
        truncated_normal_(self)

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
        maps = F.leaky_relu(self.first(maps), 0.2, inplace=True)
        for stage, norm in zip(self.stages, self.norms, strict=True):
            maps = F.leaky_relu(norm(stage(maps)), 0.2, inplace=True)
        mixed = self.mix_norm(self.mix(maps) + self.condition(f)[:, :, None, None])
        return self.last(F.leaky_relu(mixed, 0.2, inplace=True)).flatten()
