"""What a recipe folder exports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
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
    """Of the paper; "" where there is none."""
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
    plan: Callable[..., tuple[Any, Any]] | None = None
    """`plan(run) -> (Plan, settings)` of a run folder, for controls that load or train its encoder
    again; None where the recipe has no `experiment.plan.Plan`."""
    suggested: bool = False
    """Whether it is named first to those who have data and ask what to do with them."""
    several_devices: bool = False
    """Whether `train` takes `devices`."""
    ablations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Name of a variant to the fields of a preset's Config that it changes, with their values."""
    shared_stages: tuple[str, ...] = ()
    """Files and folders of folds/KEY/ that no field of an ablation bears on, such as "encoder" or
    "decoding.npz": variants that share everything else can copy them instead of making them again.
    """
    module_folder: Path
    """Where its README.md and results.json lie."""

    def __post_init__(self) -> None:
        check_option("task", self.task, TASKS)
        for stage in self.shared_stages:
            if not stage or stage == ".." or Path(stage).name != stage:
                raise ValueError(
                    f"a shared stage must be a plain name inside a fold's folder; {self.key} has "
                    f"{stage!r}. Name the file or folder itself."
                )

    def variants(self, config: Any) -> dict[str, Any]:
        """Return the settings of each ablation, derived from those of a preset.

        Raises
        ------
        ValueError
            If an ablation changes a field that the settings lack, or gives it a refused value.
        """
        known = [each.name for each in fields(config)] if self.ablations else []
        for name, changes in self.ablations.items():
            for changed in changes:
                check_option(f"field of the ablation {name}", changed, known)
        return {name: replace(config, **changes) for name, changes in self.ablations.items()}

    def config(self, preset: str) -> Any:
        """Return the settings of a preset."""
        check_option("preset", preset, self.presets)
        return self.presets[preset]()
