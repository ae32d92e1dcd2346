"""Speed and memory of the EEG2Image parts, each against its bound: `--help` lists the options.

Ratios compare us with the plain port in `plain_eeg2image.py`. Both take turns in this process, and
the median over the turns counts, so that other work on the machine hits both alike.
"""

import argparse
import itertools
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from eeg2image_parts import (
    N_CHANS,
    N_CLASSES,
    N_FEATURES,
    N_TIMES,
    PUBLISHED,
    TINY,
    Size,
    make_encoder_step,
    make_gan_batch,
    make_gan_step,
    write_signals,
)
from plain_eeg2image import (
    PlainDiscriminator,
    PlainEncoderStep,
    PlainGANStep,
    PlainGenerator,
    plain_triplet_loss,
)
from timing import (
    Row,
    answer,
    count,
    gap_row,
    largest_gap,
    options_parser,
    processor_seconds,
    report,
    say,
    seconds,
    take_turns,
    threads,
)
from torch import Tensor

from phosphene.losses.triplet import semi_hard_triplet_loss
from phosphene.training.batches import (
    balanced_index_batches,
    same_class_batches,
    tensor_batches,
)
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.gan_step import GANStep
from phosphene.training.seeding import seeded_generator

THREADS = 1, 2
"""For parts so small that a second thread may only wait."""


def measure_triplet(size: Size) -> Iterator[Row]:
    """Compare the triplet loss, forward and backward, with its form by masks."""
    rng = torch.Generator().manual_seed(0)
    n = size.triplet_batch
    start = F.normalize(torch.randn(n, N_FEATURES, generator=rng))
    labels = torch.randint(N_CLASSES, (n,), generator=rng)

    def run(loss: Callable[..., Tensor], dtype: torch.dtype = torch.float32) -> list[Tensor]:
        features = start.to(dtype, copy=True).requires_grad_()
        value = loss(features, labels)
        value.backward()
        return [value.detach(), *([] if features.grad is None else [features.grad])]

    losses = semi_hard_triplet_loss, plain_triplet_loss
    values = [run(loss)[0] for loss in losses]
    for n_threads in THREADS:
        with threads(n_threads):
            ours, plain, ratio = take_turns(
                lambda: run(losses[0]), lambda: run(losses[1]), size.n_turns
            )
        yield Row(
            part="triplet",
            what=f"triplet loss, batch {n}, {count(n_threads)}: times faster than masks",
            value=ratio,
            unit="x",
            rule="at least",
            bound=10.0,
            judged=size.judged,
            note=f"{ours * 1e3:.1f} and {plain * 1e3:.1f} ms, forward and backward",
        )
    what, note = "triplet loss: difference from masks", f"loss {float(values[0]):.4f}"
    yield gap_row("triplet", what, largest_gap(*values), bound=1e-5, note=note)
    # In float32 a few distances coincide, and masks split the gradient between them.
    gradients = [run(loss, torch.float64)[1] for loss in losses]
    what = "its gradient: difference from masks, relative to the largest (float64)"
    gap = largest_gap(*gradients) / float(gradients[1].abs().max())
    yield gap_row("triplet", what, gap, bound=1e-5)


def measure_encoder(size: Size) -> Iterator[Row]:
    """Compare an update of the published encoder with that of the plain port."""
    rng = torch.Generator().manual_seed(0)
    n = size.encoder_batch
    signals = torch.randn(n, N_CHANS, N_TIMES, generator=rng)
    labels = torch.arange(n) % N_CLASSES
    ours = make_encoder_step()
    plain = PlainEncoderStep(N_CHANS, ours=ours.encoder)  # pyright: ignore[reportArgumentType]
    first = float(ours((signals, labels))["loss"]), float(plain(signals, labels))
    for n_threads in THREADS:
        with threads(n_threads):
            mine, theirs, ratio = take_turns(
                lambda: ours((signals, labels)), lambda: plain(signals, labels), size.n_turns
            )
        yield Row(
            part="encoder",
            what=f"encoder step, batch {n}, {count(n_threads)}: times faster than the plain port",
            value=ratio,
            unit="x",
            rule="at least",
            bound=1.3,
            judged=size.judged,
            note=f"{n / mine:.0f} and {n / theirs:.0f} windows/s",
        )
    what, note = "encoder step: difference of the first loss", f"loss {first[0]:.4f}"
    yield gap_row("encoder", what, abs(first[0] - first[1]), bound=1e-5, note=note)


