"""What a recipe folder exports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phosphene._checks import check_option

TASKS = ("signal to picture", "signal to class", "picture to signal", "picture to picture")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One published system: metadata without torch, and two functions that import it inside."""

    key: str
    """Name of its folder: what `phosphene train` is called with."""
    title: str
    task: str
    """One of `TASKS`."""
    paper: str
    """Authors, venue, year."""
    url: str
    wants: str
    """The data it trains on, in one line."""
    presets: Mapping[str, Callable[[], Any]]
    """Name to a function that returns the recipe's Config."""
    published: Mapping[str, Any]
    """Published numbers as published: name of the number to its value."""
    train: Callable[..., list]
    """`train(config, *, data, run, resume, on_stage, progress) -> list[Score]`.

    `data: Path`, `run: RunDir`, `resume: bool`, `on_stage(stage: str)` is called after each
    stage is on disk, `progress` has `start(stage, total)`, `update(step, values)`, `finish()`.
    With `several_devices` there may be one more: `devices`, the processes that train together.
    """
    evaluate: Callable[..., list]
    """`evaluate(run, progress) -> list[Score]`: score a finished run again."""
    several_devices: bool = False
    """Whether `train` takes `devices`."""
    module_folder: Path
    """Where its README.md and results.json lie."""

    def __post_init__(self) -> None:
        check_option("task", self.task, TASKS)

    def config(self, preset: str) -> Any:
        """Return the settings of a preset."""
        check_option("preset", preset, self.presets)
        return self.presets[preset]()
