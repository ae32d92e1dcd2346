"""Layers in the form that is fastest for drawing on a CPU, with the numbers they have."""

from collections import deque
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

FEW_PLANES = 4
"""Up to so many planes, a convolution is faster as a product per tap and a sum of shifts.

oneDNN computes 16 where 1 or 3 are asked for.
"""
FOLDED = nn.Linear, nn.Conv2d, nn.ConvTranspose2d
NORMS = nn.BatchNorm1d, nn.BatchNorm2d


def prepare_layers(layers: Iterable[nn.Module]) -> nn.Sequential:
    """Return layers in their fastest form; those that nothing is known of stay as they are.

    Parameters
    ----------
    layers
        In evaluation mode, each fed by the one before. They are not changed.
    """
    with torch.no_grad():
        rest, done = deque(_fold(_flat(layers))), []
        while rest:
            layer = rest.popleft()
            if rest and _grows_a_pixel(layer, rest[0]):
                done += _grow_pixel(rest.popleft())  # pyright: ignore[reportArgumentType]
            elif _is_plain_convolution(layer) and _has_few_planes(layer):
                done.append(FewPlanes(layer))  # pyright: ignore[reportArgumentType]
            elif _is_plain_convolution(layer):
                activation = _activation(rest[0]) if rest else None
                if activation is not None:
                    rest.popleft()
                done += _convolution(layer, activation)  # pyright: ignore[reportArgumentType]
            else:
                done.append(layer)
    return nn.Sequential(*done)


def folds_norm(layer: nn.Module, norm: nn.Module) -> bool:
    """Tell whether a norm is the same line for each plane of every batch, and the layer takes it.

    Norms that keep no running statistics, or stay in training mode, measure each batch.
    """
    if not (_is(layer, FOLDED) and _is(norm, NORMS)):
        return False
    if isinstance(layer, nn.ConvTranspose2d) and layer.groups > 1:
        return False
    found: Any = layer
    n_planes = found.out_features if isinstance(layer, nn.Linear) else found.out_channels
    fits = norm.num_features == n_planes and norm.running_mean is not None
    return fits and not norm.training


def fold_norm(layer: Any, norm: Any) -> nn.Module:
    """Return the layer that computes what it and the norm compute, gains taken in float64."""
    gain = (norm.running_var.double() + norm.eps).rsqrt()
    gain = gain if norm.weight is None else gain * norm.weight
    bias = 0 if layer.bias is None else layer.bias.double()
    bias = (bias - norm.running_mean) * gain
    bias = bias if norm.bias is None else bias + norm.bias
    shape = [1] * layer.weight.ndim
    shape[1 if isinstance(layer, nn.ConvTranspose2d) else 0] = -1
    weight = layer.weight * gain.to(layer.weight.dtype).view(shape)
    return _with_values(layer, weight, bias.to(weight.dtype))


class FusedConvolution(nn.Module):
    """A (transposed) convolution with its activation, the kernel in oneDNN's own layout.

    Parameters
    ----------
    layer
        Of one group, with zeros around its maps.
    activation
        Name and numbers of oneDNN's activation; None for none.
    """

    def __init__(
        self,
        layer: nn.Conv2d | nn.ConvTranspose2d,
        activation: tuple[str, list[float]] | None = None,
    ) -> None:
        super().__init__()
        ops = torch.ops.mkldnn
        bias = None if layer.bias is None else layer.bias.detach()
        shape = [list(layer.padding), list(layer.stride), list(layer.dilation)]
        if isinstance(layer, nn.ConvTranspose2d):
            shape.insert(1, list(layer.output_padding))
            self.call: Any = ops._convolution_transpose_pointwise
            pack: Any = ops._reorder_convolution_transpose_weight
        else:
            self.call = ops._convolution_pointwise
            pack = ops._reorder_convolution_weight
        kernel = pack(layer.weight.detach().contiguous(), *shape, 1)
        name, numbers = activation or ("none", [])
        self.arguments = kernel, bias, *shape, 1, name, numbers, ""

    def forward(
        self, maps: Float[Tensor, "batch plane height width"]
    ) -> Float[Tensor, "batch plane2 height2 width2"]:
        """Return maps in channels_last."""
        return self.call(maps.contiguous(memory_format=torch.channels_last), *self.arguments)


