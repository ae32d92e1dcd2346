"""Progress for people: a bar with time left on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Mapping
from io import TextIOBase
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

Stream = TextIO | TextIOBase
SECONDS_BETWEEN_LINES = 10.0


def open_progress(stream: Stream | None = None) -> "BarProgress | LineProgress":
    """Return a bar where the stream is a terminal, plain lines elsewhere.

    Parameters
    ----------
    stream
        Where progress goes; standard error if None, so that results can be piped.
    """
    chosen = sys.stderr if stream is None else stream
    return BarProgress(chosen) if chosen.isatty() else LineProgress(chosen)


class LineProgress:
    """Write at most one line every few seconds, with the last values and the time left."""

    def __init__(self, stream: Stream, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._last_line = float("-inf")
        self._stage, self._total, self._started = "", 0, 0.0
        self._first: tuple[int, float] | None = None

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        self._stage, self._total, self._started = stage, total, self._clock()
        self._first = None
        self._write("started")

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Tell that `step` steps are done, with the values worth seeing."""
        parts = [f"{step}/{self._total}", *(f"{key} {value:.4g}" for key, value in values.items())]
        if self._first is None:
            self._first = step, self._clock()  # a resumed stage begins far above 0
        n_seen = step - self._first[0]
        if n_seen > 0:
            elapsed = self._clock() - self._first[1]
            parts.append(f"{_duration(elapsed * (self._total - step) / n_seen)} left")
        self._write(", ".join(parts))

    def finish(self) -> None:
        """End the stage; where none runs there is nothing to tell."""
        if self._stage:
            self._write(f"done in {_duration(self._clock() - self._started)}")
        self._stage = ""

    def _write(self, text: str) -> None:
        now = self._clock()
        if now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        print(f"{self._stage}: {text}", file=self._stream, flush=True)


class BarProgress:
    """Draw one bar per stage; finished bars stay above the running one."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of `total` steps."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed
        from rich.progress import TimeRemainingColumn as Remaining

        self.finish()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            Elapsed(),
            Remaining(),
            TextColumn("[dim]{task.fields[values]}"),
            console=Console(file=cast(TextIO, self._stream)),
        )
        self._task = self._bar.add_task(stage, total=total, values="")
        self._bar.start()

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Move the bar to `step` and show the values beside it."""
        if self._bar is None or self._task is None:
            return
        text = "  ".join(f"{key} {value:.4g}" for key, value in values.items())
        self._bar.update(self._task, completed=step, values=text)

    def finish(self) -> None:
        """Stop drawing; the bar stays."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
