"""The conditional picture generator of Brain2Image, and the decoder of its VAE."""

from collections.abc import Callable
from itertools import pairwise
from math import log2

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns, check_picture_size, truncated_normal_


class Brain2ImageGenerator(nn.Module):
    """Grow a picture from 100 values of noise joined by 128 features, as a DCGAN.

    The paper's layer table is not public; what is known are the lengths 100 and 128. The layers
    are those of the DCGAN of that time (Radford et al., 2015): [z | f] becomes a 4x4 map, stages of
    stride 2 double the map and halve the planes, batch norm and ReLU follow each of them, the last
    stage makes the picture with tanh and without batch norm. Kernels are 4x4, as in the authors'
    torch code, not 5x5 as in the paper: with a stride of 2 each pixel then gets equally many taps.

    Weights start from the normal law of deviation 0.02, here without its tails beyond 0.04.

    The same network decodes in the VAE. GAN and VAE then differ in training alone.

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
        Planes before the last stage (64 in the torch code); each stage before has twice as many.

    References
    ----------
    Kavasidis et al., ACM Multimedia 2017, https://doi.org/10.1145/3123266.3127907
    Radford et al., ICLR 2016, https://arxiv.org/abs/1511.06434
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
        n_stages = int(log2(size // 4))
        widths = [width * 2**stage for stage in range(n_stages - 1, -1, -1)]
        self.first = nn.ConvTranspose2d(n_noise + n_features, widths[0], 4, bias=False)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(n_in, n_out, 4, 2, padding=1, bias=False)
            for n_in, n_out in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in widths)
        self.last = nn.ConvTranspose2d(width, color, 4, 2, padding=1, bias=False)
        truncated_normal_(self)

    def forward(
        self, z: Float[Tensor, "batch noise"], f: Float[Tensor, "batch feature"]
    ) -> Float[Tensor, "batch color size size"]:
        """Return pictures in [-1, 1]."""
        # On a single pixel the transposed convolution is a matrix product.
        maps = (self._join(z, f) @ self.first.weight.flatten(1)).view(len(z), -1, 4, 4)
        maps = maps.contiguous(memory_format=torch.channels_last)
        maps = self.norms[0](maps).relu_()
        for grow, norm in zip(self.grow, self.norms[1:], strict=True):  # pyright: ignore[reportArgumentType]
            maps = norm(grow(maps)).relu_()
        return torch.tanh(self.last(maps))

    def inference_stages(
        self,
    ) -> tuple[Callable[[Tensor, Tensor], Tensor], list[nn.Module], Callable[[Tensor], Tensor]]:
        """Return what `prepare_generator` needs to draw the same pictures faster."""
        layers: list[nn.Module] = [nn.Unflatten(1, (-1, 1, 1)), self.first]
        for norm, grow in zip(self.norms, [*self.grow, self.last], strict=True):  # pyright: ignore[reportArgumentType]
            layers += [norm, nn.ReLU(), grow]
        return self._join, layers, torch.tanh

    def _join(self, z: Tensor, f: Tensor) -> Tensor:
        check_columns("z", z, self.n_noise, "noise values")
        check_columns("f", f, self.n_features, "features")
        return torch.cat([z, f], 1)
