"""The fit loop. It knows steps and batches, no data set and no architecture."""

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.training.batches import Batches
from phosphene.training.checkpoint import (
    collect_state,
    latest_checkpoint,
    load_newest_checkpoint,
    remove_unfinished,
    restore_state,
    save_checkpoint,
)
from phosphene.training.devices import Devices
from phosphene.training.progress import Progress, SilentProgress


@runtime_checkable
class TrainStep(Protocol):
    """One update of one or more networks."""

    devices: Devices
    """The processes that train together; `ALONE` for one."""

    @property
    def parts(self) -> Mapping[str, Any]:
        """All that changes from step to step: modules, optimisers, averages, `torch.Generator`s."""
        ...

    def __call__(self, batch: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
        """Update the networks on a batch; return numbers to log, "loss" among them."""
        ...


def fit(
    step: TrainStep,
    batches: Batches,
    *,
    n_steps: int,
    stage: str = "train",
    checkpoints: Path | None = None,
    checkpoint_every: int = 500,
    resume: bool = False,
    log: Callable[[dict[str, Any]], None] | None = None,
    log_every: int = 50,
    progress: Progress | None = None,
) -> None:
    """Call a step on batch after batch.

    A run that was interrupted and resumed ends with the same weights, bit for bit, as one that was
    not, provided that the step draws only from generators among its parts. Records that an
    interrupted run wrote after its last checkpoint are written again when resumed: the last one of
    a step counts.

    On several devices each process calls this with an equal step and equal batches; the first one
    writes checkpoints and records. A run may go on with another number of devices.

    Parameters
    ----------
    step
        Update to repeat.
    batches
        Batch of each step.
    n_steps
        Steps in all, those before an interruption included.
    stage
        Name of this training in records and progress.
    checkpoints
        Folder for checkpoints; none are written without.
    checkpoint_every
        Steps between checkpoints; one more is written at the end.
    resume
        Go on from the newest checkpoint of the folder, from the start if there is none.
    log
        Receives a record {"stage", "step", "loss", ...} with means since the last record.
    log_every
        Steps between records and progress updates.
    progress
        Told how far training is.

    Raises
    ------
    ValueError
        If the folder holds checkpoints and `resume` is off, the newest is beyond `n_steps`, or all
        are damaged.
    FloatingPointError
        If a logged value stops being finite; checkpoints from before remain.
    """
    check_positive("n_steps", n_steps)
    # Denormal numbers make LSTMs on long signals ten times slower.
    torch.set_flush_denormal(True)
    devices = step.devices
    if not devices.first:
        log = progress = None
    progress = progress or SilentProgress()
    start = _resume(step, checkpoints, n_steps, resume=resume)
    progress.start(stage, n_steps)
    recent: dict[str, list[Tensor]] = {}
    networks = [part for part in step.parts.values() if isinstance(part, nn.Module)]
    with devices.joined(networks):
        for done in range(start + 1, n_steps + 1):
            values = step(batches(done - 1))
            for name, value in values.items():
                recent.setdefault(name, []).append(value.detach())
            reports = done % log_every == 0 or done == n_steps
            saves = done % checkpoint_every == 0 or done == n_steps
            if reports or saves:
                means = {name: float(torch.stack(some).mean()) for name, some in recent.items()}
                means = devices.mean_values(means)
                _check_finite(means, stage, done)  # on all processes, and before anything is kept
            if reports:
                if log is not None:
                    log({"stage": stage, "step": done, **means})
                progress.update(done, means)
                recent = {}
            if checkpoints is not None and saves and devices.first:
                save_checkpoint(checkpoints, collect_state(step.parts), step=done)
    progress.finish()


def _resume(step: TrainStep, checkpoints: Path | None, n_steps: int, *, resume: bool) -> int:
    """Restore the newest checkpoint and return its step, 0 if there is none."""
    if checkpoints is None:
        return 0
    found = _find(checkpoints, n_steps, resume=resume) if step.devices.first else None
    found = step.devices.agree(found)
    if found is None:
        return 0
    start, state = found
    restore_state(step.parts, state)
    return start


def _find(checkpoints: Path, n_steps: int, *, resume: bool) -> tuple[int, dict[str, Any]] | None:
    """Load the newest checkpoint, and clear away what a write that was cut off left."""
    newest = latest_checkpoint(checkpoints)
    if newest is not None and not resume:
        raise ValueError(
            f"a new training must start in a folder without checkpoints; got {newest.name} in "
            f"{newest.parent.name}. Resume it, or choose another folder."
        )
    remove_unfinished(checkpoints)
    found = load_newest_checkpoint(checkpoints)
    if found is not None and found[0] > n_steps:
        raise ValueError(
            f"`n_steps` must be at least the {found[0]} steps of the newest checkpoint; got "
            f"{n_steps}. Resume with the settings of the interrupted run."
        )
    return found


def _check_finite(values: Mapping[str, float], stage: str, step: int) -> None:
    for name, value in values.items():
        if not isfinite(value):
            raise FloatingPointError(
                f"training must keep every value finite; {stage} got {name} = {value} by step "
                f"{step}. Lower the learning rate, or check the input for extreme values."
            )
