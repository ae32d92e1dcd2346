"""Tasks in processes of their own, so many at a time; each opens the run and the data itself."""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from time import process_time
from typing import Any

from phosphene.experiment.controls.control import Arrays, ControlNotPossibleError, Task
from phosphene.experiment.threads import thread_settings

logger = logging.getLogger(__name__)

OpenTasks = Callable[[], Mapping[str, Task]]
"""Opens run and data and returns the tasks by name; must be picklable for several processes."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a task ended."""

    name: str
    seconds: float
    """Of processor time."""
    reason: str = ""
    """Why it is not there; empty where it is."""


def work_off(
    names: Sequence[str],
    *,
    open_tasks: OpenTasks,
    keep: Callable[[str, Arrays], None],
    jobs: int,
    on_done: Callable[[Answer], None],
) -> list[Answer]:
    """Do tasks by name, in this process or in several.

    A process that finds no more work, or whose parent was killed, ends. A task that fails does not
    stop the others.

    Parameters
    ----------
    names
        Tasks to do, those that take longest first.
    open_tasks
        Called once in each process.
    keep
        Writes the arrays of a task; picklable as well.
    jobs
        Processes; 1 works in this one.
    on_done
        Hears of each task that ended.
    """
    answers: list[Answer] = []

    def note(answer: Answer) -> None:
        answers.append(answer)
        on_done(answer)

    if jobs == 1 or len(names) < 2:
        tasks = open_tasks()
        for name in names:
            note(_do(tasks[name], keep))
        return answers
    for answer in _side_by_side(list(names), open_tasks, keep, min(jobs, len(names))):
        note(answer)
    return answers


def _do(task: Task, keep: Callable[[str, Arrays], None]) -> Answer:
    began = process_time()
    try:
        keep(task.name, task.make())
        reason = ""
    except ControlNotPossibleError as error:
        reason = str(error)
    except Exception as error:  # hours of other controls must not be lost to one defect
        reason = f"it failed with {failure_words(error)}"
    return Answer(name=task.name, seconds=process_time() - began, reason=reason)


def failure_words(error: Exception) -> str:
    """Say which defect a piece of work ended with, and where; a traceback is for --debug."""
    logger.debug("Reason:", exc_info=True)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {where.name}: {error}"


def _side_by_side(
    left: list[str], open_tasks: OpenTasks, keep: Callable[[str, Arrays], None], jobs: int
) -> Iterator[Answer]:
    import multiprocessing

    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    running: dict[Connection, tuple[Any, str]] = {}
    try:
        with thread_settings(1):
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs, open_tasks, keep))
                process.start()
                theirs.close()
                running[ours] = (process, left.pop(0))
                ours.send(running[ours][1])
        while running:
            for ours in wait(list(running)):
                assert isinstance(ours, Connection)
                process, name = running.pop(ours)
                try:
                    yield ours.recv()
                except (EOFError, OSError):  # its end of the pipe is gone
                    process.join()
                    reason = f"its process ended by itself with code {process.exitcode}"
                    yield Answer(name=name, seconds=0.0, reason=reason)
                    continue
                if left:
                    running[ours] = (process, left.pop(0))
                    ours.send(running[ours][1])
                else:
                    ours.close()  # the process ends
                    process.join()
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.join()


def _serve(
    connection: Connection, open_tasks: OpenTasks, keep: Callable[[str, Arrays], None]
) -> None:
    """Do one task after the other until the other end is closed."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    with suppress(KeyboardInterrupt, EOFError, BrokenPipeError):
        tasks: Mapping[str, Task] | None = None
        while True:
            name = connection.recv()
            tasks = open_tasks() if tasks is None else tasks
            connection.send(_do(tasks[name], keep))
