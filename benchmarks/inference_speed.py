"""Speed of drawing with the prepared generator of EEG2Image: `--help` lists the options.

It is compared with the textbook module in `plain_eeg2image.py` (transposed convolution, batch norm
in evaluation mode, leaky ReLU, contiguous maps) and with our own generator in evaluation mode, with
the same weights and statistics. Two ways take turns in this process, and the median of the ratios
of neighbouring turns counts, so that other work on the machine hits both alike.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from plain_eeg2image import PlainGenerator
from timing import (
    Row,
    count,
    gap_row,
    largest_gap,
    options_parser,
    report,
    seconds,
    take_turns,
)
from torch import Tensor, nn

from phosphene.export.inference import prepare_generator
from phosphene.export.inference_layers import FusedConvolution, prepare_layers
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.training.seeding import seeded, seeded_generator


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    batch: int = 64
    image_size: int = 128
    width: int = 32
    n_turns: int = 7
    n_single_turns: int = 51
    n_stages: int = 5
    judged: bool = True
    """Whether bounds on times say anything at this size."""


PUBLISHED = Size()
TINY = Size(batch=3, image_size=16, width=4, n_turns=1, n_single_turns=1, n_stages=1, judged=False)


def measure_pictures(size: Size) -> Iterator[Row]:
    """Compare whole generators, for a batch and for one picture."""
    generator = make_generator(size)
    plain: nn.Module = PlainGenerator.take_weights(generator).eval()
    prepared = prepare_generator(generator)
    for n, n_turns, bound in ((size.batch, size.n_turns, 1.5), (1, size.n_single_turns, 1.0)):
        z, f = make_inputs(generator, n)

        def draw(network: nn.Module, z: Tensor = z, f: Tensor = f) -> Tensor:
            with torch.no_grad():
                return network(z, f)

        pictures = {network: draw(network) for network in (prepared, plain, generator)}
        what = f"batch {n}, {size.image_size}x{size.image_size}, {count(torch.get_num_threads())}"
        for name, other, least in (
            ("the plain module", plain, bound),
            ("our own in evaluation mode", generator, 1.0),
        ):
            mine, theirs, ratio = take_turns(
                lambda: draw(prepared), lambda other=other: draw(other), n_turns
            )
            yield Row(
                part="pictures",
                what=f"{what}: times faster than {name}",
                value=ratio,
                unit="x",
                rule="at least",
                bound=least,
                judged=size.judged,
                note=f"{n / mine:.1f} and {n / theirs:.1f} pictures/s",
            )
        yield gap_row(
            "pictures",
            f"batch {n}: largest difference from the plain module's pictures",
            largest_gap(pictures[prepared], pictures[plain]),
            bound=1e-4,
            note=f"SD {float(pictures[plain].std()):.3f}",
        )


def measure_preparing(size: Size) -> Iterator[Row]:
    """Time what is done once, when weights are loaded."""
    generator = make_generator(size)
    times = sorted(seconds(lambda: prepare_generator(generator)) for _ in range(size.n_turns + 1))
    yield Row(
        part="preparing",
        what="preparing the generator",
        value=1e3 * times[len(times) // 2],
        unit="ms",
        rule="under",
        bound=200.0,
        judged=size.judged,
        note=f"slowest, with all that is set up once, {1e3 * times[-1]:.0f} ms",
    )


def measure_forms(size: Size) -> Iterator[Row]:
    """Compare forms of the transposed convolution, each with its kernels laid out once."""
    forms: dict[str, Callable[[nn.ConvTranspose2d], Callable[[Tensor], Tensor]]] = {
        "four sub-pixel phases": by_phases,
        "one convolution to four times the planes": by_shuffling,
    }
    generator = make_generator(size)
    side, layers = 4, []
    for layer in list(generator.grow)[: size.n_stages]:
        layers.append((layer, torch.randn(8, layer.weight.shape[0], side, side)))
        side *= 2
    for name, form in forms.items():
        for stage, (layer, given) in enumerate(layers, start=1):
            maps = given.contiguous(memory_format=torch.channels_last)
            ours: Any = prepare_layers([layer, nn.LeakyReLU(0.3)])  # pyright: ignore
            other = form(layer)  # pyright: ignore[reportArgumentType]
            with torch.no_grad():
                gap = largest_gap(ours(maps), other(maps))
                if gap > 1e-4:
                    raise RuntimeError(f"{name} must give the same maps; they differ by {gap:g}.")
                mine, theirs, ratio = take_turns(
                    lambda ours=ours, maps=maps: ours(maps),
                    lambda other=other, maps=maps: other(maps),
                    3 * size.n_turns,
                )
            yield Row(
                part="forms",
                what=f"stage {stage}, 8 pictures: times faster than {name}",
                value=ratio,
                unit="x",
                rule="at least",
                bound=1.0,
                judged=False,
                note=f"{mine * 1e3:.2f} and {theirs * 1e3:.2f} ms",
            )


def by_phases(layer: nn.ConvTranspose2d) -> Callable[[Tensor], Tensor]:
    """Return one convolution per parity of row and column, of 1 to 4 taps, written side by side."""
    phases = [
        (row, column, fused(phase_kernel(layer.weight.detach(), row, column)))
        for row in (0, 1)
        for column in (0, 1)
    ]

    def call(maps: Tensor) -> Tensor:
        n, _, height, width = maps.shape
        padded = F.pad(maps, (0, 1, 0, 1))
        grown = torch.empty(
            n, layer.out_channels, 2 * height, 2 * width, memory_format=torch.channels_last
        )
        for row, column, phase in phases:
            grown[:, :, row::2, column::2] = phase(padded[:, :, : height + row, : width + column])
        return grown

    return call


def by_shuffling(layer: nn.ConvTranspose2d) -> Callable[[Tensor], Tensor]:
    """Return one convolution of 2x2 taps to the planes of all phases, which are then interleaved.

    Seven of sixteen taps are zero.
    """
    weight = layer.weight.detach()
    kernels = torch.zeros(4, layer.out_channels, layer.in_channels, 2, 2)
    for number in range(4):
        kernel = phase_kernel(weight, number // 2, number % 2)
        kernels[number, :, :, : kernel.shape[2], : kernel.shape[3]] = kernel
    whole = fused(kernels.flatten(0, 1))

    def call(maps: Tensor) -> Tensor:
        n, _, height, width = maps.shape
        planes = whole(F.pad(maps, (0, 1, 0, 1))).permute(0, 2, 3, 1)
        cells = planes.view(n, height, width, 2, 2, layer.out_channels)
        grown = cells.permute(0, 1, 3, 2, 4, 5).reshape(n, 2 * height, 2 * width, -1)
        return grown.permute(0, 3, 1, 2)

    return call


def phase_kernel(weight: Tensor, row: int, column: int) -> Tensor:
    """Return the taps of a 3x3 kernel (padding 1, stride 2) that meet pixels of this parity."""
    rows, columns = ([2, 0] if odd else [1] for odd in (row, column))
    return weight[:, :, rows][:, :, :, columns].transpose(0, 1).contiguous()


def fused(kernel: Tensor) -> FusedConvolution:
    """Return a convolution with leaky ReLU, as ours are laid out."""
    layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2:], bias=False)  # pyright: ignore
    with torch.no_grad():
        layer.weight.copy_(kernel)
    return FusedConvolution(layer, ("leaky_relu", [0.3]))


def make_generator(size: Size) -> DCGANGenerator:
    """Return the published generator with statistics of a few batches, in evaluation mode."""
    with seeded(0), torch.no_grad():
        generator = DCGANGenerator(size=size.image_size, width=size.width, he_init=True)
        for norm in generator.norms:
            norm.momentum = 0.5  # pyright: ignore[reportArgumentType]
        for _ in range(3):
            generator(*make_inputs(generator, 4))
    return generator.eval()


def make_inputs(generator: DCGANGenerator, n: int) -> tuple[Tensor, Tensor]:
    """Return noise in (-1, 1) and features of n pictures."""
    rng = seeded_generator(n)
    z = 2 * torch.rand(n, generator.n_noise, generator=rng) - 1
    return z, 2 * torch.rand(n, generator.n_features, generator=rng) - 1


PARTS: dict[str, Callable[[Size], Iterator[Row]]] = {
    "preparing": measure_preparing,
    "pictures": measure_pictures,
    "forms": measure_forms,
}


def main() -> int:
    """Measure, print a table, and return 1 if a bound is broken."""
    options = options_parser(__doc__, PARTS).parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    size = TINY if options.tiny else PUBLISHED
    rows = (row for part in options.only for row in PARTS[part](size))
    return report(rows, width=86, file=options.json, n_threads=options.threads)


if __name__ == "__main__":
    sys.exit(main())
