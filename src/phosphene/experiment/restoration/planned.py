"""Training and scoring of a recipe by its plan; nothing here loads torch before it is called.

As `phosphene.experiment.planned_course`, for recipes that restore pictures.
"""

from functools import partial

from phosphene.experiment import planned_course
from phosphene.experiment.restoration.settings import RestorationSettings
from phosphene.run_dir import RunDir
from phosphene.score import Score
from phosphene.training.progress import Progress

train = partial(planned_course.train, course="phosphene.experiment.restoration.course")
"""Tune and train the systems, restore the same pictures with each, and score them."""


def evaluate(
    run: RunDir,
    progress: Progress | None = None,
    *,
    settings_class: type[RestorationSettings],
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
    from phosphene.experiment.restoration import course

    settings = planned_course.stored_settings(run, settings_class)
    return course.evaluate(settings, run=run, progress=progress)
