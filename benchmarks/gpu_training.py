"""Speed of training EEG2Image on a CUDA device, setting by setting: `--help` lists the options.

Every row trains new networks from the same start on the same batch, in this process: generator and
discriminator of the paper, DiffAugment, hinge losses, mode seeking, two Adams. Steps before the
clock starts let cuDNN choose, compile and fill the allocator; the median of the repetitions counts,
each between two synchronisations. Without a CUDA device its rows are listed and nothing is timed,
unless `--device cpu` asks for the rows that run anywhere.
"""

import argparse
import contextlib
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from gpu_settings import SETTINGS, Setting, peak_of
from timing import say
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.training.gan_step import GANStep
from phosphene.training.precision import PreciseStep
from phosphene.training.seeding import derive_seed, seeded

N_FEATURES = 128
N_WARMUP = 3
NO_DEVICE = "No CUDA device is here, so the GPU rows are missing."


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one setting gave; None where it was not measured."""

    setting: str
    status: str
    """"measured", "needs CUDA", or "failed: REASON"."""
    pictures_per_s: float | None = None
    ms_per_step: float | None = None
    ms_fastest: float | None = None
    ms_slowest: float | None = None
    peak_share: float | None = None
    """FLOP/s of convolutions and matrix products over the device's peak in this arithmetic."""
    peak_bytes: int | None = None
    """Most memory that tensors held at once."""
    first_s: float | None = None
    """Seconds to the end of the steps that are not timed, compiling and capturing included."""
    loss: float | None = None
    """The generator's loss in the first step."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """How much is measured, and where."""

    device: torch.device
    size: int
    batch: int
    n_steps: int
    n_repetitions: int


class ContiguousMaps(TorchFunctionMode):
    """Lay maps out plane by plane where the networks ask for channels_last."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        kwargs = kwargs or {}
        if function is Tensor.contiguous and "memory_format" in kwargs:
            kwargs = {}
        return function(*args, **kwargs)


class CapturedStep:
    """Repeat one captured update on whatever batch was copied in.

    Good for timing alone: learning rates and the average's decay are repeated as they were when
    captured, and the schedules do not count.
    """

    def __init__(
        self,
        gan: GANStep,
        update: Callable[[tuple[Tensor, ...]], Any],
        *,
        batch: tuple[Tensor, ...],
    ) -> None:
        self.batch = tuple(tensor.clone() for tensor in batch)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # as torch asks for before a capture
            self.first = float(update(self.batch)["loss"])
            for _ in range(N_WARMUP - 1):
                update(self.batch)
        torch.cuda.current_stream().wait_stream(aside)
        for optimizer in gan.pair.optimizers:
            for group in optimizer.param_groups:
                group["capturable"] = True
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(gan.pair.rng)
        with torch.cuda.graph(self.graph):
            self.values = update(self.batch)

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Make the captured update; the values are overwritten by the next one."""
        for kept, tensor in zip(self.batch, batch, strict=True):
            kept.copy_(tensor)
        self.graph.replay()
        return self.values


def make_gan(work: Work, setting: Setting) -> GANStep:
    """Return networks of published size from the same start, with the paper's update."""
    with seeded(0):
        networks: tuple[nn.Module, ...] = (
            DCGANGenerator(size=work.size).to(work.device),
            DCGANDiscriminator(size=work.size).to(work.device),
        )
    if "channels_last_weights" in setting.extras:
        for network in networks:  # before there are moments, which follow
            network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    place = torch.device("cpu") if "from_host" in setting.extras else work.device
    rng = torch.Generator(place).manual_seed(derive_seed(1))
    return GANStep(networks[0], networks[1], rng=rng)


def make_batch(work: Work, setting: Setting | None = None) -> tuple[Tensor, Tensor]:
    """Return pictures of noise in [-1, 1], and features in (-1, 1) as the encoder makes them."""
    rng = torch.Generator().manual_seed(0)
    pictures = torch.rand(work.batch, 3, work.size, work.size, generator=rng) * 2 - 1
    features = torch.rand(work.batch, N_FEATURES, generator=rng) * 2 - 1
    if setting is not None and "from_host" in setting.extras:
        return pictures, features
    return pictures.to(work.device), features.to(work.device)


