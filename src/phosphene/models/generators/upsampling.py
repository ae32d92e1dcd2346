"""A conditional picture generator that enlarges maps before it convolves them."""

from itertools import pairwise
from math import log2

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns, check_picture_size


class UpsamplingGenerator(nn.Module):
    """Grow a picture by copying each value to a 2x2 square and convolving, told f at every size.

    A linear map makes a 4x4 map of the joined vector [z | f]. Each stage doubles it by its nearest
    values, convolves it (3x3) and normalises it; the gain and the bias of the norm are linear in
    [z | f] (conditional batch norm), so that the class need not survive all stages before. Copying
    first spreads every kernel value evenly, where transposed convolutions of stride 2 leave
    checkerboards (Odena et al.).

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

    References
    ----------
    Odena et al., Distill 2016, https://doi.org/10.23915/distill.00003; de Vries et al., NeurIPS
    2017, https://arxiv.org/abs/1707.00683 (conditional batch norm)
    """

    def __init__(
        self,
        *,
        n_noise: int = 128,
        n_features: int = 128,
        size: int = 128,
        color: int = 3,
        width: int = 32,
        max_width: int = 512,
    ) -> None:
        super().__init__()
        check_picture_size(size)
        check_positive("width", width)
        self.n_noise, self.n_features, self.size, self.color = n_noise, n_features, size, color
        n_joined = n_noise + n_features
        n_stages = int(log2(size // 4))
        widths = [min(width * 2**stage, max_width) for stage in range(n_stages, -1, -1)]
        self.first = nn.Linear(n_joined, 16 * widths[0])
        grow = [
            nn.Conv2d(n_in, n_out, 3, padding=1, bias=False) for n_in, n_out in pairwise(widths)
        ]
        tune = [nn.Linear(n_joined, 2 * n) for n in widths[1:]]
        self.grow, self.tune = nn.ModuleList(grow), nn.ModuleList(tune)
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(n, eps=1e-3, momentum=0.01, affine=False) for n in widths[1:]
        )
        self.last = nn.Conv2d(widths[-1], color, 3, padding=1)
        nn.init.normal_(self.first.weight, std=n_joined**-0.5)
        for convolution, gains in zip(grow, tune, strict=True):
            nn.init.kaiming_normal_(convolution.weight, a=0.2)
            nn.init.normal_(gains.weight, std=0.3 * n_joined**-0.5)
            nn.init.zeros_(gains.bias)
        nn.init.normal_(self.last.weight, std=(9 * widths[-1]) ** -0.5)

    def forward(
        self, z: Float[Tensor, "batch noise"], f: Float[Tensor, "batch feature"]
    ) -> Float[Tensor, "batch color size size"]:
        """Return pictures in [-1, 1]."""
        check_columns("z", z, self.n_noise, "noise values")
        check_columns("f", f, self.n_features, "features")
        joined = torch.cat([z, f], 1)
        maps = self.first(joined).view(len(z), -1, 4, 4)
        maps = maps.contiguous(memory_format=torch.channels_last)
        for grow, norm, tune in zip(self.grow, self.norms, self.tune, strict=True):
            gain, bias = tune(joined)[:, :, None, None].chunk(2, 1)
            maps = norm(grow(F.interpolate(maps, scale_factor=2.0, mode="nearest")))
            maps = F.leaky_relu(torch.addcmul(bias, maps, 1 + gain), 0.2, inplace=True)
        return torch.tanh(self.last(maps))
