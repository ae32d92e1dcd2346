"""From pictures to scores: classifier, baselines, learning rates, speeds, and the systems."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from phosphene.experiment.restoration import classifier, drawing, speed
from phosphene.experiment.restoration.bundles import SPEC, save_bundle, write_card
from phosphene.experiment.restoration.pictures import (
    FOLD,
    Pictures,
    describe_pictures,
    prepare_pictures,
)
from phosphene.experiment.restoration.plan import RestorationPlan, Restoring, SystemPlan
from phosphene.experiment.restoration.scoring import SYSTEMS, score_run
from phosphene.experiment.restoration.settings import RestorationSettings
from phosphene.experiment.restoration.tuning import tune
from phosphene.experiment.traces import note_network
from phosphene.experiment.watch import Attended, Watch
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE, Devices
from phosphene.training.loop import fit
from phosphene.training.progress import Progress, SilentProgress
from phosphene.training.seeding import derive_seed

BASELINES = "baselines"
"""The stage after which there are scores; those of the systems are made at the end."""
TUNING = "tuning"
N_RECORDS = 500
"""Records of a system's loss curve up to equally many iterations, at most."""


@dataclass(frozen=True, kw_only=True)
class Course(Attended):
    """What every stage of one run needs to know."""

    plan: RestorationPlan
    settings: RestorationSettings
    pictures: Pictures

    @property
    def watch(self) -> Watch:
        """Who is told about trainings."""
        return self.watch_fold(FOLD)

    def checkpoints(self, stage: str) -> Path:
        """Return the folder of a stage's checkpoints."""
        return self.run.fold(FOLD) / drawing.slug(stage)


def train(
    plan: RestorationPlan,
    settings: RestorationSettings,
    *,
    data: Path,
    run: RunDir,
    on_stage: Callable[[str], None] = lambda stage: None,
    progress: Progress | None = None,
    devices: Devices = ALONE,
) -> list[Score]:
    """Tune and train the systems, restore the same test pictures with each, and score them.

    All systems are trained for equally many iterations; then all but the slowest go on until each
    has had as much time as it. Both states restore the test pictures. Stages whose results are on
    disk are not repeated, so an interrupted run goes on.

    Parameters
    ----------
    plan
        The recipe's systems.
    settings
        The recipe's settings.
    data
        Folder of pictures, or data set folder with some.
    run
        Run folder, new or to be resumed.
    on_stage
        Called after each stage is on disk.
    progress
        Told how far training is.
    devices
        The process that trains; restoration trains on one.
    """
    torch.set_flush_denormal(True)
    pictures = prepare_pictures(settings, data)
    describe_pictures(run, pictures, settings)
    course = Course(
        plan=plan,
        settings=settings,
        pictures=pictures,
        run=run,
        progress=progress or SilentProgress(),
        devices=devices,
        on_stage=on_stage,
    )

    score = partial(_write_scores, run)
    judge = train_judge(course)
    with course.timed(BASELINES):
        drawing.write_baselines(run, settings, pictures, judge)
    course.finish(BASELINES, score)
    systems = plan_systems(course)
    course.finish(TUNING)
    for system, described in zip(plan.systems, systems, strict=True):
        train_system(course, system, described, judge)
        course.finish(system.name)
    for system, described in zip(plan.systems, systems, strict=True):
        go_on(course, system, described, judge)
    return course.finish("done", score, finished=True)


def evaluate(
    settings: RestorationSettings, *, run: RunDir, progress: Progress | None = None
) -> list[Score]:
    """Score a run again from the arrays in its folder."""
    del settings, progress
    return _write_scores(run)


def _write_scores(run: RunDir) -> list[Score]:
    scores = score_run(run)
    run.write_json("scores.json", scores_to_json(scores))
    write_card(run, scores)
    return scores


