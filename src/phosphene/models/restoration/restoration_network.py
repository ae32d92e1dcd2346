"""Our own network from corrupted pictures to whole ones."""

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_positive, check_share
from phosphene.models.restoration.cnn_lstm import bias_of
from phosphene.models.restoration.conv_encoder import check_pictures, check_size

MAX_VALUES = 4096
"""Values that the dense layers read; of larger pictures they are averaged down."""


class RestorationNetwork(nn.Module):
    """Restore a picture by what all of it says, and by what lies around each pixel.

    A U-Net whose bottom is dense. A convolution reads the corrupted picture at half resolution (2x2
    pixels stacked into planes), another one halves it again. Dense layers read all of that at once,
    rows below as well as above, and draw `n_context` planes of half the height and width: what is
    missing can only be known from afar. What is there need not pass through them: the maps of the
    first convolution are added, and residual convolutions lead from the sum to the picture.

    Most of the arithmetic is large matrix products, so that an iteration takes less time than one
    of the CNN-LSTM, whose rows have to wait for one another.

    Parameters
    ----------
    size
        Rows and columns of the pictures.
    color
        Their planes.
    hidden
        Values between the dense layers; 0 leaves them out, and a pixel sees a few around it.
    n_blocks
        Residual dense layers.
    n_context
        Planes that the dense layers draw.
    width
        Planes of the convolutions; twice as many after the second halving.
    n_convolutions
        Residual blocks of two 3x3 convolutions.
    skips
        Whether the maps of the first convolution are added; else all passes the dense layers.
    dropout
        Share of the values dropped in each residual dense layer.

    References
    ----------
    He et al., CVPR 2016, https://arxiv.org/abs/1512.03385; Mao et al., NeurIPS 2016,
    https://arxiv.org/abs/1603.09056 (reference 17 of the CNN-LSTM paper); Ronneberger et al.,
    MICCAI 2015, https://arxiv.org/abs/1505.04597; put together here
    """

    def __init__(
        self,
        size: tuple[int, int] = (28, 28),
        color: int = 1,
        *,
        hidden: int = 1024,
        n_blocks: int = 1,
        n_context: int = 8,
        width: int = 16,
        n_convolutions: int = 1,
        skips: bool = True,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_size(size, color)
        check_at_least("hidden", hidden, 0)
        check_at_least("n_blocks", n_blocks, 0)
        check_positive("n_context", n_context)
        check_positive("width", width)
        check_at_least("n_convolutions", n_convolutions, 0)
        check_share("dropout", dropout, below_one=True)
        if not hidden and not skips:
            raise ValueError(
                "a network must read the picture; got `hidden` 0 and no `skips`. Set one of them."
            )
        self.size, self.color = (size[0], size[1]), color
        sides = [-(-side // 4) for side in size]
        self._padded = [4 * side for side in sides]
        self.shrink = 1
        while 2 * width * sides[0] * sides[1] > MAX_VALUES:
            sides = [-(-side // 2) for side in sides]
            self.shrink *= 2
        self._context = (n_context, *(2 * side for side in sides))
        self.stem = nn.Sequential(
            nn.Conv2d(4 * color, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.skips = skips
        self.halving = self.dense = self.spread = None
        if hidden:
            self.halving = nn.Sequential(
                nn.Conv2d(width, 2 * width, 3, 2, padding=1, bias=False),
                nn.BatchNorm2d(2 * width),
                nn.ReLU(),
            )
            self.dense = nn.Sequential(
                nn.Linear(2 * width * sides[0] * sides[1], hidden, bias=False),
                nn.BatchNorm1d(hidden),
                nn.ReLU(),
                *(_DenseBlock(hidden, dropout) for _ in range(n_blocks)),
                nn.Linear(hidden, 4 * n_context * sides[0] * sides[1]),
            )
            self.spread = nn.Sequential(
                nn.Conv2d(n_context, width, 1, bias=False), nn.BatchNorm2d(width)
            )
        self.blocks = nn.Sequential(*(_ConvBlock(width) for _ in range(n_convolutions)))
        self.output = nn.Conv2d(width, 4 * color, 3, padding=1)

    @torch.no_grad()
    def start_bias(self, mean_picture: Float[Tensor, "color height width"]) -> None:
        """Let the untrained network draw the mean brightness of each plane of training pictures."""
        bias = bias_of(mean_picture.mean((1, 2)))
        self.output.bias.copy_(bias.repeat_interleave(4))  # pyright: ignore

    def logits(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch color height width"]:
        """Return restored pictures before the sigmoid."""
        check_pictures(images, size=self.size, color=self.color)
        height, width = self.size
        images = F.pad(images, (0, self._padded[1] - width, 0, self._padded[0] - height))
        squares = F.pixel_unshuffle(images, 2)
        near = self.stem(squares.contiguous(memory_format=torch.channels_last))
        if self.halving is not None and self.dense is not None and self.spread is not None:
            read = self.halving(near)
            if self.shrink > 1:
                read = F.avg_pool2d(read, self.shrink, ceil_mode=True)
            context = self.dense(read.flatten(1)).unflatten(1, self._context)
            far = self.spread(context.contiguous(memory_format=torch.channels_last))
            if self.shrink > 1:
                far = F.interpolate(far, scale_factor=float(self.shrink))
                far = far[:, :, : near.shape[2], : near.shape[3]]
            near = F.relu(far + near) if self.skips else F.relu(far)
        maps = self.blocks(near)
        drawn = F.pixel_shuffle(self.output(maps), 2)
        return drawn[:, :, :height, :width]

    def forward(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch color height width"]:
        """Restore pictures in [0, 1]."""
        return torch.sigmoid(self.logits(images))


class _DenseBlock(nn.Module):
    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(hidden, hidden, bias=False)
        self.norm = nn.BatchNorm1d(hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Float[Tensor, "batch value"]) -> Float[Tensor, "batch value"]:
        return values + self.dropout(F.relu(self.norm(self.linear(values))))


class _ConvBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(2)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(2))
        nn.init.zeros_(self.norms[1].weight)  # pyright: ignore[reportArgumentType]

    def forward(
        self, maps: Float[Tensor, "batch width height columns"]
    ) -> Float[Tensor, "batch width height columns"]:
        inside = F.relu(self.norms[0](self.first(maps)))
        return F.relu(maps + self.norms[1](self.second(inside)))
