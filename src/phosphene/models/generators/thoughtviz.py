"""The picture generators of ThoughtViz and of its baselines AC-GAN and DeLiGAN.

One for pictures of objects in colour, one for glyphs (digits and characters). The systems differ in
a few settings:

| | objects | glyphs |
|---|---|---|
| ThoughtViz | mixture "z", fusion "multiply" | mixture "z" |
| AC-GAN | mixture "none", fusion "concatenate" | mixture "none" |
| DeLiGAN | mixture "joined", fusion "concatenate" | mixture "z" |
"""

from collections.abc import Callable
from itertools import pairwise
from math import log2

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_option
from phosphene.models.gaussian_layer import GaussianLayer
from phosphene.models.layers import check_columns, check_picture_size
from phosphene.models.start_values import glorot_uniform_

MIXTURES = ("z", "joined", "none")
FUSIONS = ("multiply", "concatenate")
Stages = tuple[Callable[[Tensor, Tensor], Tensor], list[nn.Module], Callable[[Tensor], Tensor]]
"""What joins noise and condition, the layers that follow, and what makes pictures of their maps."""
EPS = 1e-3  # Keras' batch norm
MOMENTUM = 0.2  # weight of a batch; Keras' 0.8 is that of the past


class ThoughtVizImageGenerator(nn.Module):
    """Grow a picture of an object from noise and an EEG feature by transposed convolutions.

    Noise passes the Gaussian layer and a linear map with tanh and is multiplied, value by value, by
    the condition. Batch norm and a linear map with ReLU make a 4x4 map, stages of kernel 5 and
    stride 2 with ReLU and batch norm double it up to `size`, and the last stage makes the picture.
    Other sizes than the published 64 have `log2(size / 4)` stages; the maps before the picture
    always have `width` planes, those of each stage before twice as many.

    The linear map goes to `n_features` values, whatever their number, so that the product with the
    condition exists (100 in the released code, where noise has the same length). Concatenated
    conditions need no such map: noise and condition meet the batch norm as they are.

    The published picture is tanh(relu(x)), which lies in [0, 1): value 0 is black. Pictures here
    lie in [-1, 1], so twice that minus 1 is returned. Where x is negative, no gradient passes;
    `rectified=False` leaves the ReLU out and returns tanh(x).

    As in `DCGANGenerator`, maps are held turned by 180 degrees and the picture is turned back,
    which puts torch's borders where TensorFlow has them.

    Parameters
    ----------
    n_noise
        Length of the noise z.
    n_features
        Length of the condition f: the EEG feature, or the number of classes for one-hot labels.
    size
        Height and width of the pictures, a power of two of at least 16.
    color
        Planes of the picture.
    width
        Planes before the last stage.
    mixture
        What the Gaussian layer works on: "z", the "joined" vector [z | f], or "none".
    fusion
        How noise and condition meet: "multiply" or "concatenate".
    rectified
        ReLU before the last tanh, as published.

    References
    ----------
    Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641;
    layers as in the released code
    """

    def __init__(
        self,
        *,
        n_noise: int = 100,
        n_features: int = 100,
        size: int = 64,
        color: int = 3,
        width: int = 64,
        mixture: str = "z",
        fusion: str = "multiply",
        rectified: bool = True,
    ) -> None:
        super().__init__()
        check_picture_size(size)
        check_option("mixture", mixture, MIXTURES)
        check_option("fusion", fusion, FUSIONS)
        if mixture == "joined" and fusion == "multiply":
            raise ValueError(
                "the mixture 'joined' must go with a joined vector; got the fusion 'multiply', "
                "which joins nothing. Take the fusion 'concatenate' or the mixture 'z'."
            )
        self.n_noise, self.n_features, self.size, self.color = n_noise, n_features, size, color
        self.mixture, self.fusion, self.rectified = mixture, fusion, rectified
        n_joined = n_features if fusion == "multiply" else n_noise + n_features
        self.gaussian = (
            None if mixture == "none" else GaussianLayer(n_noise if mixture == "z" else n_joined)
        )
        self.dense = nn.Linear(n_noise, n_features) if fusion == "multiply" else None
        self.norm = nn.BatchNorm1d(n_joined, eps=EPS, momentum=MOMENTUM)
        n_stages = int(log2(size // 4))
        widths = [width * 2**stage for stage in range(n_stages - 1, -1, -1)]
        self.first = nn.Linear(n_joined, widths[0] * 16)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n, eps=EPS, momentum=MOMENTUM) for n in widths)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(n_in, n_out, 5, 2, padding=2, output_padding=1)
            for n_in, n_out in pairwise([*widths, color])
        )
        glorot_uniform_(self)

    def forward(
        self, z: Float[Tensor, "batch noise"], f: Float[Tensor, "batch feature"]
    ) -> Float[Tensor, "batch color size size"]:
        """Return pictures in [-1, 1]."""
        maps = self.first(self.norm(self._join(z, f))).relu().view(len(z), -1, 4, 4)
        maps = maps.contiguous(memory_format=torch.channels_last)
        for grow, norm in zip(self.grow, self.norms, strict=True):
            maps = grow(norm(maps))
            if grow is not self.grow[-1] or self.rectified:
                maps = maps.relu()
        return self._finish(maps)

    def penalty(self) -> Float[Tensor, ""]:
        """Return the Gaussian layer's penalty, 0 without one; to be added to the loss."""
        return _penalty(self.gaussian, self.first.weight)

    def inference_stages(self) -> Stages:
        """Return what `prepare_generator` needs to draw the same pictures faster."""
        layers: list[nn.Module] = [self.norm, self.first, nn.ReLU(), nn.Unflatten(1, (-1, 4, 4))]
        for grow, norm in zip(self.grow, self.norms, strict=True):
            layers += [norm, grow, nn.ReLU()]
        return self._join, layers if self.rectified else layers[:-1], self._finish

    def _join(self, z: Tensor, f: Tensor) -> Tensor:
        check_columns("z", z, self.n_noise, "noise values")
        check_columns("f", f, self.n_features, "features")
        if self.gaussian is not None and self.mixture == "z":
            z = self.gaussian(z)
        if self.dense is not None:
            return torch.tanh(self.dense(z)) * f
        joined = torch.cat([z, f], 1)
        return self.gaussian(joined) if self.gaussian and self.mixture == "joined" else joined

    def _finish(self, maps: Tensor) -> Tensor:
        picture = torch.tanh(maps).flip(2, 3)
        return 2 * picture - 1 if self.rectified else picture


