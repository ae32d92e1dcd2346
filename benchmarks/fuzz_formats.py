"""Read damaged and hostile files of every format: none may crash, hang, fill the memory, run code.

    python benchmarks/fuzz_formats.py                  2,000 files over all formats
    python benchmarks/fuzz_formats.py --n 500 --seed 7 --only EDF
    python benchmarks/fuzz_formats.py --keep bad       keep the files that a reader failed on

Each file is read in a process of its own kind: a worker that is killed when a file takes longer
than 10 s, that may use 2 GB more than it had, and whose audit hook notices processes started,
strings executed, names that unpickling imports, and files written or removed outside the folder of
the case. A file may be read, for a change need not break it, or refused with one ValueError (or an
OSError) of one sentence. The exit code is 1 if anything else happened.
"""

import argparse
import faulthandler
import multiprocessing
import os
import platform
import re
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fuzz_mutations import make_case
from fuzz_samples import Sample, write_samples
from hostile_pickles import count_runs

MAX_SECONDS = 10.0
MAX_MEGABYTES = 2000
ADDRESS_SPACE = 6 << 30  # beyond what the worker has; a guard for the machine
MAX_SENTENCE = 700
GOOD = ("read", "refused")
BAD = ("crash", "hang", "memory", "code")


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    format: str
    case: str
    result: str
    said: str
    seconds: float
    megabytes: float


