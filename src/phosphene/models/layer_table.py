"""Chains of convolutions as the LFPGAN thesis prints them: one row of a table for each layer."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import nn

from phosphene._checks import check_option, check_share
from phosphene.models.dropout import UniformDropout
from phosphene.models.long_convolution import (
    LongConv1d,
    LongConv2d,
    LongConvTranspose1d,
    LongConvTranspose2d,
)

NORMS = ("batch", "layer", "none")
MIN_LONG_KERNEL = 10
"""Taps along time from which on spectra are faster on a CPU."""
MIN_LARGE_KERNEL = 15
"""The same along both axes of a picture."""


class Row(NamedTuple):
    """One convolution along time, or along the rows and columns of a picture."""

    n_out: int
    """Channels."""
    kernel: tuple[int, ...]
    """Taps along each axis."""
    stride: tuple[int, ...] = ()
    """Step along each axis; 1 where it is left out."""
    padding: tuple[int, ...] = ()
    """Zeros added at both ends of each axis; none where it is left out."""
    output_padding: tuple[int, ...] = ()
    """Values added at the end of each axis by a transposed convolution; likewise."""


def stack_rows(
    n_in: int,
    rows: Sequence[Row],
    *,
    transposed: bool = False,
    norm: str = "batch",
    dropout: float = 0.0,
    plain_end: bool = False,
) -> nn.Sequential:
    """Return one `nn.Sequential` of convolution, ReLU, dropout and norm for each row, in a chain.

    The thesis' "ReLU/BN" and "ReLU/Dropout/BN" are taken in this order: the norm comes last, so
    that values between layers have both signs.

    Parameters
    ----------
    n_in
        Channels of the input.
    rows
        Layers in order.
    transposed
        Make transposed convolutions.
    norm
        "batch" as published; "layer": each sample is normalised over all its channels and
        positions, so that no sample sees the others of its batch; "none". Weights start as torch
        draws them, except without a norm, where chains of them would leave nothing of a signal:
        then by He's law for ReLUs (transposed rows have no such form here).
    dropout
        Share of values dropped after each ReLU; masks are torch's global draws.
    plain_end
        Leave ReLU, dropout and norm out of the last row.
    """
    check_option("norm", norm, NORMS)
    if transposed and norm == "none":
        raise ValueError(
            "transposed rows must have a norm, as their start values count on one; got 'none'. "
            "Choose 'batch' or 'layer'."
        )
    check_share("dropout", dropout, below_one=True)
    n_axes = len(rows[0].kernel)
    layers = []
    for number, row in enumerate(rows, 1):
        layer: list[nn.Module] = [_convolution(n_in, row, transposed=transposed)]
        if norm == "none":
            nn.init.kaiming_normal_(layer[0].weight, nonlinearity="relu")  # pyright: ignore
        if not (plain_end and number == len(rows)):
            layer.append(nn.ReLU())
            layer += [UniformDropout(dropout)] if dropout else []
            layer += [_norm(norm, row.n_out, n_axes)] if norm != "none" else []
        layers.append(nn.Sequential(*layer))
        n_in = row.n_out
    return nn.Sequential(*layers)


def output_size(
    size: tuple[int, ...], rows: Sequence[Row], *, transposed: bool = False
) -> tuple[int, ...]:
    """Return how long each axis is after the rows; below 1 where a kernel finds too few values."""
    for row in rows:
        if transposed:
            extra = _filled(row.output_padding, row, 0)
            size = tuple(
                (n - 1) * s - 2 * p + k + e
                for n, k, s, p, e in zip(size, *_taps(row), extra, strict=True)
            )
        else:
            size = tuple(
                (n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, *_taps(row), strict=True)
            )
    return size


def _taps(row: Row) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return row.kernel, _filled(row.stride, row, 1), _filled(row.padding, row, 0)


def _filled(values: tuple[int, ...], row: Row, value: int) -> tuple[int, ...]:
    return values or (value,) * len(row.kernel)


def _convolution(n_in: int, row: Row, *, transposed: bool) -> nn.Module:
    kernel, stride, padding = _taps(row)
    is_long = len(kernel) == 1 and kernel[0] >= MIN_LONG_KERNEL and stride == (1,)
    is_large = len(kernel) == 2 and min(kernel) >= MIN_LARGE_KERNEL
    if transposed:
        extra = _filled(row.output_padding, row, 0)
        make = (nn.ConvTranspose1d, nn.ConvTranspose2d)[len(kernel) - 1]
        make = LongConvTranspose1d if is_long and not any(extra) else make
        make = LongConvTranspose2d if is_large else make
        return make(n_in, row.n_out, kernel, stride, padding, extra)  # pyright: ignore
    make = LongConv1d if is_long else (nn.Conv1d, nn.Conv2d)[len(kernel) - 1]
    make = LongConv2d if is_large else make
    return make(n_in, row.n_out, kernel, stride, padding)  # pyright: ignore


def _norm(kind: str, n: int, n_axes: int) -> nn.Module:
    if kind == "layer":
        return nn.GroupNorm(1, n)
    return nn.BatchNorm1d(n) if n_axes == 1 else nn.BatchNorm2d(n)
