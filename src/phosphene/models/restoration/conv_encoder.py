"""The convolutional encoder of pictures that the restoration paper's models begin with."""

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive, check_share
from phosphene.models.layers import check_columns
from phosphene.models.start_values import glorot_uniform_

WIDTHS = (32, 64)
"""Planes of the two convolutions (table 1)."""
KERNEL = 5


def check_pictures(images: Tensor, *, size: tuple[int, int], color: int) -> None:
    """Refuse pictures of another size or number of colour planes than a network has."""
    check_columns("images", images, color, "colour planes")
    check_columns("images", images, size[0], "rows", axis=2)
    check_columns("images", images, size[1], "columns", axis=3)


def check_size(size: tuple[int, int], color: int) -> None:
    """Refuse a size that is no rows and columns, and pictures without planes."""
    if len(size) != 2 or min(size) < 1:
        raise ValueError(
            f"`size` must be rows and columns, each at least 1; got {size}. "
            "Pass for instance (28, 28)."
        )
    check_positive("color", color)


def code_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of the maps after both poolings: quarters, rounded up."""
    return -(-size[0] // 4), -(-size[1] // 4)


class ConvEncoder(nn.Module):
    """Compress a picture to a thought vector: table 1 of the paper.

    Convolution 5x5 to 32 planes, ReLU, maximum over 2x2; the same to 64 planes; a linear map with
    tanh (section 4.2.4 says "of the decoder", where it speaks of this network). 365,796 parameters
    for 28 x 28 grey values and 100 numbers. For odd sizes the last window of a pooling reaches over
    the border.

    Parameters
    ----------
    size
        Rows and columns of the pictures.
    color
        Their planes.
    n_code
        Length of the thought vector; None stops at the 64 planes.
    dropout
        Share of the values after the last pooling that are dropped in training. The paper names
        25 % and no place.

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141, section 4.2.1 and table 1
    """

    def __init__(
        self,
        size: tuple[int, int] = (28, 28),
        color: int = 1,
        *,
        n_code: int | None = 100,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_size(size, color)
        check_share("dropout", dropout, below_one=True)
        if n_code is not None:
            check_positive("n_code", n_code)
        self.size, self.color, self.n_code = (size[0], size[1]), color, n_code
        self.first = nn.Conv2d(color, WIDTHS[0], KERNEL, padding=KERNEL // 2)
        self.second = nn.Conv2d(WIDTHS[0], WIDTHS[1], KERNEL, padding=KERNEL // 2)
        self.dropout = nn.Dropout(dropout)
        n_values = WIDTHS[1] * code_size(size)[0] * code_size(size)[1]
        self.head = None if n_code is None else nn.Linear(n_values, n_code)
        glorot_uniform_(self)

    def forward(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch ..."]:
        """Return thought vectors (batch, code), or maps (batch, 64, rows, columns) without one."""
        check_pictures(images, size=self.size, color=self.color)
        maps = images.contiguous(memory_format=torch.channels_last)
        for layer in (self.first, self.second):
            # The maximum first: it changes nothing, and leaves a quarter of the values to ReLU.
            maps = F.relu(F.max_pool2d(layer(maps), 2, ceil_mode=True))
        maps = self.dropout(maps)
        if self.head is None:
            return maps
        return torch.tanh(self.head(maps.flatten(1)))
