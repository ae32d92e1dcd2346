"""What benchmarks measure with: rows against bounds and their table, calls in turns, processes."""

import argparse
import contextlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured value and what it is held against."""

    part: str
    what: str
    value: float
    unit: str
    rule: str
    """"at least" or "under"."""
    bound: float
    judged: bool = True
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the value keeps its bound; None where that says nothing."""
        if not self.judged:
            return None
        return self.value >= self.bound if self.rule == "at least" else self.value < self.bound


def gap_row(part: str, what: str, gap: float, *, bound: float, note: str = "") -> Row:
    """Hold a difference between two ways to one answer against its bound."""
    return Row(part=part, what=what, value=gap, unit="", rule="under", bound=bound, note=note)


def options_parser(description: str | None, parts: Iterable[str]) -> argparse.ArgumentParser:
    """Return a parser with the options of a benchmark that consists of parts."""
    names = list(parts)
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="PART")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (2)")
    parser.add_argument("--json", type=Path, help="file to write the rows to")
    parser.add_argument("--tiny", action="store_true", help="seconds long; judges no time")
    return parser


def report(rows: Iterable[Row], *, width: int, file: Path | None, n_threads: int) -> int:
    """Print a table row by row, and return 1 if a bound is broken.

    Parameters
    ----------
    rows
        Measured one after the other.
    width
        Of the first column, in characters.
    file
        Gets machine and rows as JSON in the end, unless it is None.
    n_threads
        Threads of torch that were asked for.
    """
    say(f"| {'what':<{width}} | {'value':>10} | {'bound':>14} | result | in detail |")
    say(f"|{'-' * (width + 2)}|{'-' * 11}:|{'-' * 15}:|--------|-----------|")
    measured = []
    for row in rows:
        measured.append(row)
        result = {True: "PASS", False: "FAIL", None: "-"}[row.passed]
        value = f"{row.value:.3g} {row.unit}".strip()
        bound = f"{row.rule} {row.bound:g}"
        say(f"| {row.what:<{width}} | {value:>10} | {bound:>14} | {result:<6} | {row.note} |")
    if file is not None:
        found = [asdict(row) | {"passed": row.passed} for row in measured]
        machine = {**describe_machine(), "threads": n_threads}
        file.write_text(json.dumps({"machine": machine, "rows": found}, indent=2) + "\n")
    return int(any(row.passed is False for row in measured))


def describe_machine() -> dict[str, Any]:
    """Return what times depend on wherever they are taken."""
    return {
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Let torch use n threads inside the scope."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def count(n_threads: int) -> str:
    """Return the number of threads in words."""
    return "1 thread" if n_threads == 1 else f"{n_threads} threads"


def take_turns(
    ours: Callable[[], object], plain: Callable[[], object], n_turns: int
) -> tuple[float, float, float]:
    """Return the median seconds of both, and the median of the ratios of neighbouring turns.

    Both must have run before: first calls set things up.
    """
    pairs = [(seconds(ours), seconds(plain)) for _ in range(n_turns)]
    mine, theirs = zip(*pairs, strict=True)
    return (
        statistics.median(mine),
        statistics.median(theirs),
        statistics.median(slow / fast for fast, slow in pairs),
    )


def seconds(call: Callable[[], object]) -> float:
    """Return the wall time of a call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def largest_gap(first: Tensor, second: Tensor) -> float:
    """Return the largest absolute difference."""
    return float((first - second).detach().abs().max())


def processor_seconds() -> float:
    """Return the processor time of all child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def answer(command: list[str], *, n_threads: int | None = None) -> str:
    """Return what a process prints; its failure is ours."""
    environment = os.environ | ({} if n_threads is None else {"OMP_NUM_THREADS": str(n_threads)})
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout
