"""Speed of the CNN-LSTM that restores pictures, and of its decoder: `--help` lists the options.

The decoder is compared with a plain loop over torch's `LSTMCell`, forward and backward, with the
same weights. The two take turns in this process, and the median of the ratios of neighbouring turns
counts, so that other work on the machine hits both alike. On a busy machine compare runs.
"""

import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from timing import (
    Row,
    count,
    gap_row,
    largest_gap,
    options_parser,
    report,
    seconds,
    take_turns,
    threads,
)
from torch import Tensor

from phosphene.augment.corruption import PAPER_CORRUPTION, parse_corruption
from phosphene.export.networks import build_network
from phosphene.models.restoration.row_decoder import RowDecoder
from phosphene.training.restoration_step import RestorationStep
from phosphene.training.seeding import seeded, seeded_generator

THREADS = 1, 2
PUBLISHED_RATIO = 25_104 / 15_592
"""Time of the CNN-LSTM over that of the CNN-CNN on a GTX 1080 (table 2)."""
FASTER, OF_BOUND = 1.3, 0.6
"""The decoder must be so many times faster than the plain loop, or come so near to the bound."""
NETWORKS: dict[str, dict[str, Any]] = {
    "CNN-CNN": {"network": "CNNCNN", "settings": {}},
    "CNN-CNN with bottleneck": {"network": "CNNCNN", "settings": {"n_code": 100}},
    "our network": {"network": "RestorationNetwork", "settings": {}},
}
"""Whose iterations are measured beside those of the CNN-LSTM."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    hidden: tuple[int, ...] = (128, 64)
    batch: int = 100
    n_rows: int = 28
    n_turns: int = 15
    n_iterations: int = 7
    judged: bool = True
    """Whether bounds on time say anything at this size."""


PUBLISHED = Size()
TINY = Size(hidden=(8,), batch=4, n_rows=3, n_turns=2, n_iterations=2, judged=False)


def plain_decoder(decoder: RowDecoder, rows: Tensor, code: Tensor) -> Tensor:
    """Return what the decoder returns, by the loop that one writes first."""
    zeros = rows.new_zeros(len(rows), decoder.hidden)
    states = [(zeros, zeros) for _ in decoder.cells]
    last, logits = rows.new_zeros(len(rows), decoder.n_values), []
    for row in rows.unbind(1):
        given = torch.cat([row, code, last], 1)
        for layer, cell in enumerate(decoder.cells):
            states[layer] = cell(given, states[layer])
            given = states[layer][0]
        logits.append(decoder.output(given))
        last = torch.sigmoid(logits[-1])
    return torch.stack(logits, 1)


def measure_decoder(size: Size) -> Iterator[Row]:
    """Compare the decoder with the plain loop, and with its matrix products alone."""
    rng = torch.Generator().manual_seed(0)
    rows = torch.rand(size.batch, size.n_rows, 28, generator=rng)
    code = torch.rand(size.batch, 100, generator=rng).mul(2).sub(1).requires_grad_()
    weight = torch.randn(rows.shape, generator=rng)
    for hidden in size.hidden:
        with seeded(0):
            decoder = RowDecoder(hidden=hidden)
        asked = [code, *decoder.parameters()]

        def run(
            call: Callable[[], Tensor], asked: list[Tensor] = asked
        ) -> tuple[Tensor, list[Tensor]]:
            drawn = call()
            return drawn.detach(), list(torch.autograd.grad((drawn * weight).sum(), asked))

        def ours(decoder: RowDecoder = decoder) -> Tensor:
            return decoder(rows, code)

        def plain(decoder: RowDecoder = decoder) -> Tensor:
            return plain_decoder(decoder, rows, code)

        found, expected = run(ours), run(plain)
        name = f"decoder, {hidden} values per state"
        what = f"{name}: outputs beside the plain loop"
        yield gap_row("decoder", what, largest_gap(found[0], expected[0]), bound=1e-5)
        gap = max(
            largest_gap(mine, other) / float(other.abs().max())
            for mine, other in zip(found[1], expected[1], strict=True)
        )
        what = f"{name}: gradients, relative to the largest of each"
        yield gap_row("decoder", what, gap, bound=1e-5)
        for n_threads in THREADS:
            with threads(n_threads):
                mine, theirs, ratio = take_turns(
                    lambda ours=ours: run(ours), lambda plain=plain: run(plain), size.n_turns
                )
                products = matrix_products(decoder, size)
                bound, _, share = take_turns(products, lambda ours=ours: run(ours), size.n_turns)
            named = f"{name}, {count(n_threads)}"
            yield Row(
                part="decoder",
                what=f"{named}: times faster than the plain loop",
                value=ratio,
                unit="x",
                rule="at least",
                bound=FASTER,
                judged=False,
                note=f"{mine * 1e3:.1f} and {theirs * 1e3:.1f} ms, forward and backward",
            )
            yield Row(
                part="decoder",
                what=f"{named}: share of the time that its matrix products take",
                value=1 / share,
                unit="",
                rule="at least",
                bound=OF_BOUND,
                judged=False,
                note=f"products alone {bound * 1e3:.1f} ms",
            )
            yield Row(
                part="decoder",
                what=f"{named}: the better of both, over what is asked of it",
                value=max(ratio / FASTER, 1 / share / OF_BOUND),
                unit="",
                rule="at least",
                bound=1.0,
                judged=size.judged and hidden == max(size.hidden),
            )


def matrix_products(decoder: RowDecoder, size: Size) -> Callable[[], None]:
    """Return a call that makes the products which no implementation can do without.

    Forward and backward one of each layer's weights per row, as rows follow one another; gradients
    of weights over all rows at once. The smaller ones of output and thought vector are left out.
    """
    hidden, n_rows = decoder.hidden, size.n_rows
    looped = []
    for number in range(len(decoder.cells)):
        n_in = hidden + (hidden if number else decoder.n_values)
        looped.append(
            (
                torch.rand(size.batch, n_in),
                torch.rand(n_in, 4 * hidden),
                torch.empty(size.batch, 4 * hidden),
                torch.rand(n_rows * size.batch, n_in),
                torch.rand(n_rows * size.batch, 4 * hidden),
            )
        )

    def call() -> None:
        for given, weight, gates, _, _ in looped:
            for _ in range(n_rows):
                torch.mm(given, weight, out=gates)
            for _ in range(n_rows):
                torch.mm(gates, weight.t(), out=given)
        for _, _, _, all_given, all_gates in looped:
            torch.mm(all_gates.t(), all_given)

    call()
    return call


def measure_iterations(size: Size) -> Iterator[Row]:
    """Compare a whole iteration of the CNN-LSTM with one of each other network."""
    rng = torch.Generator().manual_seed(0)
    pictures = torch.rand(size.batch, 1, 28, 28, generator=rng)
    specs = {
        **{
            f"CNN-LSTM, {hidden} values per state": {
                "network": "CNNLSTM",
                "settings": {"hidden": hidden},
            }
            for hidden in size.hidden
        },
        **NETWORKS,
    }
    steps = {name: make_step(spec) for name, spec in specs.items()}
    for step in steps.values():
        step((pictures,))
    for n_threads in THREADS:
        with threads(n_threads):
            turns = [
                {name: seconds(lambda step=step: step((pictures,))) for name, step in steps.items()}
                for _ in range(size.n_iterations)
            ]
        times = {name: statistics.median(turn[name] for turn in turns) for name in steps}
        for name in list(times)[: len(size.hidden)]:
            for other in NETWORKS:
                published = other == "CNN-CNN"
                yield Row(
                    part="iterations",
                    what=f"{name}, {count(n_threads)}: time per iteration over that of {other}",
                    value=statistics.median(turn[name] / turn[other] for turn in turns),
                    unit="x",
                    rule="under",
                    bound=PUBLISHED_RATIO if published else 1.0,
                    judged=False,
                    note=f"{times[name] * 1e3:.0f} and {times[other] * 1e3:.0f} ms at batch "
                    f"{size.batch}" + (", the paper has 1.6" if published else ""),
                )


def make_step(spec: Mapping[str, Any]) -> RestorationStep:
    """Return a network with its update as the recipes have it."""
    with seeded(0):
        network = build_network(spec)
    return RestorationStep(
        network,
        rng=seeded_generator(1),
        corruption=parse_corruption(PAPER_CORRUPTION),
        clip=1.0,
        ema_decay=0.998,
    )


PARTS: dict[str, Callable[[Size], Iterator[Row]]] = {
    "decoder": measure_decoder,
    "iterations": measure_iterations,
}


def main() -> int:
    """Measure, print a table, and return 1 if a bound is broken."""
    options = options_parser(__doc__, PARTS).parse_args()
    torch.set_flush_denormal(True)
    size = TINY if options.tiny else PUBLISHED
    rows = (row for part in options.only for row in PARTS[part](size))
    return report(rows, width=92, file=options.json, n_threads=options.threads)


if __name__ == "__main__":
    sys.exit(main())