def train_judge(course: Course) -> ClassifierStep | None:
    """Train the classifier, and let it name the classes of the test pictures."""
    with course.timed(classifier.STAGE):
        judge = classifier.train_judge(
            course.settings,
            course.pictures,
            watch=course.watch,
            checkpoints=course.checkpoints(classifier.STAGE),
        )
    if judge is not None:
        note_network(course.run, classifier.STAGE, judge.network, digest=True)
        classifier.classify_test(course.run, judge)
    return judge


def plan_systems(course: Course) -> list[dict[str, Any]]:
    """Tune the learning rate of each system and find how many iterations take equal time.

    Written to systems.json once; a resumed run keeps to it.
    """
    run, settings, plan = course.run, course.settings, course.plan
    if run.has(SYSTEMS):
        return run.read_json(SYSTEMS)
    tuned = {}
    for system in plan.systems:
        with course.timed(f"{system.name}: tuning"):
            tuned[system.name] = tune(
                settings, system, course.pictures, run=run, watch=course.watch
            )
    with course.timed("speed"):
        seconds = speed.measure_speeds(settings, plan.systems, course.pictures, run=run)
    iterations = speed.equal_time_iterations(settings, plan.systems, seconds)
    systems = []
    for system in plan.systems:
        trials = tuned[system.name]
        step = make_step(course, system, trials.rate)
        for name, part in step.parts.items():
            label = system.name if name == "network" else f"{system.name}: {name}"
            note_network(run, label, part)
        network = step.parts["network"]
        systems.append(
            {
                "name": system.name,
                "slug": drawing.slug(system.name),
                "iterations": settings.iterations,
                "iterations_equal_time": iterations[system.name],
                "seconds_per_iteration": seconds[system.name],
                "n_parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
                "learning_rate": trials.rate,
                "tuning": trials.to_json(settings),
            }
        )
    run.write_json(SYSTEMS, systems)
    return systems


def make_step(course: Course, system: SystemPlan, rate: float) -> Restoring:
    """Build a system for its one long training."""
    return system.make(
        course.pictures,
        lr=rate,
        seed=derive_seed(course.settings.seed, "system", system.name),
        n_steps=course.settings.iterations,
    )


def train_system(
    course: Course, system: SystemPlan, described: dict[str, Any], judge: ClassifierStep | None
) -> None:
    """Train a system for as many iterations as all and restore the test pictures."""
    file = drawing.iterations_file(system.name)
    if course.run.has(file):
        return
    step = make_step(course, system, described["learning_rate"])
    with course.timed(system.name):
        fit_system(course, system, step, n_steps=described["iterations"])
    drawing.write_system(course.run, file, step.sampler, judge)


def go_on(
    course: Course, system: SystemPlan, described: dict[str, Any], judge: ClassifierStep | None
) -> None:
    """Train a system until it has had as much time as the slowest; give the main one away."""
    file = drawing.time_file(system.name)
    main = system is course.plan.main
    if course.run.has(file) and (not main or course.run.has(SPEC)):
        return
    step = make_step(course, system, described["learning_rate"])
    with course.timed(f"{system.name}: equal time"):
        fit_system(course, system, step, n_steps=described["iterations_equal_time"])
    if main:
        save_bundle(course.run, course.plan, course.pictures, step.sampler)
    drawing.write_system(course.run, file, step.sampler, judge)


def fit_system(course: Course, system: SystemPlan, step: Restoring, *, n_steps: int) -> None:
    """Run a system's train step from where it stopped."""
    seed = derive_seed(course.settings.seed, "system", system.name)
    pictures, settings = course.pictures, course.settings
    fit(
        step,
        pictures.batches(pictures.train, batch=settings.batch, seed=seed),
        n_steps=n_steps,
        stage=system.name,
        checkpoints=course.checkpoints(system.name),
        resume=True,
        log=course.watch.record,
        log_every=max(1, settings.iterations // N_RECORDS),
        progress=course.progress,
    )
