"""Inception-v3 as Inception Score and FID use it: the graph of 2015-12-05, for PyTorch."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from phosphene.models.layers import check_columns

SIZE = 299
"""Height and width of the pictures that the network sees."""
N_FEATURES = 2048
N_CLASSES = 1008
"""Logits of the graph: the 1000 classes of ImageNet, and rows that are not used."""

Kernel = int | tuple[int, int]
Layer = tuple[int, Kernel]
"""Planes and kernel of a convolution."""
Chain = tuple[Layer | tuple[Layer, Layer], ...]
"""Convolutions one after the other; a pair stands for two of the same input, joined."""


def average_pool(maps: Tensor) -> Tensor:
    """Average 3x3 neighbours; at a border only those inside count, as in TensorFlow."""
    return F.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)


def max_pool(maps: Tensor) -> Tensor:
    """Take the largest of 3x3 neighbours, keeping the size."""
    return F.max_pool2d(maps, 3, stride=1, padding=1)


def halving_pool(maps: Tensor) -> Tensor:
    """Take the largest of 3x3 neighbours at every second place, without padding."""
    return F.max_pool2d(maps, 3, stride=2)


class ConvUnit(nn.Module):
    """Convolve, normalise with the statistics of the training, cut off below zero."""

    def __init__(
        self, n_in: int, n_out: int, kernel: Kernel, *, stride: int = 1, padded: bool = True
    ) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if padded else 0
        self.conv = nn.Conv2d(n_in, n_out, (height, width), stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(n_out, eps=0.001)

    def forward(
        self, maps: Float[Tensor, "batch plane height width"]
    ) -> Float[Tensor, "batch plane_out height_out width_out"]:
        """Return maps that are not negative."""
        return F.relu(self.bn(self.conv(maps)), inplace=True)

    def fold(self) -> None:
        """Put the normalisation into the convolution, for good."""
        if isinstance(self.bn, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.bn)
            self.bn = nn.Identity()


class Mixed(nn.Module):
    """Chains of convolutions side by side, whose planes are joined, and a pooling beside them.

    Parameters
    ----------
    n_in
        Planes that come in.
    chains
        By name; the parameters are called as in the published file, ``name`` for a chain of one,
        else ``name_1``, ``name_2``, and ``name_3a``, ``name_3b`` for a pair.
    pool
        What stands beside the chains.
    n_pooled
        Planes of a 1x1 convolution after the pooling; None takes the pooled planes as they are.
    halving
        The last convolution of each chain has stride 2 and no padding.
    """

    def __init__(
        self,
        n_in: int,
        chains: Mapping[str, Chain],
        *,
        pool: Callable[[Tensor], Tensor],
        n_pooled: int | None = None,
        halving: bool = False,
    ) -> None:
        super().__init__()
        self.pool = pool
        self.chains: list[list[tuple[str, ...]]] = []
        self.n_out = n_in if n_pooled is None else n_pooled
        for name, chain in chains.items():
            n, steps = n_in, []
            for number, step in enumerate(chain, start=1):
                pair = isinstance(step[0], tuple)
                layers: tuple[Layer, ...] = step if pair else (step,)  # pyright: ignore
                stem = name if len(chain) == 1 else f"{name}_{number}"
                names = (f"{stem}a", f"{stem}b") if pair else (stem,)
                last = halving and number == len(chain)
                for unit, (n_out, kernel) in zip(names, layers, strict=True):
                    self.add_module(
                        unit, ConvUnit(n, n_out, kernel, stride=1 + last, padded=not last)
                    )
                steps.append(names)
                n = sum(n_out for n_out, _ in layers)
            self.chains.append(steps)
            self.n_out += n
        self.branch_pool = None if n_pooled is None else ConvUnit(n_in, n_pooled, 1)

    def forward(
        self, maps: Float[Tensor, "batch plane height width"]
    ) -> Float[Tensor, "batch plane_out height_out width_out"]:
        """Return the joined planes: the chains in their order, then the pooling."""
        joined = []
        for steps in self.chains:
            here = maps
            for names in steps:
                parts = [self.get_submodule(name)(here) for name in names]
                here = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
            joined.append(here)
        pooled = self.pool(maps)
        joined.append(pooled if self.branch_pool is None else self.branch_pool(pooled))
        return torch.cat(joined, 1)


def mixed_35(n_in: int, n_pooled: int) -> Mixed:
    """Return a block of the 35x35 maps."""
    chains: dict[str, Chain] = {
        "branch1x1": ((64, 1),),
        "branch5x5": ((48, 1), (64, 5)),
        "branch3x3dbl": ((64, 1), (96, 3), (96, 3)),
    }
    return Mixed(n_in, chains, pool=average_pool, n_pooled=n_pooled)


def mixed_17(n: int) -> Mixed:
    """Return a block of the 17x17 maps, with `n` planes inside."""
    row, column = (1, 7), (7, 1)
    chains: dict[str, Chain] = {
        "branch1x1": ((192, 1),),
        "branch7x7": ((n, 1), (n, row), (192, column)),
        "branch7x7dbl": ((n, 1), (n, column), (n, row), (n, column), (192, row)),
    }
    return Mixed(768, chains, pool=average_pool, n_pooled=192)


def mixed_8(n_in: int, pool: Callable[[Tensor], Tensor]) -> Mixed:
    """Return a block of the 8x8 maps."""
    fork: tuple[Layer, Layer] = ((384, (1, 3)), (384, (3, 1)))
    chains: dict[str, Chain] = {
        "branch1x1": ((320, 1),),
        "branch3x3": ((384, 1), fork),
        "branch3x3dbl": ((448, 1), (384, 3), fork),
    }
    return Mixed(n_in, chains, pool=pool, n_pooled=192)


class InceptionV3(nn.Module):
    """Turn pictures into 2048 features and 1008 logits of ImageNet classes.

    This is the network of `pytorch-fid`, whose weights were converted from the TensorFlow graph
    "inception-2015-12-05" of the first Inception Scores. Parameters have the published names. It
    differs from the network of the paper, and from torchvision's, in its pooling: averages at the
    border leave the padding out, and the last block takes a maximum where all others average. There
    is no auxiliary classifier and no dropout; it is meant for evaluation mode.

    References
    ----------
    Szegedy et al., CVPR 2016, https://arxiv.org/abs/1512.00567; the weights and the two
    differences: https://github.com/mseitzer/pytorch-fid
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvUnit(3, 32, 3, stride=2, padded=False)
        self.Conv2d_2a_3x3 = ConvUnit(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = ConvUnit(32, 64, 3)
        self.Conv2d_3b_1x1 = ConvUnit(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvUnit(80, 192, 3, padded=False)
        self.Mixed_5b = mixed_35(192, 32)
        self.Mixed_5c = mixed_35(256, 64)
        self.Mixed_5d = mixed_35(288, 64)
        chains: dict[str, Chain] = {
            "branch3x3": ((384, 3),),
            "branch3x3dbl": ((64, 1), (96, 3), (96, 3)),
        }
        self.Mixed_6a = Mixed(288, chains, pool=halving_pool, halving=True)
        self.Mixed_6b = mixed_17(128)
        self.Mixed_6c = mixed_17(160)
        self.Mixed_6d = mixed_17(160)
        self.Mixed_6e = mixed_17(192)
        chains = {
            "branch3x3": ((192, 1), (320, 3)),
            "branch7x7x3": ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)),
        }
        self.Mixed_7a = Mixed(768, chains, pool=halving_pool, halving=True)
        self.Mixed_7b = mixed_8(1280, average_pool)
        self.Mixed_7c = mixed_8(2048, max_pool)
        self.fc = nn.Linear(N_FEATURES, N_CLASSES)

    def features(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch feature"]:
        """Return the mean of the last maps ("pool3") of pictures made by `standard_input`."""
        check_columns("images", images, 3, "colour planes")
        check_columns("images", images, SIZE, "rows", axis=2)
        check_columns("images", images, SIZE, "columns", axis=3)
        maps = images.contiguous(memory_format=torch.channels_last)
        for name, stage in self.named_children():
            if name == "fc":
                break
            maps = stage(maps)
            if name in ("Conv2d_2b_3x3", "Conv2d_4a_3x3"):
                maps = halving_pool(maps)
        return maps.mean((2, 3))

    def logits(
        self, features: Float[Tensor, "batch feature"], *, bias: bool = False
    ) -> Float[Tensor, "batch classes"]:
        """Return the logits of the 1008 classes.

        Without the bias by default: the first Inception Score multiplied "pool3" with the weights
        and left the bias out, and ThoughtViz (so the numbers that EEG2Image compares with) and
        torch-fidelity ("logits_unbiased") follow it. `pytorch-fid` computes no Inception Score.
        """
        return F.linear(features, self.fc.weight, self.fc.bias if bias else None)

    def forward(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch classes"]:
        """Return logits, with the bias, as the published network does."""
        return self.logits(self.features(images), bias=True)


def standard_input(
    images: Float[Tensor, "batch color height width"],
) -> Float[Tensor, "batch 3 299 299"]:
    """Resize pictures in [0, 1] to 299x299 and scale them to [-1, 1], as `pytorch-fid` does.

    Bilinear between pixel centres, without a low-pass before shrinking; grey pictures are repeated
    in three colours. The TensorFlow graph differs in two points, so values of the two kinds are
    close and not equal: it lays pixel corners, not centres, on each other (a shift of
    up to half a pixel of the small picture), and maps bytes by (x - 128) / 128.

    Raises
    ------
    ValueError
        If there are neither one nor three colour planes, or values outside [0, 1].
    """
    if images.shape[1] not in (1, 3):
        raise ValueError(
            f"`images` must have 1 or 3 colour planes; got the shape {tuple(images.shape)}. Drop "
            "the others, such as transparency."
        )
    if not ((images >= 0) & (images <= 1)).all():
        raise ValueError(
            "`images` must lie in [0, 1]; got values outside, or not finite. Divide bytes by 255."
        )
    resized = F.interpolate(images, (SIZE, SIZE), mode="bilinear", align_corners=False)
    return 2 * resized.expand(-1, 3, -1, -1) - 1
