"""From a data set folder to scores: load, split, encode, decode, paint, score."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phosphene.data.dataset import load_dataset
from phosphene.data.images import ImageSet
from phosphene.data.split_choice import choose_split
from phosphene.data.splits import Fold, Split
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.retrained_null import linear_null
from phosphene.evaluation.run_description import (
    blocks_of,
    describe_run,
    doubt_blocks,
    identity_arrays,
)
from phosphene.evaluation.thinning import baseline_step
from phosphene.experiment import drawing, encoding, inception, painting, pictures
from phosphene.experiment.card import bundle_spec, model_card, write_card
from phosphene.experiment.memory import Memory
from phosphene.experiment.plan import EncoderPlan, Painted, Plan
from phosphene.experiment.scoring import score_run
from phosphene.experiment.settings import ExperimentSettings
from phosphene.experiment.traces import note_network, note_speed
from phosphene.experiment.watch import Attended, Watch
from phosphene.export.bundle import save_bundle
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json
from phosphene.training.devices import ALONE, Devices
from phosphene.training.progress import Progress, SilentProgress
from phosphene.training.seeding import derive_seed

PARTS = {"decoder": "generator", "encoder": "picture_encoder"}
"""What networks.json calls parts of a train step that have another name there."""


@dataclass(frozen=True, kw_only=True)
class Course(Attended):
    """What every stage of one run needs to know."""

    plan: Plan
    settings: ExperimentSettings
    memory: Memory = field(default_factory=Memory)
    """Scores of earlier stages that still hold."""

    def watch(self, fold: Fold) -> Watch:
        """Return who is told about the trainings of a fold."""
        return self.watch_fold(fold.key)


def train(
    plan: Plan,
    settings: ExperimentSettings,
    *,
    data: Path,
    run: RunDir,
    on_stage: Callable[[str], None] = lambda stage: None,
    progress: Progress | None = None,
    devices: Devices = ALONE,
) -> list[Score]:
    """Train in every fold, draw pictures for the first ones, and score all of it.

    Stages whose results are on disk are not repeated, so an interrupted run goes on. Of several
    devices all run this and train together; the first alone writes, draws and scores.

    Parameters
    ----------
    plan
        The recipe's encoders and what draws its pictures.
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
    dataset = load_dataset(data)
    devices.check_same_data(dataset.data_hash)
    images, rows = pictures.prepare_pictures(settings, dataset)
    trials = dataset.trials
    split = make_split(settings, trials, dataset.info)
    course = Course(
        plan=plan,
        settings=settings,
        run=run,
        progress=progress or SilentProgress(),
        devices=devices,
        on_stage=on_stage,
    )
    if devices.first:
        if plan.check is not None:
            plan.check(n_classes=trials.n_classes, n_devices=devices.n)
        ids = images.table["image_id"].to_numpy()
        served = {"generator": ids[rows[0]].tolist(), "judge": ids[rows[1]].tolist()}
        describe_run(run, dataset, split, seed=settings.seed, pictures=served)

    score = partial(_write_scores, course)
    folds = split.folds[: settings.decode_folds]
    for number, fold in enumerate(folds):
        decode_fold(course, trials, fold)
        if number < settings.picture_folds:
            course.finish("pictures", score)
            paint_fold(course, trials, fold, images, rows)
    for fold in folds[: settings.null_folds]:
        decode_null(course, trials, fold)
    if devices.first:
        inception.describe_run(run, settings, progress=course.progress)
    return course.finish("done", score, finished=True)


def evaluate(
    plan: Plan, settings: ExperimentSettings, *, run: RunDir, progress: Progress | None = None
) -> list[Score]:
    """Score a run again from the arrays in its folder.

    Where Inception weights were fetched since it was trained, its pictures are described first.
    """
    course = Course(plan=plan, settings=settings, run=run, progress=progress or SilentProgress())
    inception.describe_run(run, settings, progress=course.progress)
    return _write_scores(course)


def _write_scores(course: Course) -> list[Score]:
    scores = score_run(course.run, course.plan, course.settings, course.memory)
    course.run.write_json("scores.json", scores_to_json(scores))
    write_card(course.run, scores)
    return scores


def make_split(settings: ExperimentSettings, trials: Trials, info: Any = None) -> Split:
    """Split as configured, with a doubt where a block stands on both sides of a fold."""
    split = choose_split(
        trials,
        unit=settings.split_unit,
        n_folds=settings.n_folds,
        first_folds=settings.decode_folds,
        seed=settings.split_seed,
        allow_leak=settings.allow_leak,
        info=info,
    )
    return doubt_blocks(split, trials)