class ThoughtVizGlyphGenerator(nn.Module):
    """Make a picture of a digit or character from noise and an EEG feature.

    Noise passes the Gaussian layer and is joined with the condition. Two linear maps with tanh make
    a map of a quarter of the size, which is doubled, convolved, doubled, and convolved to the
    picture; all by tanh.

    Parameters
    ----------
    n_noise
        Length of the noise z.
    n_features
        Length of the condition f: the EEG feature, or the number of classes for one-hot labels.
    size
        Height and width of the pictures, a multiple of 4 of at least 16 (published: 28).
    color
        Planes of the picture.
    width
        Planes before the last convolution (published: 64). The map before has twice, the hidden
        vector 16 times as many.
    mixture
        "z": the noise passes the Gaussian layer; "none": it does not.

    References
    ----------
    Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641;
    layers as in the released code
    """

    def __init__(
        self,
        *,
        n_noise: int = 100,
        n_features: int = 100,
        size: int = 28,
        color: int = 1,
        width: int = 64,
        mixture: str = "z",
    ) -> None:
        super().__init__()
        if size < 16 or size % 4:
            raise ValueError(
                f"`size` must be a multiple of 4 of at least 16; got {size}. "
                "Resize the pictures to 16, 28, 32 or 64 pixels."
            )
        check_option("mixture", mixture, ("z", "none"))
        self.n_noise, self.n_features, self.size, self.color = n_noise, n_features, size, color
        n_side = size // 4
        self.gaussian = GaussianLayer(n_noise) if mixture == "z" else None
        self.dense = nn.Linear(n_noise + n_features, 16 * width)
        self.norm = nn.BatchNorm1d(16 * width, eps=EPS, momentum=MOMENTUM)
        self.first = nn.Linear(16 * width, 2 * width * n_side**2)
        self.upsample = nn.Upsample(scale_factor=2.0)
        self.norm_maps = nn.BatchNorm2d(2 * width, eps=EPS, momentum=MOMENTUM)
        self.middle = nn.Conv2d(2 * width, width, 5, padding=2)
        self.last = nn.Conv2d(width, color, 3, padding=1)
        glorot_uniform_(self)

    def forward(
        self, z: Float[Tensor, "batch noise"], f: Float[Tensor, "batch feature"]
    ) -> Float[Tensor, "batch color size size"]:
        """Return pictures in [-1, 1]."""
        hidden = self.norm(torch.tanh(self.dense(self._join(z, f))))
        n_side = self.size // 4
        maps = torch.tanh(self.first(hidden)).view(len(z), -1, n_side, n_side)
        maps = self.upsample(maps.contiguous(memory_format=torch.channels_last))
        maps = torch.tanh(self.middle(self.norm_maps(maps)))
        return torch.tanh(self.last(self.upsample(maps)))

    def penalty(self) -> Float[Tensor, ""]:
        """Return the Gaussian layer's penalty, 0 without one; to be added to the loss."""
        return _penalty(self.gaussian, self.first.weight)

    def inference_stages(self) -> Stages:
        """Return what `prepare_generator` needs to draw the same pictures faster."""
        shape = (-1, self.size // 4, self.size // 4)
        layers = [
            *(self.dense, nn.Tanh(), self.norm, self.first, nn.Tanh(), nn.Unflatten(1, shape)),
            *(self.upsample, self.norm_maps, self.middle, nn.Tanh(), self.upsample, self.last),
        ]
        return self._join, layers, torch.tanh

    def _join(self, z: Tensor, f: Tensor) -> Tensor:
        check_columns("z", z, self.n_noise, "noise values")
        check_columns("f", f, self.n_features, "features")
        z = z if self.gaussian is None else self.gaussian(z)
        return torch.cat([z, f], 1)


def _penalty(gaussian: GaussianLayer | None, like: Tensor) -> Tensor:
    return like.new_zeros(()) if gaussian is None else gaussian.penalty()
