"""Parts that more than one network uses."""

from itertools import groupby

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn


def check_columns(name: str, tensor: Tensor, expected: int, meaning: str, *, axis: int = 1) -> None:
    """Refuse a tensor whose axis does not have the length that the network was built for."""
    if tensor.shape[axis] != expected:
        raise ValueError(
            f"`{name}` must have {expected} {meaning}, as the network was built for; got the shape "
            f"{tuple(tensor.shape)}. Select or resample the input, or build a network of that size."
        )


def check_picture_size(size: int) -> None:
    """Refuse picture sizes that a chain of halvings does not bring down to 4 pixels."""
    if size < 16 or size & (size - 1):
        raise ValueError(
            f"`size` must be a power of two of at least 16; got {size}. "
            "Resize the pictures to 16, 32, 64, 128 or 256 pixels."
        )


def truncated_normal_(network: nn.Module, *, std: float = 0.02) -> None:
    """Draw the weights of all convolutions and linear maps within two standard deviations."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | FoldedConditionConv2d):
            nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def he_normal_(network: nn.Module, *, slope: float) -> None:
    """Draw convolution weights so that a leaky ReLU of this slope keeps the variance of its input.

    Small networks that are to train in minutes start faster so than with the published narrow law.
    A transposed convolution of stride s adds up 1 / s**2 of its taps at each output value.

    References
    ----------
    He et al., ICCV 2015, https://arxiv.org/abs/1502.01852
    """
    for module in network.modules():
        if isinstance(module, nn.ConvTranspose2d):
            # stride 4 with a kernel of 3 starts from a single pixel: one tap for each value
            fan_in = module.in_channels * max(1.0, 9 / module.stride[0] ** 2)
        elif isinstance(module, nn.Conv2d | FoldedConditionConv2d):
            fan_in = module.weight.shape[1] * 9
        else:
            continue
        nn.init.normal_(module.weight, std=(2 / (1 + slope**2) / fan_in) ** 0.5)


class FoldedConditionConv2d(nn.Module):
    """Convolve a picture joined by constant condition planes, without ever making the planes.

    A conditional discriminator repeats its `n_features` condition values over the whole picture and
    convolves `color + n_features` planes. The answer to a constant plane is the sum of the kernel
    taps that fall inside the picture: one number per feature inside, other numbers along the
    borders. This layer computes those few numbers and spreads them, which equals the tiled form up
    to rounding, borders included, for a small part of its arithmetic. Kernel 3x3, padding 1.

    Parameters
    ----------
    color
        Planes of the picture.
    n_features
        Length of the condition.
    width
        Output planes.
    stride
        Step of the kernel along both axes.
    bias
        Learn one more constant per output plane.
    """

    def __init__(
        self, color: int, n_features: int, *, width: int, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.color, self.n_features, self.stride = color, n_features, stride
        # One weight, ordered as if planes were joined: picture first, then condition.
        self.weight = nn.Parameter(torch.empty(width, color + n_features, 3, 3))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def forward(
        self,
        images: Float[Tensor, "batch color height width"],
        f: Float[Tensor, "batch feature"],
    ) -> Float[Tensor, "batch plane rows columns"]:
        """Return the response to the picture plus the response to the condition planes."""
        kernel, taps = self.weight[:, : self.color], self.weight[:, self.color :]
        response = F.conv2d(images, kernel, self.bias, self.stride, padding=1)
        rows, row_counts = self._inside_taps(images.shape[2], response)
        columns, column_counts = self._inside_taps(images.shape[3], response)
        # One small matrix per kind of row and column: (row kind, column kind, plane, feature).
        folded = torch.einsum("ry,cx,ofyx->rcof", rows, columns, taps)
        constant = (f @ folded.flatten(0, 2).T).view(len(f), *folded.shape[:3])
        constant = _spread(_spread(constant, 1, row_counts), 2, column_counts)
        return response.add_(constant.permute(0, 3, 1, 2))

    def _inside_taps(self, length: int, like: Tensor) -> tuple[Tensor, list[int]]:
        """Say for each kind of output row which kernel taps lie inside, and how many rows follow.

        Rows come in runs (first, inner, last), so runs are all that has to be known.
        """
        starts = range(-1, length - 1, self.stride)
        runs = [list(run) for _, run in groupby(starts, lambda s: (s < 0, s + 3 > length))]
        taps = torch.arange(3, device=like.device)  # made there: a copy from the host would wait
        kinds = [(taps >= -run[0]) & (taps < length - run[0]) for run in runs]
        return torch.stack(kinds).to(like.dtype), [len(run) for run in runs]


def _spread(values: Tensor, axis: int, counts: list[int]) -> Tensor:
    """Repeat the i-th slice along the axis counts[i] times."""
    parts = values.split(1, axis)
    shape = list(values.shape)
    return torch.cat(
        [
            part.expand(*shape[:axis], count, *shape[axis + 1 :])
            for part, count in zip(parts, counts, strict=True)
        ],
        axis,
    )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions without bias, each with batch norm, beside the identity."""

    def __init__(self, n_maps: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(n_maps, n_maps, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_maps),
            nn.ReLU(),
            nn.Conv2d(n_maps, n_maps, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_maps),
        )

    def forward(
        self, maps: Float[Tensor, "batch map height width"]
    ) -> Float[Tensor, "batch map height width"]:
        """Return maps of the same shape, not negative."""
        return (maps + self.path(maps)).relu()