class FewPlanes(nn.Module):
    """A (transposed) convolution to a few planes: one product per tap, added up where they fall.

    Parameters
    ----------
    layer
        Of one group, with zeros around its maps; not transposed, its stride must be 1, and its
        padding smaller than its kernel.
    """

    def __init__(self, layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        kernel = layer.weight.detach()
        self.reach: Any = tuple(layer.padding)
        self.more: tuple[int, ...] = (0, 0)
        if isinstance(layer, nn.ConvTranspose2d):
            self.more = layer.output_padding
        else:  # of stride 1 it is the transposed one of the turned kernel
            kernel = kernel.transpose(0, 1).flip(2, 3)
            self.reach = tuple(k - 1 - p for k, p in zip(kernel.shape[2:], self.reach, strict=True))
        self.kernel_size, self.stride = tuple(kernel.shape[2:]), layer.stride
        self.taps = kernel.flatten(1).T.contiguous()
        self.bias = None if layer.bias is None else layer.bias.detach()[:, None, None]

    def forward(
        self, maps: Float[Tensor, "batch plane height width"]
    ) -> Float[Tensor, "batch plane2 height2 width2"]:
        """Return contiguous maps."""
        pixels = maps.permute(0, 2, 3, 1).flatten(1, 2)  # (batch, pixel, in); a view, channels_last
        products = torch.matmul(self.taps, pixels.transpose(1, 2))
        sides: Any = [
            (n - 1) * stride - 2 * reach + k + more
            for n, stride, reach, k, more in zip(
                maps.shape[2:], self.stride, self.reach, self.kernel_size, self.more, strict=True
            )
        ]
        sums = F.fold(products, sides, self.kernel_size, padding=self.reach, stride=self.stride)
        return sums if self.bias is None else sums.add_(self.bias)


def _flat(layers: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """Give layers one by one, those of sequences too."""
    for layer in layers:
        if _is(layer, (nn.Sequential,)):
            yield from _flat(layer.children())
        else:
            yield layer


def _fold(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """Return layers with their batch norms folded into the ones before."""
    done: list[nn.Module] = []
    for layer in layers:
        if done and folds_norm(done[-1], layer):
            done[-1] = fold_norm(done[-1], layer)
        else:
            done.append(layer)
    return done


def _is(module: nn.Module, kinds: Iterable[type[nn.Module]]) -> bool:
    """Tell whether a module computes what one of the classes does, and nothing beside it."""
    hooks = module._forward_hooks, module._forward_pre_hooks
    return not any(hooks) and any(
        isinstance(module, kind) and type(module).forward is kind.forward for kind in kinds
    )


def _with_values(layer: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """Return a layer of the same settings with other values, without gradients."""
    memo: dict[int, Any] = {id(value): None for value in layer.parameters()}  # not to be copied
    copy: Any = deepcopy(layer, memo)
    copy.weight = nn.Parameter(weight.detach(), requires_grad=False)
    copy.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)
    return copy


def _is_plain_convolution(layer: nn.Module) -> bool:
    """Tell whether `FewPlanes` and `FusedConvolution` know a layer's kind."""
    if not _is(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        return False
    found: Any = layer
    words = found.padding_mode != "zeros" or isinstance(found.padding, str)
    return found.groups == 1 and not words


def _has_few_planes(layer: Any) -> bool:
    """Tell whether `FewPlanes` can take the place of a plain convolution, and is faster."""
    fits = layer.dilation == (1, 1) and layer.out_channels <= FEW_PLANES
    if type(layer).forward is nn.ConvTranspose2d.forward:
        return fits
    within = all(p < k for p, k in zip(layer.padding, layer.kernel_size, strict=True))
    return fits and within and layer.stride == (1, 1)


def _grows_a_pixel(before: nn.Module, layer: nn.Module) -> bool:
    """Tell whether a vector is laid out as one pixel and grown by a transposed convolution."""
    if not (isinstance(before, nn.Unflatten) and tuple(before.unflattened_size[1:]) == (1, 1)):
        return False
    if not (isinstance(layer, nn.ConvTranspose2d) and _is_plain_convolution(layer)):
        return False
    return (*layer.padding, *layer.output_padding, *layer.dilation) == (0, 0, 0, 0, 1, 1)


def _grow_pixel(layer: nn.ConvTranspose2d) -> list[nn.Module]:
    """Return the matrix product that a transposed convolution is on a single pixel."""
    shape = tuple(layer.weight.shape[1:])
    product = nn.Linear(len(layer.weight), shape[0] * shape[1] * shape[2], device="meta")
    bias = None if layer.bias is None else layer.bias.repeat_interleave(shape[1] * shape[2])
    weight = layer.weight.flatten(1).T.contiguous()
    return [_with_values(product, weight, bias), nn.Unflatten(1, shape)]


def _activation(layer: nn.Module) -> tuple[str, list[float]] | None:
    """Return oneDNN's name and numbers of an activation; None if it is none."""
    if _is(layer, (nn.LeakyReLU,)):
        return "leaky_relu", [float(layer.negative_slope)]  # pyright: ignore[reportArgumentType]
    return ("relu", []) if _is(layer, (nn.ReLU,)) else None


def _convolution(
    layer: nn.Conv2d | nn.ConvTranspose2d, activation: tuple[str, list[float]] | None
) -> list[nn.Module]:
    """Return a convolution with its activation, fused where torch can do that."""
    weight = layer.weight
    if weight.device.type == "cpu" and weight.dtype == torch.float32 and _can_fuse():
        return [FusedConvolution(layer, activation)]
    kernel = weight.contiguous(memory_format=torch.channels_last)
    done = [_with_values(layer, kernel, layer.bias)]
    if activation is None:
        return done
    slope = activation[1][0] if activation[1] else 0.0
    return [*done, nn.LeakyReLU(slope, inplace=True)]


@cache
def _can_fuse() -> bool:
    """Try torch's fused convolutions, which it keeps to itself, on a few pixels.

    Without them, as without oneDNN or in another version of torch, its public ones take over.
    """
    kernel = torch.linspace(-1, 1, 2 * 2 * 3 * 3).view(2, 2, 3, 3)
    layers: list[Any] = [  # on meta: no random numbers are drawn
        _with_values(layer, kernel, kernel[:, 0, 0, 0])
        for layer in (
            nn.Conv2d(2, 2, 3, padding=1, device="meta"),
            nn.ConvTranspose2d(2, 2, 3, 2, 1, 1, device="meta"),
        )
    ]
    maps = torch.linspace(-1, 1, 2 * 4 * 4).view(1, 2, 4, 4)
    try:
        with torch.no_grad():
            return torch.backends.mkldnn.is_available() and all(
                torch.allclose(
                    FusedConvolution(layer, ("leaky_relu", [0.5]))(maps),
                    F.leaky_relu(layer(maps), 0.5),
                    atol=1e-5,
                )
                for layer in layers
            )
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
