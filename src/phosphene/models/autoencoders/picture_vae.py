"""The encoder of a conditional variational autoencoder of pictures."""

from itertools import pairwise
from math import log2

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns, check_picture_size, truncated_normal_


class PictureEncoder(nn.Module):
    """Say which noise z may have made a picture x of a trial with features f: q(z | x, f).

    Brain2Image (2017) compares a VAE with a GAN; its layer table is not public. This network turns
    `Brain2ImageGenerator`, the decoder, around: convolutions of stride 2 halve the map down to 4x4
    and double the planes, with batch norm and leaky ReLU as in a DCGAN discriminator. The features
    join there (Sohn et al., 2015: the law of z depends on both), and one linear map gives the
    moments of a normal law with independent values.

    Parameters
    ----------
    n_noise
        Length of z.
    n_features
        Length of the condition f.
    size
        Height and width of the pictures, a power of two of at least 16.
    color
        Planes of the picture.
    width
        Planes after the first stage; each stage has twice as many.

    References
    ----------
    Kingma and Welling, ICLR 2014, https://arxiv.org/abs/1312.6114
    Sohn et al., NeurIPS 2015, section 4.1
    Kavasidis et al., ACM Multimedia 2017, https://doi.org/10.1145/3123266.3127907
    """

    def __init__(
        self,
        *,
        n_noise: int = 100,
        n_features: int = 128,
        size: int = 64,
        color: int = 3,
        width: int = 64,
    ) -> None:
        super().__init__()
        check_picture_size(size)
        check_positive("width", width)
        self.n_noise, self.n_features, self.size, self.color = n_noise, n_features, size, color
        widths = [color, *(width * 2**stage for stage in range(int(log2(size // 4))))]
        self.stages = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 4, 2, padding=1, bias=False) for n_in, n_out in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in widths[1:])
        self.head = nn.Linear(16 * widths[-1] + n_features, 2 * n_noise)
        truncated_normal_(self)

    def forward(
        self,
        images: Float[Tensor, "batch color size size"],
        f: Float[Tensor, "batch feature"],
    ) -> Float[Tensor, "batch 2 noise"]:
        """Return means and logarithms of variances: `mean, log_variance = q(x, f).unbind(1)`."""
        check_columns("images", images, self.color, "colour planes")
        check_columns("images", images, self.size, "rows", axis=2)
        check_columns("f", f, self.n_features, "features")
        maps = images.contiguous(memory_format=torch.channels_last)
        for stage, norm in zip(self.stages, self.norms, strict=True):
            maps = F.leaky_relu(norm(stage(maps)), 0.2, inplace=True)
        return self.head(torch.cat([maps.flatten(1), f], 1)).view(len(f), 2, self.n_noise)