def measure_gan(size: Size) -> Iterator[Row]:
    """Compare an update of generator and discriminator with that of the plain port."""
    n = size.gan_batch
    real, f = make_gan_batch(size, n)
    ours = make_gan_step(size)
    generator, discriminator = ours.generator, ours.discriminator
    plain = PlainGANStep(
        PlainGenerator.take_weights(generator),  # pyright: ignore[reportArgumentType]
        PlainDiscriminator.take_weights(discriminator),  # pyright: ignore[reportArgumentType]
        n_noise=N_FEATURES,
        rng=seeded_generator(1),
    )
    z = torch.rand(n, N_FEATURES, generator=seeded_generator(2)) * 2 - 1
    with torch.no_grad():
        pictures = generator(z, f), plain.generator(z, f)
        logits = discriminator(real, f), plain.discriminator(real, f)
    # The first step is taken with weights at rest: the generator is judged after the update of the
    # discriminator, and Adam makes whole steps of gradients that are nothing but rounding.
    optimizers = [*ours.pair.optimizers, *plain.optimizers]
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    for optimizer in optimizers:
        optimizer.param_groups[0]["lr"] = 0.0
    losses = ours((real, f)), plain(real, f)
    for optimizer, rate in zip(optimizers, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
    mine, theirs, ratio = take_turns(
        lambda: ours((real, f)), lambda: plain(real, f), size.n_gan_turns
    )
    side = size.image_size
    yield Row(
        part="gan",
        what=f"GAN step, {side}x{side}, batch {n}: times faster than the plain port",
        value=ratio,
        unit="x",
        rule="at least",
        bound=1.6,
        judged=size.judged,
        note=f"{n / mine:.2f} and {n / theirs:.2f} pictures/s",
    )
    gaps = {
        "pictures": (largest_gap(*pictures), f"SD {float(pictures[0].std()):.3f}"),
        "logits": (largest_gap(*logits), f"SD {float(logits[0].std()):.3f}"),
    }
    for name in ("loss_discriminator", "loss"):
        values = [float(values[name]) for values in losses]
        key = "generator's loss" if name == "loss" else "discriminator's loss"
        gaps[f"{key}, relative"] = abs(values[0] / values[1] - 1), f"loss {values[0]:.4f}"
    for name, (gap, note) in gaps.items():
        yield Row(
            part="gan",
            what=f"GAN step: difference of the {name}",
            value=gap,
            unit="",
            rule="under",
            # torch sums the statistics of channels_last maps in float32, half a million values at
            # a time; the loss is a mean over all pictures, in which such errors do not cancel.
            bound=5e-4 if "loss" in name else 1e-4,
            note=note,
        )


def measure_memory(size: Size) -> Iterator[Row]:
    """Take the peak memory of a process that makes two GAN steps."""
    words = ["--gan-steps-only", *([] if size.judged else ["--tiny"])]
    found = json.loads(
        answer([sys.executable, __file__, *words], n_threads=torch.get_num_threads())
    )
    side = size.image_size
    yield Row(
        part="memory",
        what=f"peak memory of GAN steps, {side}x{side}, batch {size.memory_batch}",
        value=found["peak_bytes"] / 1e9,
        unit="GB",
        rule="under",
        bound=6.0,
        judged=size.judged,
    )


def make_gan_steps(size: Size) -> None:
    """Make two steps and print the peak memory of this process."""
    step = make_gan_step(size)
    batch = make_gan_batch(size, size.memory_batch)
    for _ in range(2):
        step(batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    say(json.dumps({"peak_bytes": peak * unit}))


def measure_loading(size: Size) -> Iterator[Row]:
    """Take the share of a step that its batch takes, with the batches of the recipe."""
    n_trials = 100 * size.encoder_batch
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(N_CLASSES, (n_trials,), generator=rng)
    signals = torch.randn(n_trials, N_CHANS, N_TIMES, generator=rng)
    rows = balanced_index_batches(labels, batch_size=size.encoder_batch, seed=0)
    with threads(1):
        batches = tensor_batches((signals, labels), rows)
        yield loading_row("encoder", make_encoder_step(), batches, size.n_turns, size)
    n_pictures = 50 * N_CLASSES
    pictures, _ = make_gan_batch(size, n_pictures)
    indices = balanced_index_batches(labels, batch_size=size.gan_batch, seed=0)
    drawn = same_class_batches(
        torch.randn(n_trials, N_FEATURES, generator=rng),
        labels,
        pictures=pictures,
        picture_labels=torch.arange(n_pictures) % N_CLASSES,
        indices=indices,
        seed=0,
    )

    def picture_batches(step: int) -> tuple[Tensor, ...]:  # as experiment.painting
        return *drawn(step), labels[indices(step)]

    yield loading_row("GAN", make_gan_step(size), picture_batches, size.n_gan_turns, size)


def loading_row(
    name: str,
    step: EncoderStep | GANStep,
    batches: Callable[[int], tuple[Tensor, ...]],
    n_turns: int,
    size: Size,
) -> Row:
    """Return the row for one kind of training: turns of twenty batches and of one step."""
    n_batches = 20
    steps = itertools.count()
    batch = batches(next(steps))
    step(batch)
    loading, updating, ratio = take_turns(
        lambda: [batches(next(steps)) for _ in range(n_batches)], lambda: step(batch), n_turns
    )
    return Row(
        part="loading",
        what=f"{name} step, {count(torch.get_num_threads())}: share of data loading",
        value=100 / (1 + n_batches * ratio),
        unit="%",
        rule="under",
        bound=3.0,
        judged=size.judged,
        note=f"{loading / n_batches * 1e3:.2f} ms, then {updating * 1e3:.0f} ms of step",
    )


def measure_import(size: Size) -> Iterator[Row]:
    """Time `import phosphene` in new processes."""
    code = "import time; t = time.perf_counter(); import phosphene; print(time.perf_counter() - t)"
    times = [float(answer([sys.executable, "-c", code])) for _ in range(size.n_starts + 1)][1:]
    yield Row(
        part="import",
        what="import phosphene",
        value=statistics.median(times),
        unit="s",
        rule="under",
        bound=0.1,
        judged=size.judged,
        note=f"fastest {min(times):.4f} s",
    )


def measure_generate(size: Size) -> Iterator[Row]:
    """Time `phosphene generate` for one picture, from the start of the process to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signals = write_signals(folder, size)
        for what, source in signals.items():
            words = [str(folder / "bundle"), "--signals", str(source)]
            words += ["--n-trials", "1", "--n-draws", "1", "--out"]
            times, began = [], processor_seconds()
            for number in range(size.n_starts + 1):
                out = folder / f"{what.replace(' ', '_')}_{number}"
                command = [sys.executable, "-m", "phosphene.cli.main", "generate", *words, str(out)]
                times.append(seconds(lambda command=command: answer(command)))
                if len(list((out / "pictures").iterdir())) != 1:
                    raise RuntimeError(f"`generate` must write one picture; look at {out}.")
            busy = (processor_seconds() - began) / len(times)
            times = times[1:]  # the first one fills the disk's cache
            yield Row(
                part="generate",
                what=f"generate, {what} to first picture",
                value=statistics.median(times),
                unit="s",
                rule="under",
                bound=2.5,
                judged=size.judged,
                note=f"fastest {min(times):.2f} s; processor {busy:.2f} s",
            )


PARTS: dict[str, Callable[[Size], Iterator[Row]]] = {
    "triplet": measure_triplet,
    "encoder": measure_encoder,
    "gan": measure_gan,
    "memory": measure_memory,
    "loading": measure_loading,
    "import": measure_import,
    "generate": measure_generate,
}


def main() -> int:
    """Measure, print a table, and return 1 if a bound is broken."""
    parser = options_parser(__doc__, PARTS)
    parser.add_argument("--gan-steps-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    size = TINY if options.tiny else PUBLISHED
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    if options.gan_steps_only:
        make_gan_steps(size)
        return 0
    rows = (row for part in options.only for row in PARTS[part](size))
    return report(rows, width=78, file=options.json, n_threads=options.threads)


if __name__ == "__main__":
    sys.exit(main())
