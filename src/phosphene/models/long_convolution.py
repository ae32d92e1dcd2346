"""Convolutions with long kernels, by Fourier transforms where a CPU is faster so."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class LongConv1d(nn.Conv1d):
    """`nn.Conv1d` of stride 1 whose arithmetic on a CPU does not grow with its kernel.

    A product of spectra is a convolution. Results agree with sums of products up to rounding. On
    other devices, under autocast and in compiled networks it is torch's own. Weights have its
    names.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return what `nn.Conv1d` returns."""
        (k,), p = self.kernel_size, int(self.padding[0])
        if not _is_faster(input) or p >= k:
            return super().forward(input)
        n = input.shape[2]
        # From the reversed kernel's whole convolution: what is bent round by the transform's
        # period lies before the first value that is kept.
        values = _multiply_spectra(input, self.weight.flip(2).transpose(0, 1), n=n + p)
        return _kept(values, k - 1 - p, n + 2 * p - k + 1, self.bias)


class LongConvTranspose1d(nn.ConvTranspose1d):
    """`nn.ConvTranspose1d` of stride 1, as `LongConv1d`."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return what `nn.ConvTranspose1d` returns."""
        if not _is_faster(input) or output_size is not None:
            return super().forward(input, output_size)
        (k,), p = self.kernel_size, int(self.padding[0])
        n = input.shape[2] + k - 1
        values = _multiply_spectra(input, self.weight, n=n - p)
        return _kept(values, p, n - 2 * p, self.bias)


class LongConv2d(nn.Conv2d):
    """`nn.Conv2d` likewise, of any stride: all positions are made, and those of the stride kept.

    Made for kernels like that of the thesis' first layer of pictures, 30 x 30 taps on 918 x 1174
    pixels.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return what `nn.Conv2d` returns."""
        if not _is_faster(input):
            return super().forward(input)
        (height, width), (down, right) = self.kernel_size, (int(p) for p in self.padding)
        maps = F.pad(input, (right, right, down, down))
        kernel = self.weight.flip(2, 3).transpose(0, 1)
        values = _multiply_planes(maps, kernel, sizes=maps.shape[2:])
        rows, columns = slice(height - 1, maps.shape[2]), slice(width - 1, maps.shape[3])
        values = values[:, :, rows, columns][:, :, :: self.stride[0], :: self.stride[1]]
        return values if self.bias is None else values + self.bias[:, None, None]


class LongConvTranspose2d(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` likewise, of any stride: the kernel meets zeros between the values."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return what `nn.ConvTranspose2d` returns."""
        if not _is_faster(input) or output_size is not None:
            return super().forward(input, output_size)
        apart = [(n - 1) * s + 1 for n, s in zip(input.shape[2:], self.stride, strict=True)]
        maps = input.new_zeros((*input.shape[:2], *apart))
        maps[:, :, :: self.stride[0], :: self.stride[1]] = input
        axes = zip(apart, self.kernel_size, self.output_padding, strict=True)
        whole = [n + k - 1 + extra for n, k, extra in axes]  # what is added at the end stays 0
        values = _multiply_planes(maps, self.weight, sizes=whole)
        rows, columns = (
            slice(int(p), n - int(p)) for n, p in zip(whole, self.padding, strict=True)
        )
        values = values[:, :, rows, columns]
        return values if self.bias is None else values + self.bias[:, None, None]


def _multiply_planes(maps: Tensor, kernel: Tensor, *, sizes: Sequence[int]) -> Tensor:
    """Convolve (batch, in, row, column) with (in, out, row, column), bent round after `sizes`.

    For the few channels of such networks the sum over them is not worth a matrix product.
    """
    n = [_quick_length(size) for size in sizes]
    spectra, weights = torch.fft.rfft2(maps, n), torch.fft.rfft2(kernel, n)
    product = sum(spectra[:, i, None] * weights[i] for i in range(len(kernel)))
    return torch.fft.irfft2(product, n)


def _is_faster(values: Tensor) -> bool:
    return (
        values.device.type == "cpu"
        and values.dtype in (torch.float32, torch.float64)
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def _multiply_spectra(values: Tensor, kernel: Tensor, *, n: int) -> Tensor:
    """Convolve (batch, in, time) with (in, out, tap), bent round after at least n samples.

    Complex products are made as real ones of twice the width, for which matrix products are fast.
    """
    n = _quick_length(n)
    spectra = torch.view_as_real(_Spectrum.apply(values, n)).permute(2, 0, 1, 3)
    weights = _Spectrum.apply(kernel, n).permute(2, 0, 1)  # (frequency, in, out)
    blocks = torch.stack([torch.view_as_real(weights), torch.view_as_real(1j * weights)], 2)
    n_batch, n_in, n_out = len(values), *kernel.shape[:2]
    product = torch.bmm(
        spectra.reshape(-1, n_batch, 2 * n_in), blocks.view(-1, 2 * n_in, 2 * n_out)
    )
    product = product.view(-1, n_batch, n_out, 2).permute(1, 2, 0, 3).contiguous()
    return _Signal.apply(torch.view_as_complex(product), n)


class _Spectrum(torch.autograd.Function):
    """`torch.fft.rfft`, whose own gradient is a whole complex transform of twice the work."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, n: int) -> Tensor:  # pyright: ignore
        ctx.length, ctx.n = values.shape[-1], n
        return torch.fft.rfft(values, n)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        values = _Signal.apply(_scaled(gradient, ctx.n, inside=ctx.n / 2, ends=float(ctx.n)), ctx.n)
        return values[..., : ctx.length], None


class _Signal(torch.autograd.Function):
    """`torch.fft.irfft`, likewise."""

    @staticmethod
    def forward(ctx: Any, spectra: Tensor, n: int) -> Tensor:  # pyright: ignore
        ctx.n = n
        return torch.fft.irfft(spectra, n)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore
        spectra = _Spectrum.apply(gradient, ctx.n)
        return _scaled(spectra, ctx.n, inside=2 / ctx.n, ends=1 / ctx.n), None


def _scaled(spectra: Tensor, n: int, *, inside: float, ends: float) -> Tensor:
    """Scale half a spectrum of even length n, whose inner values stand twice in the whole one."""
    factors = torch.full((n // 2 + 1, 1), inside, dtype=spectra.real.dtype)
    factors[0] = factors[-1] = ends
    return torch.view_as_complex(torch.view_as_real(spectra) * factors)


def _kept(values: Tensor, start: int, length: int, bias: Tensor | None) -> Tensor:
    kept = values[:, :, start : start + length]
    return kept if bias is None else kept + bias[:, None]


@cache
def _quick_length(n: int) -> int:
    """Return the least even length from n on that has no prime factors above 5."""
    while n % 2 or _rest(n) > 1:
        n += 1
    return n


def _rest(n: int) -> int:
    for factor in (2, 3, 5):
        while n % factor == 0:
            n //= factor
    return n
