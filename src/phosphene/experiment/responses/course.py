"""From a session to scores: autoencoders, systems, the windows that they make."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from phosphene.data.dataset import Dataset
from phosphene.data.inspection import evoked_responses, inspect_dataset, power_spectrum
from phosphene.data.splits import Split
from phosphene.experiment.responses import autoencoders, drawing, inception
from phosphene.experiment.responses.batches import showing_batches
from phosphene.experiment.responses.bundles import save_bundles, write_cards
from phosphene.experiment.responses.classifier import (
    Classified,
    describe_windows,
    train_classifier,
)
from phosphene.experiment.responses.plan import GeneratorStep, Pretrained, ResponsePlan, SystemPlan
from phosphene.experiment.responses.scoring import CLASSIFIER, DESCRIBED, score_run
from phosphene.experiment.responses.session import FOLD, SETS, Session, prepare_session
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.experiment.traces import note_network
from phosphene.experiment.watch import Attended, Watch
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json
from phosphene.training.devices import ALONE, Devices
from phosphene.training.loop import fit
from phosphene.training.progress import Progress, SilentProgress
from phosphene.training.seeding import derive_seed

AUTOENCODERS = "autoencoders"
"""The stage after which there are scores, of floor, noise and reconstructions; those of systems
take minutes and are made once, at the end."""


@dataclass(frozen=True, kw_only=True)
class Course(Attended):
    """What every stage of one run needs to know."""

    plan: ResponsePlan
    settings: ResponseSettings
    session: Session

    @property
    def watch(self) -> Watch:
        """Who is told about trainings."""
        return self.watch_fold(FOLD)

    def checkpoints(self, stage: str) -> Path:
        """Return the folder of a stage's checkpoints."""
        return self.run.fold(FOLD) / drawing.slug(stage)


def train(
    plan: ResponsePlan,
    settings: ResponseSettings,
    *,
    data: Path,
    run: RunDir,
    on_stage: Callable[[str], None] = lambda stage: None,
    progress: Progress | None = None,
    devices: Devices = ALONE,
) -> list[Score]:
    """Train autoencoders and systems, make windows of each for the same pictures, and score them.

    Stages whose results are on disk are not repeated, so an interrupted run goes on. A plan without
    systems trains the autoencoders alone.

    Parameters
    ----------
    plan
        The recipe's networks and train steps.
    settings
        The recipe's settings.
    data
        Data set folder.
    run
        Run folder, new or to be resumed.
    on_stage
        Called after each stage is on disk.
    progress
        Told how far training is.
    devices
        Processes that train together.
    """
    torch.set_flush_denormal(True)
    inception.check_weights(settings)
    session = prepare_session(settings, data)
    devices.check_same_data(session.dataset.data_hash)
    course = Course(
        plan=plan,
        settings=settings,
        session=session,
        run=run,
        progress=progress or SilentProgress(),
        devices=devices,
        on_stage=on_stage,
    )
    if devices.first:
        describe_session(run, session.dataset, session.split, seed=settings.seed)
        drawing.write_real(settings, session, run=run)

    score = partial(_write_scores, run, settings)
    classified = classify(course)
    pretrained = pretrain(course)
    course.finish(AUTOENCODERS, score)
    for system in plan.systems:
        train_system(course, system, pretrained, classified)
        course.finish(system.name)
    if devices.first:
        inception.describe_run(run, settings, progress=course.progress)
    scores = course.finish("done", score, finished=True)
    if devices.first:
        write_cards(run, scores)
    return scores


def evaluate(
    settings: ResponseSettings, *, run: RunDir, progress: Progress | None = None
) -> list[Score]:
    """Score a run again from the arrays in its folder.

    Where Inception weights were fetched since it was trained, its windows are described first.
    """
    inception.describe_run(run, settings, progress=progress or SilentProgress())
    scores = _write_scores(run, settings)
    write_cards(run, scores)
    return scores


def _write_scores(run: RunDir, settings: ResponseSettings) -> list[Score]:
    scores = score_run(run, settings)
    run.write_json("scores.json", scores_to_json(scores))
    return scores


def describe_session(run: RunDir, dataset: Dataset, split: Split, *, seed: int) -> None:
    """Write dataset.json, split.json, environment.json and what the figures of signals show.

    Raises
    ------
    ValueError
        When a resumed run began with other data or another split.
    """
    begun = run.has("environment.json")
    if begun and run.read_json("environment.json")["data_hash"] != dataset.data_hash:
        before = run.read_json("environment.json")["data_hash"]
        raise ValueError(
            f"a run must go on with the data it began with, hash {before}; this data set has "
            f"{dataset.data_hash}. Give the first data set, or begin a new run."
        )
    content = split.to_json()
    if run.has("split.json") and run.read_json("split.json") != content:
        raise ValueError(
            "a run must go on with the split it began with; split.json in the run folder differs "
            "from the one made now. Begin a new run."
        )
    design = {
        "unit": "stimulus",
        "reason": "pictures were divided; showings of one stand on one side",
    }
    run.write_json("dataset.json", {**inspect_dataset(dataset), "design": design})
    run.write_json("split.json", content)
    run.write_arrays("evoked.npz", evoked_responses(dataset.trials))
    run.write_arrays("spectrum.npz", power_spectrum([], dataset.trials))
    if not begun:
        run.write_environment(data_hash=dataset.data_hash, seed=seed)


