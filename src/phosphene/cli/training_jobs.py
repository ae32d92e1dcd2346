"""Trainings of a series: in this process, or several side by side in processes of their own."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phosphene.experiment.threads import thread_settings
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir

if TYPE_CHECKING:
    from phosphene.training.progress import Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One training of a series."""

    recipe: Recipe
    preset: str
    config: Any
    folder: Path
    variant: str = ""
    """Name in the table; empty for recipe and preset."""

    @property
    def finished(self) -> bool:
        """Whether its run folder says that it ended."""
        run = RunDir(self.folder)
        return run.has("scores.json") and run.has("state.json") and bool(
            run.read_json("state.json").get("finished")
        )  # fmt: skip


Shares = Callable[[Planned, Planned], bool]
"""Whether a run may copy its recipe's shared stages from another that is finished."""


class Account:
    """What is done, what failed and how long it took; a line is printed before each run."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        self.planned = list(planned)
        self.failures: list[tuple[str, str]] = []
        """Names of runs that failed, with the reason."""
        self._timed: dict[str, list[float]] = {}
        self._begun: list[Planned] = []

    def skip(self, one: Planned) -> None:
        """Tell that a run need not be trained."""
        print(f"{self._number(one)} is finished already", flush=True)

    def begin(self, one: Planned) -> None:
        """Tell that a run begins, what is done and what is left, itself included."""
        left = [p for p in self.planned if not p.finished and p.folder.name not in self._failed]
        running = [p for p in self._begun if p in left]
        n_done = len(self.planned) - len(left) - len(self.failures)
        state = f"{n_done} done, {len(left)} to do{self._estimate(left, len(running) + 1)}"
        failed = f", {len(self.failures)} failed" if self.failures else ""
        beside = f", {len(running)} of them running" if running else ""
        print(f"{self._number(one)}: {state}{beside}{failed}", flush=True)
        self._begun.append(one)

    def end(self, one: Planned, seconds: float, error: str | None) -> None:
        """Keep how a run ended."""
        self._begun.remove(one)
        if error is None:
            self._timed.setdefault(_kind(one), []).append(seconds)
            return
        self.failures.append((one.folder.name, error))
        print(f"{self._number(one)}: {error}", file=sys.stderr)

    @property
    def _failed(self) -> set[str]:
        return {name for name, _ in self.failures}

    def _number(self, one: Planned) -> str:
        place = self.planned.index(one) + 1
        return f"run {place} of {len(self.planned)}  {one.folder.name}"

    def _estimate(self, left: Sequence[Planned], n_abreast: int) -> str:
        """Return the time that is left in words; runs of a kind not timed yet take the mean."""
        every = [seconds for some in self._timed.values() for seconds in some]
        if not every:
            return ""
        means = {kind: sum(some) / len(some) for kind, some in self._timed.items()}
        total = sum(means.get(_kind(one), sum(every) / len(every)) for one in left) / n_abreast
        if total < 90:
            return f", about {total:.0f} s"
        return f", about {total / 60:.0f} min" if total < 5400 else f", about {total / 3600:.1f} h"


def train_planned(
    one: Planned, *, data: Path, source: Planned | None, progress: "Progress | None" = None
) -> str | None:
    """Train one run, or go on with it, and return why it failed; None where it did not.

    Parameters
    ----------
    one
        What to train.
    data
        Data set folder.
    source
        Finished run that shared stages are copied from.
    progress
        Told how far training is; lines or bars on standard error if None.
    """
    from phosphene.cli.shared_stages import sharing
    from phosphene.cli.train import train_recipe

    recipe = one.recipe if source is None else sharing(one.recipe, RunDir(source.folder))
    try:
        train_recipe(
            recipe,
            one.preset,
            config=one.config,
            data=data,
            out=one.folder,
            resume=one.folder.exists(),
            progress=progress,
        )
    except (ValueError, ArithmeticError, OSError) as error:
        return str(error)
    except Exception as error:  # hours of other runs must not be lost to one defect
        logger.debug("Reason:", exc_info=True)
        return f"unexpected {type(error).__name__}: {error}"
    return None


def train_in_turn(
    waiting: Sequence[Planned], *, data: Path, shares: Shares, account: Account
) -> None:
    """Train runs one after the other in this process."""
    for one in waiting:
        account.begin(one)
        began = time.monotonic()
        error = train_planned(one, data=data, source=_source(one, account.planned, shares))
        account.end(one, time.monotonic() - began, error)


def train_side_by_side(
    waiting: Sequence[Planned], *, data: Path, shares: Shares, account: Account, jobs: int
) -> None:
    """Train runs in processes of their own, so many at a time.

    A run waits while one that it could copy stages from is in training. Each process has as many
    threads as cores are there for it, whatever the environment says.
    """
    left = list(waiting)
    running: dict[Connection, _Running] = {}
    try:
        while left or running:
            for one in list(left):
                source = _source(one, account.planned, shares)
                held = source is None and any(shares(one, r.planned) for r in running.values())
                if len(running) == jobs or held:
                    continue
                left.remove(one)
                account.begin(one)
                started = _start(one, data=data, source=source, jobs=jobs)
                running[started.answer] = started
            for answer in wait(list(running)):
                ended = running.pop(answer)  # pyright: ignore[reportArgumentType]
                account.end(ended.planned, time.monotonic() - ended.began, ended.error())
    finally:
        for each in running.values():
            each.process.terminate()
        for each in running.values():
            each.process.join()


def _source(one: Planned, planned: Sequence[Planned], shares: Shares) -> Planned | None:
    others = (other for other in planned if other is not one and shares(one, other))
    return next((other for other in others if other.finished), None)


def _kind(one: Planned) -> str:
    return f"{one.recipe.key}/{one.variant}"


@dataclass(frozen=True, kw_only=True)
class _Running:
    """A run in training, and where its process says how it ended."""

    planned: Planned
    process: Any
    answer: Connection
    began: float

    def error(self) -> str | None:
        """Return why the run failed, None where it did not, once the process has ended."""
        try:
            found = self.answer.recv()
        except EOFError:
            self.process.join()
            return (
                f"its process must end by itself; it ended with code {self.process.exitcode}. "
                "Call the command again with fewer --jobs if memory ran out."
            )
        self.process.join()
        return found


def _start(one: Planned, *, data: Path, source: Planned | None, jobs: int) -> _Running:
    import multiprocessing

    from phosphene.cli.machine import count_cores

    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    n_threads = max(1, count_cores().usable // jobs)
    answer, tell = context.Pipe(duplex=False)
    work = (tell, one, data, source, n_threads)
    process = context.Process(target=_work, args=work, name=one.folder.name)
    with thread_settings(n_threads):
        process.start()
    tell.close()
    return _Running(planned=one, process=process, answer=answer, began=time.monotonic())


def _work(
    tell: Connection, one: Planned, data: Path, source: Planned | None, n_threads: int
) -> None:
    """Train in a process of its own and tell how it ended; its log.jsonl tells how far it is."""
    import torch

    from phosphene.training.progress import SilentProgress

    torch.set_num_threads(n_threads)
    with suppress(KeyboardInterrupt):  # the process that started this one says what to do
        tell.send(train_planned(one, data=data, source=source, progress=SilentProgress()))
