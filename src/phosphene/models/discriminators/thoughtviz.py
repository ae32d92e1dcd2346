"""The discriminators of ThoughtViz and of its baselines AC-GAN and DeLiGAN.

They see pictures alone. That a picture fits its condition is the matter of a classifier: a head of
the discriminator's own in the baselines (`n_classes`), a network apart in ThoughtViz.
"""

from itertools import pairwise
from math import log2
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_share
from phosphene.models.dropout import UniformDropout
from phosphene.models.layers import check_columns, check_picture_size
from phosphene.models.start_values import glorot_uniform_


class Judgement(NamedTuple):
    """What a discriminator says of each picture."""

    logit: Float[Tensor, " batch"]
    """High for real ones."""
    class_logits: Float[Tensor, "batch classes"] | None
    """Of the auxiliary head; None without one."""


class ThoughtVizImageDiscriminator(nn.Module):
    """Judge pictures of objects by pairs of convolutions of stride 2 and 1.

    Convolutions are 3x3 without padding; each is followed by leaky ReLU, dropout and batch norm,
    the last by no batch norm. At the published size 64 there are three pairs, which leave 3x3
    values; other sizes have `log2(size) - 3` pairs, which leave 3x3 to 5x5. Pictures in [-1, 1] are
    first mapped to [0, 1], the range of the released code. Dropout masks are torch's global draws.

    Parameters
    ----------
    size
        Height and width of the pictures, a power of two of at least 16.
    color
        Planes of the picture.
    width
        Planes after the first convolution; each has twice as many as the one before.
    n_classes
        Classes of the auxiliary head; None for no head.
    dropout
        Share of values dropped after each convolution.

    References
    ----------
    Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641;
    layers as in the released code
    """

    def __init__(
        self,
        *,
        size: int = 64,
        color: int = 3,
        width: int = 16,
        n_classes: int | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_picture_size(size)
        check_share("dropout", dropout, below_one=True)
        self.size, self.color, self.n_classes = size, color, n_classes
        n_pairs = int(log2(size)) - 3
        widths = [width * 2**stage for stage in range(2 * n_pairs)]
        self.stages = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 3, stride)
            for (n_in, n_out), stride in zip(
                pairwise([color, *widths]), [2, 1] * n_pairs, strict=True
            )
        )
        self.dropout = UniformDropout(dropout)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3, momentum=0.01) for n in widths[:-1])
        n_left = size
        for _ in range(n_pairs):
            n_left = (n_left - 3) // 2 + 1 - 2
        n_last = widths[-1] * n_left**2
        self.head = nn.Linear(n_last, 1)
        self.class_head = None if n_classes is None else nn.Linear(n_last, n_classes)
        glorot_uniform_(self)

    def forward(self, images: Float[Tensor, "batch color size size"]) -> Judgement:
        """Judge pictures in [-1, 1]."""
        check_columns("images", images, self.color, "colour planes")
        check_columns("images", images, self.size, "rows", axis=2)
        maps = ((images + 1) / 2).contiguous(memory_format=torch.channels_last)
        for stage, norm in zip(self.stages, [*self.norms, nn.Identity()], strict=True):
            maps = norm(self.dropout(F.leaky_relu(stage(maps), 0.2)))
        return _judge(maps.flatten(1), self.head, self.class_head)


class ThoughtVizGlyphDiscriminator(nn.Module):
    """Judge pictures of digits and characters by two convolutions with pooling.

    A 5x5 convolution that keeps the size and one without padding, each with tanh and a maximum over
    2x2, then a hidden vector by tanh. No dropout, no batch norm.

    Parameters
    ----------
    size
        Height and width of the pictures, at least 16 (published: 28).
    color
        Planes of the picture.
    width
        Planes after the first convolution (published: 64). The second has twice, the hidden vector
        16 times as many.
    n_classes
        Classes of the auxiliary head; None for no head.

    References
    ----------
    Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641;
    layers as in the released code
    """

    def __init__(
        self, *, size: int = 28, color: int = 1, width: int = 64, n_classes: int | None = None
    ) -> None:
        super().__init__()
        if size < 16:
            raise ValueError(
                f"`size` must be at least 16 pixels; got {size}. Enlarge the pictures."
            )
        self.size, self.color, self.n_classes = size, color, n_classes
        n_left = (size // 2 - 4) // 2
        self.first = nn.Conv2d(color, width, 5, padding=2)
        self.second = nn.Conv2d(width, 2 * width, 5)
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(2 * width * n_left**2, 16 * width)
        self.head = nn.Linear(16 * width, 1)
        self.class_head = None if n_classes is None else nn.Linear(16 * width, n_classes)
        glorot_uniform_(self)

    def forward(self, images: Float[Tensor, "batch color size size"]) -> Judgement:
        """Judge pictures in [-1, 1]."""
        check_columns("images", images, self.color, "colour planes")
        check_columns("images", images, self.size, "rows", axis=2)
        maps = images.contiguous(memory_format=torch.channels_last)
        # Tanh keeps order: the maximum may come first, on a quarter of the values.
        maps = torch.tanh(self.pool(self.first(maps)))
        maps = torch.tanh(self.pool(self.second(maps)))
        return _judge(torch.tanh(self.hidden(maps.flatten(1))), self.head, self.class_head)


def _judge(hidden: Tensor, head: nn.Linear, class_head: nn.Linear | None) -> Judgement:
    return Judgement(head(hidden).squeeze(1), None if class_head is None else class_head(hidden))
