"""Training and scoring of a recipe by its plan; nothing here loads torch before it is called.

A recipe hands these two on as its own, with `make_plan` filled in by `functools.partial`. They are
functions of modules, so that recipes can be pickled.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from phosphene.experiment.settings import ExperimentSettings
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.progress import Progress

if TYPE_CHECKING:
    from phosphene.training.devices import Devices

Settings = TypeVar("Settings")


def train(
    settings: Any,
    *,
    make_plan: Callable[[Any], Any],
    course: str = "phosphene.experiment.course",
    data: Path,
    run: RunDir,
    resume: bool = False,
    on_stage: Callable[[str], None] = lambda stage: None,
    progress: Progress | None = None,
    devices: "Devices | None" = None,
) -> list[Score]:
    """Train what a plan describes, and score all of it.

    Parameters
    ----------
    settings
        The recipe's settings.
    make_plan
        From them to the recipe's plan.
    course
        Module whose `train` knows what to do with such a plan.
    data, run, on_stage, progress
        See the `train` of the course.
    resume
        Says nothing new: a new run finds nothing on disk, a resumed one finds what is done.
    devices
        Processes that train together; None is this one alone.
    """
    from phosphene.training.devices import ALONE

    del resume
    return import_module(course).train(
        make_plan(settings),
        settings,
        data=data,
        run=run,
        on_stage=on_stage,
        progress=progress,
        devices=devices or ALONE,
    )


def evaluate(
    run: RunDir,
    progress: Progress | None = None,
    *,
    make_plan: Callable[[Any], Any],
    settings_class: type[ExperimentSettings],
) -> list[Score]:
    """Score a run again from the arrays in its folder.

    Parameters
    ----------
    run
        Run folder with the settings that it was trained with.
    progress
        Told how far it is.
    make_plan
        From settings to the recipe's `Plan`.
    settings_class
        The recipe's Config.
    """
    from phosphene.experiment import course

    settings = stored_settings(run, settings_class)
    return course.evaluate(make_plan(settings), settings, run=run, progress=progress)


def planned(
    run: RunDir, *, make_plan: Callable[[Any], Any], settings_class: type[Settings]
) -> tuple[Any, Settings]:
    """Return the plan and the settings that a run was trained with.

    Parameters
    ----------
    run
        Run folder.
    make_plan
        From settings to the recipe's `Plan`.
    settings_class
        The recipe's Config.
    """
    settings = stored_settings(run, settings_class)
    return make_plan(settings), settings


def stored_settings(run: RunDir, settings_class: type[Settings]) -> Settings:
    """Return the settings that a run was trained with; JSON has lists for their tuples."""
    stored: dict[str, Any] = run.read_json("config.json")["config"]
    for name, value in stored.items():
        if isinstance(value, list):
            stored[name] = tuple(value)
    return settings_class(**stored)