def classify(course: Course) -> Classified:
    """Train the feature network, and describe the real windows and those of noise by it."""
    stage = "classifier"
    with course.timed(stage):
        classified = train_classifier(
            course.settings,
            course.session,
            watch=course.watch,
            checkpoints=course.checkpoints(stage),
        )
    if not course.devices.first:
        return classified
    note_network(course.run, stage, classified.network, digest=True)
    if course.run.has(CLASSIFIER):
        return classified
    for system in ("real", *drawing.SURROGATES):
        describe_system(course.run, system, classified.network)
    labels = np.searchsorted(classified.classes, course.session.picture[classified.heldout])
    course.run.write_arrays(
        CLASSIFIER, {"probabilities": classified.probabilities, "labels": labels}
    )
    return classified


def describe_system(run: RunDir, system: str, network: nn.Module) -> None:
    """Write what the classifier says of a system's windows."""
    file = drawing.REAL if system == "real" else drawing.generated_file(system)
    arrays = run.read_arrays(file)
    found: dict[str, np.ndarray] = {}
    for name in SETS:
        seen = describe_windows(network, arrays[name])
        found |= {f"{name}_{key}": value for key, value in seen.items()}
    run.write_arrays(DESCRIBED.format(drawing.slug(system)), found)


def pretrain(course: Course) -> Pretrained:
    """Train the autoencoders that the plan names, and write what they reconstruct."""
    plan, settings, run = course.plan, course.settings, course.run
    signals = pictures = None
    if plan.signal_autoencoder is not None:
        with course.timed("signal autoencoder"):
            signals = autoencoders.train_signal_autoencoder(
                settings, plan, course.session, run=run, watch=course.watch,
                checkpoints=course.checkpoints("signal autoencoder"),
            )  # fmt: skip
    if plan.picture_autoencoder is not None:
        with course.timed("picture autoencoder"):
            pictures = autoencoders.train_picture_autoencoder(
                settings, plan, course.session, watch=course.watch,
                checkpoints=course.checkpoints("picture autoencoder"),
            )  # fmt: skip
    if course.devices.first and signals is not None:
        note_network(run, "signal autoencoder", signals)
        if pictures is not None:
            note_network(run, "picture autoencoder", pictures)
        if not run.has(drawing.generated_file("autoencoder")):
            drawing.write_reconstructions(
                settings, course.session, signals=signals, pictures=pictures, run=run
            )
            network = classify(course).network
            describe_system(run, "autoencoder", network)
    return Pretrained(signals=signals, pictures=pictures)


def train_system(
    course: Course, system: SystemPlan, pretrained: Pretrained, classified: Classified
) -> None:
    """Train one system and make its windows, unless they are on disk."""
    settings, session, run = course.settings, course.session, course.run
    done = course.run.has(DESCRIBED.format(drawing.slug(system.name)))
    main = system is course.plan.main
    if course.devices.agree(done and (not main or run.has("bundle/spec.json"))):
        return
    seed = derive_seed(settings.seed, "system", system.name)
    begins_with = pretrained if system.pretrained else Pretrained()
    step = system.make(session, begins_with, seed)
    with course.timed(system.name):
        fit_generator(course, system, step, seed=seed)
    if not course.devices.first:
        return
    generator = step.sampler
    note_parts(run, system.name, step.parts)
    drawing.write_generated(
        settings, session, system.name, generator, uses_pictures=system.uses_pictures, run=run
    )
    if main:
        save_bundles(run, course.plan, session, system, generator, classified, settings=settings)
    describe_system(run, system.name, classified.network)


def fit_generator(course: Course, system: SystemPlan, step: GeneratorStep, *, seed: int) -> None:
    """Run a system's train step."""
    settings = course.settings
    fit(
        step,
        showing_batches(
            course.session,
            batch_size=settings.generator_batch,
            seed=seed,
            with_pictures=system.uses_pictures,
        ),
        n_steps=system.n_steps,
        stage=system.name,
        checkpoints=course.checkpoints(system.name),
        resume=True,
        log=course.watch.record,
        log_every=max(1, system.n_steps // 150),
        progress=course.progress,
    )


def note_parts(run: RunDir, system: str, parts: Any) -> None:
    """Write the sizes of a system's networks into networks.json."""
    for name in ("generator", "critic", "decoder", "encoder"):
        if name in parts:
            note_network(run, f"{system}: {name}", parts[name])