def count_flops(work: Work) -> int:
    """Return the FLOPs of convolutions and matrix products in one update, counted as it runs."""
    plain = Setting(arithmetic="fp32")
    step, batch = make_gan(work, plain), make_batch(work, plain)
    with FlopCounterMode(display=False) as counter:
        step(batch)
    return counter.get_total_flops()


def measure(setting: Setting, work: Work, *, n_flops: int) -> Row:
    """Train with one setting and time it."""
    on_gpu = work.device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(work.device)
    batch = make_batch(work, setting)
    gan = make_gan(work, setting)
    update: Callable[..., Any] = PreciseStep(gan, setting.precision)
    maps = ContiguousMaps() if "contiguous_maps" in setting.extras else contextlib.nullcontext()
    began = time.perf_counter()
    with maps:
        if "captured" in setting.extras:
            update = CapturedStep(gan, update, batch=batch)
            first = update.first
            update(batch)
        else:
            first = float(update(batch)["loss"])
            for _ in range(N_WARMUP - 1):
                update(batch)
        wait(work)
        first_s = time.perf_counter() - began
        times = [seconds_per_step(update, batch, work) for _ in range(work.n_repetitions)]
        values = update(batch)
    broken = [name for name, value in values.items() if not torch.isfinite(value).all()]
    if broken:
        raise FloatingPointError(f"every value must stay finite; {', '.join(broken)} did not.")
    median = statistics.median(times)
    peak = peak_of(work.device, setting.arithmetic)
    return Row(
        setting=setting.name,
        status="measured",
        pictures_per_s=work.batch / median,
        ms_per_step=median * 1e3,
        ms_fastest=min(times) * 1e3,
        ms_slowest=max(times) * 1e3,
        peak_share=None if peak is None else n_flops / median / peak,
        peak_bytes=torch.cuda.max_memory_allocated(work.device) if on_gpu else None,
        first_s=first_s,
        loss=first,
    )


def seconds_per_step(update: Callable[..., Any], batch: tuple[Tensor, ...], work: Work) -> float:
    """Return the mean seconds of a run of steps, the device's work included."""
    wait(work)
    began = time.perf_counter()
    for _ in range(work.n_steps):
        update(batch)
    wait(work)
    return (time.perf_counter() - began) / work.n_steps


def wait(work: Work) -> None:
    """Wait until the device is done."""
    if work.device.type == "cuda":
        torch.cuda.synchronize(work.device)


def measure_all(settings: list[Setting], work: Work | None, *, n_flops: int) -> Iterator[Row]:
    """Return a row per setting; one that fails says why and the others go on."""
    for setting in settings:
        if work is None or (setting.needs_cuda and work.device.type != "cuda"):
            yield Row(setting=setting.name, status="needs CUDA")
            continue
        try:
            yield measure(setting, work, n_flops=n_flops)
        except Exception as error:  # whatever a driver or a compiler says
            reason = next(iter(str(error).splitlines()), "")
            yield Row(setting=setting.name, status=f"failed: {type(error).__name__}: {reason}")
        gc.collect()
        if setting.precision.compiled:
            torch.compiler.reset()


def best_of(rows: list[Row]) -> Row | None:
    """Return the fastest row."""
    measured = [row for row in rows if row.pictures_per_s is not None]
    return max(measured, key=lambda row: row.pictures_per_s or 0.0, default=None)


