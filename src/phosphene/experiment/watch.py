"""Who is told how a training of a fold goes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from phosphene.experiment.traces import add_time
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.devices import ALONE, Devices
from phosphene.training.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Where a training writes its records, whom it tells how far it is, and who takes part."""

    log: Callable[[Mapping[str, Any]], None]
    progress: Progress
    fold: str
    devices: Devices = ALONE

    def record(self, values: Mapping[str, Any]) -> None:
        """Append a record of the fold."""
        self.log({**values, "fold": self.fold})


@dataclass(frozen=True, kw_only=True)
class Attended:
    """A run whose stages are timed, and whose stages and trainings are told of."""

    run: RunDir
    progress: Progress
    devices: Devices = ALONE
    on_stage: Callable[[str], None] = lambda stage: None
    """Called after each stage is on disk."""

    def watch_fold(self, key: str) -> Watch:
        """Return who is told about the trainings of a fold."""
        return Watch(log=self.run.log, progress=self.progress, fold=key, devices=self.devices)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the seconds that a stage takes to the run's timings."""
        began = perf_counter()
        yield
        if self.devices.first:
            add_time(self.run, stage, perf_counter() - began)

    def finish(
        self,
        stage: str,
        score: Callable[[], list[Score]] = lambda: [],
        *,
        finished: bool = False,
    ) -> list[Score]:
        """Score, write down which stage is done, and tell of it; the first device alone.

        Parameters
        ----------
        stage
            Name of what is done.
        score
            Makes the scores that are returned; without it there are none yet.
        finished
            Whether it was the last stage.
        """
        if not self.devices.first:
            return []
        scores = score()
        self.run.write_json("state.json", {"stage": stage, "finished": finished})
        self.on_stage(stage)
        return scores