def decode_fold(course: Course, trials: Trials, fold: Fold) -> None:
    """Train the encoders on a fold and decode its held-out trials, unless that is on disk."""
    run, plan = course.run, course.plan
    if course.devices.agree(run.has(f"folds/{fold.key}/decoding.npz")):
        return
    train_rows, test_rows = fold.indices(trials)
    training, test = trials.select(train_rows), trials.select(test_rows)
    seed = derive_seed(course.settings.seed, "encoder", fold.key)
    system = fold_encoder(course, plan.encoder, training, fold)
    other = None
    if plan.compared is not None:
        other = fold_encoder(course, plan.compared, training, fold)
    if not course.devices.first:
        return
    arrays = encoding.decode(system, training, test, seed=seed)
    arrays |= encoding.decode_classically(
        training, training.labels, test, riemann=course.settings.riemann
    )
    if other is not None:
        found = encoding.decode(other, training, test, seed=seed)
        arrays["compare_probe_probabilities"] = found["probe_probabilities"]
        arrays["compare_features"] = found["features"]
    note_network(run, "encoder", system.encoder)
    run.write_arrays(f"folds/{fold.key}/decoding.npz", {**arrays, **identity_arrays(test)})


def fold_encoder(
    course: Course, encoder: EncoderPlan, training: Trials, fold: Fold
) -> SignalToPicture:
    """Train an encoder of a fold, or load it from its last checkpoint."""
    main = encoder is course.plan.encoder
    stage = "encoder" if main else f"encoder {encoder.name}"
    with course.timed(stage):
        return encoder.train(
            training,
            training.labels,
            seed=derive_seed(course.settings.seed, "encoder", fold.key),
            stage=stage,
            watch=course.watch(fold),
            checkpoints=course.run.fold(fold.key) / ("encoder" if main else "compared_encoder"),
        )


def decode_null(course: Course, trials: Trials, fold: Fold) -> None:
    """Train everything again on permuted labels, unless that is on disk."""
    run, devices = course.run, course.devices
    if devices.agree(run.has(f"folds/{fold.key}/null.npz")):
        return
    train_rows, test_rows = fold.indices(trials)
    training, test = trials.select(train_rows), trials.select(test_rows)
    seed = derive_seed(course.settings.seed, "null", fold.key)
    permute = label_permuter(
        training.labels,
        recordings=training.table["recording"],
        blocks=blocks_of(training),
        unit=run.read_json("dataset.json")["design"]["unit"],
    )
    arrays = {}
    if devices.first and not run.has(f"folds/{fold.key}/linear_null.npz"):
        nulls = linear_null(
            np.asarray(training.epochs),
            np.asarray(test.epochs),
            test.labels,
            permute=permute,
            recordings=test.table["recording"],
            n_classes=trials.n_classes,
            step=baseline_step(trials.preprocessing, sfreq=trials.sfreq),
            seed=seed,
        )
        run.write_arrays(f"folds/{fold.key}/linear_null.npz", {"scores": nulls})
    if devices.first:
        labels = permute(np.random.default_rng([seed, 1]))
        arrays |= encoding.decode_classically(
            training, labels, test, riemann=course.settings.riemann
        )
    labels = permute(np.random.default_rng([seed, 2]))
    encoders = {"probabilities": course.plan.encoder}
    if course.plan.compared is not None:
        encoders["compare_probe_probabilities"] = course.plan.compared
    for key, encoder in encoders.items():
        with course.timed("permuted labels"):
            system = encoder.train(
                training, labels, seed=seed, stage=f"null {encoder.name}",
                watch=course.watch(fold), checkpoints=run.fold(fold.key) / f"null_{key}",
            )  # fmt: skip
        decoder = system.decoder
        if key != "probabilities" and encoder.objective != "triplet":  # as the row it stands for
            decoder = encoding.probe_decoder(system.features(training.epochs), labels)
        arrays[key] = decoder.probabilities(system.features(test.epochs))
    if devices.first:
        run.write_arrays(f"folds/{fold.key}/null.npz", {**arrays, **identity_arrays(test)})


