"""Drawing windows from two hours of LFP, against a step of training: `--help` lists the options.

A recording of 22 channels is written as a memory map to a temporary folder, which needs 0.8 GB, and
batches of windows are drawn from it. The bounds: below 5 % of a step of the signal autoencoder of
the LFPGAN thesis on the same batch, and below 1 GB of anonymous memory (RssAnon of
/proc/self/status: what is the process' own, without the pages of the file). Drawing and steps take
turns, so that other work on the machine hits both alike. The file is in the system's page cache, as
it is once a data set was loaded (loading verifies every file) where the machine has a gigabyte to
spare; the time of the first draw without that is told as well.
"""

import os
import re
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from timing import Row, options_parser, report, seconds, take_turns

from phosphene._checks.arrays import map_npy
from phosphene.data.windows import Windows, zscore_windows
from phosphene.models.autoencoders.lfp_signal import SignalAutoencoder
from phosphene.training.autoencoder_step import AutoencoderStep
from phosphene.training.seeding import seeded

SHARE_BOUND = 5.0
MEMORY_BOUND = 1000.0


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    hours: float = 2.0
    n_chans: int = 22
    n_times: int = 313
    sfreq: float = 1250.0
    batch: int = 128
    n_turns: int = 9
    n_draws: int = 300
    n_excluded: int = 1200
    """Ranges that no window may touch, as many as the thesis has showings of test pictures."""
    step_ms: float | None = None
    """Time of a step to compare with; None measures one."""
    judged: bool = True
    """Whether the bound on time says anything at this size."""


TINY = Size(hours=0.02, batch=4, n_turns=1, n_draws=3, n_excluded=5, judged=False)


def write_recording(path: Path, size: Size) -> None:
    """Write noise (chan, time) as float32 .npy, a channel at a time."""
    n_samples = round(size.hours * 3600 * size.sfreq)
    rng = np.random.default_rng(0)
    block = (rng.standard_normal(1 << 16) * 1e-4).astype(np.float32)
    header = {"descr": "<f4", "fortran_order": False, "shape": (size.n_chans, n_samples)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for channel in range(size.n_chans):
            np.resize(np.roll(block, 997 * channel), n_samples).tofile(file)
        file.flush()
        os.fsync(file.fileno())


def excluded_ranges(n_samples: int, size: Size) -> list[tuple[int, int]]:
    """Return ranges of one window each, evenly spread."""
    starts = np.linspace(0, n_samples - size.n_times, size.n_excluded).astype(int)
    return [(int(start), int(start) + size.n_times) for start in starts]


def anonymous_mb() -> float:
    """Return the anonymous memory of this process in MB."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)
    if found is None:
        raise RuntimeError("the system's /proc/self/status names no RssAnon; run this on Linux.")
    return int(found.group(1)) * 1024 / 1e6


def measure(size: Size) -> Iterator[Row]:
    """Measure time, memory, and a first draw from the disk."""
    with tempfile.TemporaryDirectory(prefix="phosphene_windows_") as folder:
        path = Path(folder) / "recording.npy"
        write_recording(path, size)
        yield from measure_file(path, size)


def measure_file(path: Path, size: Size) -> Iterator[Row]:
    """Measure on a recording that is there."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    rng = np.random.default_rng(0)
    before = anonymous_mb()
    signal = map_npy(path)
    windows = Windows(signal, n_times=size.n_times, excluded=excluded_ranges(signal.shape[1], size))
    cold = seconds(lambda: windows.draw(rng, size.batch))
    highest = before
    for _ in range(size.n_draws):
        batch = zscore_windows(windows.draw(rng, size.batch))
        highest = max(highest, anonymous_mb())  # while the batch is there
    del batch
    tracemalloc.start()
    zscore_windows(windows.draw(rng, size.batch))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    yield Row(
        part="memory",
        what="anonymous memory added by opening and drawing",
        value=highest - before,
        unit="MB",
        rule="under",
        bound=MEMORY_BOUND,
        note=f"{len(windows):,} windows of {size.n_chans} x {size.n_times}, {size.n_draws} batches "
        f"of {size.batch} (each takes {peak / 1e6:.0f} MB while it is made); the file has "
        f"{path.stat().st_size / 1e6:.0f} MB",
    )
    yield from measure_shares(windows, size, cold=cold)


def measure_shares(windows: Windows, size: Size, *, cold: float) -> Iterator[Row]:
    """Compare drawing, alone and with z-scores, with a step of training."""
    rng = np.random.default_rng(1)
    signal = windows.signal
    for start in range(0, signal.shape[1], 1 << 20):  # bring the file to the page cache
        np.asarray(signal[:, start : start + (1 << 20)]).sum()
    with seeded(0):
        network = SignalAutoencoder(size.n_chans, size.n_times)
    step = AutoencoderStep(network)
    scaled, _, _ = zscore_windows(windows.draw(rng, size.batch))
    batch = torch.from_numpy(scaled)

    def train() -> None:
        if size.step_ms is None:
            step((batch,))

    ways = {
        "drawing a batch": lambda: windows.draw(rng, size.batch),
        "drawing and z-scoring a batch": lambda: zscore_windows(windows.draw(rng, size.batch)),
    }
    for what, draw in ways.items():
        draw()
        train()
        drawing, training, _ = take_turns(draw, train, size.n_turns)
        if size.step_ms is not None:
            training = size.step_ms / 1e3
        yield Row(
            part="time",
            what=f"{what}, share of a step",
            value=100 * drawing / training,
            unit="%",
            rule="under",
            bound=SHARE_BOUND,
            judged=size.judged or size.step_ms is not None,
            note=f"{1e3 * drawing:.1f} of {1e3 * training:.0f} ms, batch {size.batch} (the first "
            f"draw, from the disk, {1e3 * cold:.0f} ms)",
        )


def main() -> int:
    """Measure, print a table, and return 1 if a bound is broken."""
    parser = options_parser(__doc__, ["all"])
    parser.add_argument("--batch", type=int, help="windows per batch (128)")
    parser.add_argument("--hours", type=float, help="length of the recording (2)")
    parser.add_argument("--step-ms", type=float, help="time of a step; measured if left out")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    size = TINY if options.tiny else Size()
    given = {name: getattr(options, name) for name in ("batch", "hours", "step_ms")}
    size = replace(size, **{name: value for name, value in given.items() if value is not None})
    return report(measure(size), width=46, file=options.json, n_threads=options.threads)


if __name__ == "__main__":
    sys.exit(main())
