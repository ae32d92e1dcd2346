"""Training and scoring of a recipe by its plan; nothing here loads torch before it is called.

As `phosphene.experiment.planned_course`, for recipes from pictures to signals.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phosphene.experiment.planned_course import stored_settings
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.progress import Progress

if TYPE_CHECKING:
    from phosphene.training.devices import Devices


def train(
    settings: ResponseSettings,
    *,
    make_plan: Callable[[Any], Any],
    data: Path,
    run: RunDir,
    resume: bool = False,
    on_stage: Callable[[str], None] = lambda stage: None,
    progress: Progress | None = None,
    devices: "Devices | None" = None,
) -> list[Score]:
    """Train autoencoders and systems, make windows of each, and score them.

    Parameters
    ----------
    settings
        The recipe's settings.
    make_plan
        From them to the recipe's `ResponsePlan`.
    data, run, on_stage, progress
        See `course.train`.
    resume
        Says nothing new: a new run finds nothing on disk, a resumed one finds what is done.
    devices
        Processes that train together; None is this one alone.
    """
    from phosphene.experiment.responses import course
    from phosphene.training.devices import ALONE

    del resume
    return course.train(
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
    settings_class: type[ResponseSettings],
) -> list[Score]:
    """Score a run again from the arrays in its folder.

    Parameters
    ----------
    run
        Run folder with the settings that it was trained with.
    progress
        Told how far it is.
    settings_class
        The recipe's Config.
    """
    from phosphene.experiment.responses import course

    return course.evaluate(stored_settings(run, settings_class), run=run, progress=progress)