def main() -> int:
    """Run the cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=2000, help="mutated files over all formats")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one format")
    parser.add_argument("--keep", type=Path, help="folder for the files that a reader failed on")
    parser.add_argument("--list", action="store_true", help="print what readers said")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    options = parser.parse_args()
    began = time.monotonic()
    outcomes = fuzz(
        options.n,
        seed=options.seed,
        only=options.only,
        keep=options.keep,
        n_workers=options.workers,
    )
    print_table(outcomes)
    for outcome in outcomes if options.list else ():
        print(f"{outcome.result}: {outcome.format} {outcome.case}: {outcome.said}")
    n_hostile, n_ran = count_runs()
    print(f"\n{n_hostile} hostile pickles: {n_hostile - n_ran} refused, {n_ran} ran code")
    n_bad = sum(outcome.result in BAD for outcome in outcomes) + n_ran
    print(f"{len(outcomes)} files in {time.monotonic() - began:.0f} s, {n_bad} failures")
    return int(n_bad > 0)


def fuzz(
    n: int,
    *,
    seed: int = 0,
    only: str | None = None,
    keep: Path | None = None,
    n_workers: int = 1,
) -> list[Outcome]:
    """Make and read `n` mutated files, spread evenly over the formats."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="phosphene-fuzz-") as name:
        root = Path(name).resolve()
        samples = write_samples(root / "samples")
        if only is not None:
            samples = {only: samples[only]}
        for sample in samples.values():
            for mutated in sample.mutated:
                sample.read(sample.folder / mutated)  # sound so far; imports what readers need
        platform.processor()  # asks another program once, where h5py is imported
        cases = [(list(samples)[i % len(samples)], i // len(samples)) for i in range(n)]
        pool = [Worker(samples, root / f"worker{k}") for k in range(n_workers)]
        outcomes: list[Outcome] = []
        try:
            waiting = list(reversed(cases))
            while waiting or any(worker.busy for worker in pool):
                for worker in pool:
                    if not worker.busy and waiting:
                        format_, number = waiting.pop()
                        worker.start(format_, number, seed=seed)
                ready = [worker.pipe for worker in pool if worker.busy]
                multiprocessing.connection.wait(ready, timeout=0.2)
                for worker in pool:
                    if worker.busy and (outcome := worker.poll()) is not None:
                        outcomes.append(outcome)
                        if keep is not None and outcome.result in BAD:
                            worker.keep(keep, outcome)
        finally:
            for worker in pool:
                worker.stop()
    return sorted(outcomes, key=lambda outcome: (outcome.format, outcome.case))


class Worker:
    """A process that mutates and reads files, one after the other."""

    def __init__(self, samples: dict[str, Sample], folder: Path) -> None:
        self.samples, self.folder = samples, folder
        self.busy: tuple[str, str, float] | None = None
        self._fork()

    def _fork(self) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, other = context.Pipe()
        self.process = context.Process(
            target=_work, args=(other, self.samples, self.folder), daemon=True
        )
        self.process.start()
        other.close()

    def start(self, format_: str, number: int, *, seed: int) -> None:
        """Make a case and send it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        sample = self.samples[format_]
        rng = np.random.default_rng([seed, number, *format_.encode()])
        path, what = make_case(sample, self.folder / sample.folder.name, number, rng)
        self.busy = format_, f"{number:04d} {path.name}: {what}", time.monotonic()
        self.pipe.send_bytes(f"{format_}\n{path}".encode())

    def poll(self) -> Outcome | None:
        """Return what became of the file, None while that is open."""
        assert self.busy is not None
        format_, case, began = self.busy
        seconds = time.monotonic() - began
        if self.pipe.poll():
            try:
                result, said, megabytes, took = self.pipe.recv_bytes().decode().split("\n", 3)
                self.busy = None
                return Outcome(format_, case, result, said, float(took), float(megabytes))
            except EOFError:
                self.process.join()
                return self._lost("crash", f"exit code {self.process.exitcode}", seconds)
        if seconds > MAX_SECONDS:
            self.process.kill()
            self.process.join()
            return self._lost("hang", f"longer than {MAX_SECONDS:g} s", seconds)
        return None

    def keep(self, folder: Path, outcome: Outcome) -> None:
        """Copy the case to a folder."""
        name = re.sub(r"[^\w.]+", "_", f"{outcome.format}_{outcome.case}_{outcome.result}")
        for path in filter(Path.is_fifo, list(self.folder.rglob("*"))):
            path.unlink()
        shutil.copytree(self.folder, folder / name, dirs_exist_ok=True, symlinks=True)

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def _lost(self, result: str, said: str, seconds: float) -> Outcome:
        assert self.busy is not None
        format_, case, _ = self.busy
        self.busy = None
        self.pipe.close()
        self._fork()
        return Outcome(format_, case, result, said, seconds, 0.0)


def _work(pipe, samples: dict[str, Sample], folder: Path) -> None:
    """Read what comes through the pipe and send back what became of it."""
    os.environ["OMP_NUM_THREADS"] = "1"
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    warnings.simplefilter("ignore")
    faulthandler.disable()  # a crash is reported in the table
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = _status("VmSize") + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    noticed: list[str] = []
    sys.addaudithook(_auditor(folder, noticed))
    while True:
        try:
            format_, path = pipe.recv_bytes().decode().split("\n", 1)
        except EOFError:
            return
        noticed.clear()
        _forget_peak()
        before, began = _status("VmRSS"), time.monotonic()
        result, said = _read(samples[format_], Path(path))
        took, peak = time.monotonic() - began, (_status("VmHWM") - before) / 1e6
        if peak > MAX_MEGABYTES:
            result, said = "memory", f"{peak:.0f} MB"
        if noticed:
            result, said = "code", "; ".join(noticed[:3])
        said = said.replace("\n", "\\n")
        pipe.send_bytes(f"{result}\n{said}\n{peak}\n{took}".encode(errors="replace"))


def _read(sample: Sample, path: Path) -> tuple[str, str]:
    try:
        sample.read(path)
    except MemoryError as error:
        return "memory", f"MemoryError: {error}"
    except (ValueError, OSError) as error:
        text = str(error)
        one = "\n" not in text and len(text) <= MAX_SENTENCE
        phrased = isinstance(error, OSError) or re.fullmatch(r".+[;.] .+[.?]", text) is not None
        ours = type(error).__name__ in ("ValueError", "WrongUseError") or isinstance(error, OSError)
        if "memory" in text.lower():
            return "memory", text
        return (
            "refused" if one and ours and phrased else "crash"
        ), f"{type(error).__name__}: {text}"
    except BaseException as error:
        return "crash", f"{type(error).__name__}: {error}"
    return "read", ""


def _auditor(folder: Path, noticed: list[str]):
    """Return an audit hook that notices what no reader has to do."""
    running = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")
    starting = (*running, "subprocess.Popen", "pty.spawn", "socket.connect", "pickle.find_class")
    changing = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.symlink")
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    own = (str(folder), str(folder.parent / "tmp"), "/proc/self/clear_refs", os.devnull)

    def audit(event: str, arguments: tuple) -> None:
        if event in starting:
            noticed.append(f"{event} {arguments!r:.100}")
        elif event == "exec" and not _is_import():
            name = getattr(arguments[0], "co_filename", "")
            if name.startswith("<"):
                noticed.append(f"exec {name}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            mode, flags = arguments[1] or "", arguments[2] or 0
            if (set(mode) & set("wax+") or flags & writing) and not _is_import():
                _notice(event, arguments[0])
        elif event in changing and not _is_import():
            _notice(event, arguments[0])

    def _notice(event: str, name) -> None:
        if not os.fsdecode(name).startswith(own):
            noticed.append(f"{event} {name!r:.100}")

    return audit


def _is_import() -> bool:
    """Say whether Python itself is at work: a module that is first needed now.

    In tests also jaxtyping and beartype, which make a function's check from its annotations at its
    first use.
    """
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if (
            name.startswith("<frozen importlib")
            or name.endswith(("/dataclasses.py", "/collections/__init__.py"))
            or "/beartype/" in name
            or "/jaxtyping/" in name
        ):
            return True
        frame = frame.f_back
    return False


def _status(name: str) -> int:
    """Return a figure of /proc/self/status in bytes."""
    with Path("/proc/self/status").open() as file:
        line = next((line for line in file if line.startswith(name)), "0 0")
    return int(line.split()[1]) * 1024


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def print_table(outcomes: list[Outcome]) -> None:
    """Print a line per format, then one per failure."""
    heads = ("files", *GOOD, *BAD)
    print(f"{'format':<15}" + "".join(f"{h:>9}" for h in heads) + f"{'slowest':>10}{'memory':>10}")
    for format_ in dict.fromkeys(outcome.format for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.format == format_]
        counts = Counter(outcome.result for outcome in own)
        numbers = "".join(f"{n:>9}" for n in (len(own), *(counts[h] for h in heads[1:])))
        slowest, most = max(o.seconds for o in own), max(o.megabytes for o in own)
        print(f"{format_:<15}{numbers}{slowest:>8.2f} s{most:>7.0f} MB")
    for outcome in outcomes:
        if outcome.result in BAD:
            print(f"{outcome.result}: {outcome.format} {outcome.case}: {outcome.said[:300]}")


if __name__ == "__main__":
    sys.exit(main())