def paint_fold(
    course: Course,
    trials: Trials,
    fold: Fold,
    images: ImageSet,
    rows: tuple[np.ndarray, np.ndarray],
) -> None:
    """Train judge and generator of a fold and draw pictures, a first time when a third is done."""
    run, settings, devices = course.run, course.settings, course.devices
    painter, n_classes = course.plan.painter, trials.n_classes
    done = f"folds/{fold.key}/done.json"
    if devices.agree(run.has("bundle/spec.json") and run.has(done)):
        return
    train_rows, test_rows = fold.indices(trials)
    training, test = trials.select(train_rows), trials.select(test_rows)
    watch, folder = course.watch(fold), run.fold(fold.key)
    generator_images, judge_images = images.select(rows[0]), images.select(rows[1])

    def classifier(stage: str, shown: ImageSet, *, seed: int, policy: Any = ()) -> Any:
        with course.timed(stage):
            return pictures.train_classifier(
                shown, n_steps=settings.judge_steps, seed=seed, stage=stage, watch=watch,
                checkpoints=folder / stage, policy=policy,
            )  # fmt: skip

    judge = classifier("judge", judge_images, seed=settings.split_seed)
    domain = classifier("domain", generator_images, seed=settings.split_seed)
    system = encoding.fit_condition(
        fold_encoder(course, course.plan.encoder, training, fold),
        training,
        standardize=settings.standardize_features,
        pull=settings.class_pull,
    )
    system = replace(system, condition_on=painter.condition_on)
    seed = derive_seed(settings.seed, "generator", fold.key)
    color = images.pixels.shape[3]
    guide = None
    if painter.guided:
        policy = tuple(painter.guide_policy)
        guide = classifier("guide", generator_images, seed=settings.seed, policy=policy)
    step = painter.make(
        color=color, n_classes=n_classes, n_pictures=len(generator_images), seed=seed, guide=guide,
        devices=devices,
    )  # fmt: skip
    paired = run.read_json("dataset.json")["pairing"]["kind"] == "paired"
    batches = painting.picture_batches(
        settings, system, training, generator_images, seed=seed, paired=paired
    )
    if devices.first:
        note_network(run, "encoder", system.encoder)  # where its fold's decoding was copied
        for name, network in step.parts.items():
            note_network(run, PARTS.get(name, name), network)
        for name, extractor in (("judge", judge), ("domain", domain)):
            note_network(run, name, extractor.network, digest=True)
    arrays = run.read_arrays(f"folds/{fold.key}/decoding.npz")
    for until in sorted({max(1, settings.generator_steps // 3), settings.generator_steps}):
        if devices.agree(devices.first and painting.is_past(folder / "generator", until)):
            continue  # a resumed run does not go back
        with course.timed("generator"):
            painting.train_generator(
                step, batches, until=until, n_steps=settings.generator_steps, watch=watch,
                checkpoints=folder / "generator",
            )  # fmt: skip
        if not devices.first:
            continue
        trained = painting.with_generator(system, step, noise=painter.noise)
        drawing.write_pictures(
            settings, trained, training, test, arrays,
            images=(images, generator_images, judge_images), networks=(judge, domain),
            run=run, key=fold.key,
        )  # fmt: skip
        if until < settings.generator_steps:
            course.finish("pictures, a third of the way", partial(_write_scores, course))
    if course.plan.after_painting is not None:
        compared = course.plan.compared
        painted = Painted(
            run=run, fold=fold.key, settings=settings, training=training, images=generator_images,
            paired=paired, system=painting.with_generator(system, step, noise=painter.noise),
            compared=compared and partial(fold_encoder, course, compared, training, fold),
            domain=domain, seed=seed, watch=watch,
        )  # fmt: skip
        with course.timed("after painting"):
            course.plan.after_painting(painted)
    if not devices.first:
        return
    note_speed(run, drawing.pictures_per_second(trained, arrays["features"]))
    drawing.write_map(trained, arrays, run=run, key=fold.key, seed=settings.seed)
    drawing.write_compared_map(arrays, run=run, key=fold.key, seed=settings.seed)
    if not run.has("bundle/spec.json"):
        data = run.read_json("dataset.json")
        spec = bundle_spec(
            course.plan, trials, color=color, montage=data["montage"], fold=fold.key,
            scaling=trained.scaling,
        )  # fmt: skip
        card = model_card(spec, data, (), split=run.read_json("split.json"))
        save_bundle(run.path / "bundle", trained, spec=spec, card=card)
    run.write_json(done, {"generator_steps": settings.generator_steps})