def table_line(row: Row, *, width: int) -> str:
    """Return a row of the table."""
    number = partial(_number, status=row.status)
    cells = [
        f"{row.setting:<{width}}",
        number(row.pictures_per_s, ".1f"),
        number(row.ms_per_step, ".2f"),
        number(None if row.peak_share is None else 100 * row.peak_share, ".1f", " %"),
        number(None if row.peak_bytes is None else row.peak_bytes / 1e9, ".2f", " GB"),
        number(row.first_s, ".1f", " s"),
        number(row.loss, ".4f"),
    ]
    return f"| {' | '.join(cells)} | {'' if row.status == 'measured' else row.status} |"


def _number(value: float | None, form: str, unit: str = "", *, status: str) -> str:
    empty = "-" if status == "measured" else ""
    return f"{empty if value is None else format(value, form) + unit:>9}"


def describe(work: Work | None) -> dict[str, Any]:
    """Return what the figures depend on beside the settings."""
    name = None
    if work is not None:
        on_gpu = work.device.type == "cuda"
        name = torch.cuda.get_device_name(work.device) if on_gpu else platform.machine()
    return {
        "device": name,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "threads": torch.get_num_threads(),
    }


def main() -> int:
    """Measure, print a table, and return 1 if a row failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--size", type=int, default=128, help="height and width (128)")
    parser.add_argument("--batch", type=int, default=128, help="pictures per step (128)")
    parser.add_argument("--steps", type=int, default=20, help="steps per repetition (20)")
    parser.add_argument("--repetitions", type=int, default=5, help="the median counts (5)")
    parser.add_argument("--rows", default="", help="only rows whose name holds this text")
    parser.add_argument("--json", type=Path, help="file to write the rows to, anew after each")
    options = parser.parse_args()
    settings = [setting for setting in SETTINGS if options.rows in setting.name]
    if not settings:
        parser.error(f"--rows must be part of a row's name; got {options.rows!r}.")
    counts = options.batch, options.steps, options.repetitions
    if min(counts) < 1 or options.batch < 2:
        parser.error(f"--batch needs 2, --steps and --repetitions 1 at least; got {counts}.")
    work, n_flops = None, 0
    missing = not torch.cuda.is_available()
    if missing:
        say(NO_DEVICE)
    if options.device == "cpu" or not missing:
        on_cpu = options.device == "cpu"
        work = Work(
            device=torch.device("cpu") if on_cpu else torch.device("cuda", 0),
            size=options.size,
            batch=options.batch,
            n_steps=options.steps,
            n_repetitions=options.repetitions,
        )
        torch.set_flush_denormal(True)
        n_flops = count_flops(work)
    machine = describe(work)
    where = "nothing is timed" if work is None else f"on {machine['device']}"
    say(f"EEG2Image, {options.size}x{options.size}, batch {options.batch}: {where}")
    if n_flops:
        say(f"{n_flops / 1e9 / options.batch:.2f} GFLOP per picture and step")
    width = max(len(setting.name) for setting in settings)
    heads = ["pictures/s", "ms/step", "of peak", "memory", "start", "loss"]
    say(f"| {'setting':<{width}} | {' | '.join(f'{head:>9}' for head in heads)} | note |")
    say(f"|{'-' * (width + 2)}|{'|'.join('-' * 10 + ':' for _ in heads)}|------|")
    rows: list[Row] = []
    for row in measure_all(settings, work, n_flops=n_flops):
        rows.append(row)
        say(table_line(row, width=width))
        if options.json is not None:
            best = best_of(rows)
            content = {
                "machine": machine,
                "size": options.size,
                "batch": options.batch,
                "steps": options.steps,
                "repetitions": options.repetitions,
                "flops_per_step": n_flops or None,
                "missing": NO_DEVICE if missing else None,
                "rows": [asdict(row) for row in rows],
                "best": None if best is None else best.setting,
            }
            options.json.write_text(json.dumps(content, indent=2) + "\n")
    best = best_of(rows)
    if best is not None:
        say(f"Best setting on this device: {best.setting}, {best.pictures_per_s:.1f} pictures/s.")
    if missing:
        say(f"{NO_DEVICE} On a machine with one: python benchmarks/gpu_training.py --json FILE")
    return int(any(row.status.startswith("failed") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
