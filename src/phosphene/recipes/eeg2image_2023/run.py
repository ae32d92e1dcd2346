"""EEG2Image from a data set folder to scores: load, split, encode, paint, score."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phosphene.data.dataset import Dataset, load_dataset
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
from phosphene.export.bundle import save_bundle
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.recipes.eeg2image_2023 import encode, inception, paint, show
from phosphene.recipes.eeg2image_2023.card import bundle_spec, model_card, write_card
from phosphene.recipes.eeg2image_2023.config import Config, compared_name
from phosphene.recipes.eeg2image_2023.scoring import score_run
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json
from phosphene.training.devices import ALONE, Devices
from phosphene.training.progress import Progress, SilentProgress
from phosphene.training.seeding import derive_seed


def train(
    config: Config,
    *,
    data: Path,
    run: RunDir,
    resume: bool = False,
    on_stage: Callable[[str], None] = lambda stage: None,
    progress: Progress | None = None,
    devices: Devices = ALONE,
) -> list[Score]:
    """Train in every fold, draw pictures for the first ones, and score all of it.

    Stages whose results are on disk are not repeated, so an interrupted run goes on. Of several
    devices all run this and train together; the first alone writes, draws and scores.
    """
    del resume  # a new run finds nothing on disk, a resumed one finds what is done
    torch.set_flush_denormal(True)
    progress = progress or SilentProgress()
    inception.check_weights(config)
    dataset = load_dataset(data)
    devices.check_same_data(dataset.data_hash)
    images, rows = prepare_pictures(config, dataset)
    trials = dataset.trials
    split = doubt_blocks(make_split(config, trials, dataset.info), trials)
    if devices.first:
        encode.check_triplets(config, n_classes=trials.n_classes)
        paint.check_batches(config, n_classes=trials.n_classes, n_devices=devices.n)
        describe(run, dataset, split, images, rows, seed=config.seed)

    def finish(stage: str, *, finished: bool = False) -> list[Score]:
        if not devices.first:
            return []
        run.write_json("state.json", {"stage": stage, "finished": finished})
        scores = score_run(run, config)
        run.write_json("scores.json", scores_to_json(scores))
        write_card(run, scores)
        on_stage(stage)
        return scores

    folds = split.folds[: config.decode_folds]
    for number, fold in enumerate(folds):
        decode_fold(config, trials, fold, run=run, progress=progress, devices=devices)
        if number < config.picture_folds:
            finish("pictures")
            paint_fold(config, trials, fold, images, rows, run, progress, finish, devices)
    for fold in folds[: config.null_folds]:
        decode_null(config, trials, fold, run=run, progress=progress, devices=devices)
    if devices.first:
        inception.describe_run(run, config, progress=progress)
    return finish("done", finished=True)


def evaluate(run: RunDir, progress: Progress | None = None) -> list[Score]:
    """Score a run again from the arrays in its folder.

    Where Inception weights were fetched since it was trained, its pictures are described first.
    """
    settings = run.read_json("config.json")["config"]
    settings["augment"] = tuple(settings["augment"])
    config = Config(**settings)
    inception.describe_run(run, config, progress=progress or SilentProgress())
    scores = score_run(run, config)
    run.write_json("scores.json", scores_to_json(scores))
    write_card(run, scores)
    return scores


def prepare_pictures(
    config: Config, dataset: Dataset
) -> tuple[ImageSet, tuple[np.ndarray, np.ndarray]]:
    """Resize the pictures and divide them between generator and judge."""
    if dataset.images is None:
        raise ValueError(
            f"this recipe needs pictures; the data set {dataset.name} has none. "
            "Import it again with --images."
        )
    images = dataset.images.with_classes(dataset.trials.classes)
    color = dataset.images.pixels.shape[3]
    images = images.resized(config.image_size, color=color)
    return images, paint.divide_pictures(config, images)


def make_split(config: Config, trials: Trials, info: Mapping[str, Any] | None = None) -> Split:
    """Split as configured, see `choose_split`."""
    return choose_split(
        trials,
        unit=config.split_unit,
        n_folds=config.n_folds,
        first_folds=config.decode_folds,
        seed=config.seed,
        allow_leak=config.allow_leak,
        info=info,
    )


def describe(
    run: RunDir,
    dataset: Dataset,
    split: Split,
    images: ImageSet,
    rows: tuple[np.ndarray, np.ndarray],
    *,
    seed: int,
) -> None:
    """Write what the report says about data and split, and which pictures served whom."""
    ids = images.table["image_id"].to_numpy()
    pictures = {"generator": ids[rows[0]].tolist(), "judge": ids[rows[1]].tolist()}
    describe_run(run, dataset, split, seed=seed, pictures=pictures)


def decode_fold(
    config: Config,
    trials: Trials,
    fold: Fold,
    *,
    run: RunDir,
    progress: Progress,
    devices: Devices = ALONE,
) -> None:
    """Train the encoders on a fold and decode its held-out trials, unless that is on disk."""
    if devices.agree(run.has(f"folds/{fold.key}/decoding.npz")):
        return
    train_rows, test_rows = fold.indices(trials)
    training, test = trials.select(train_rows), trials.select(test_rows)
    watch = encode.Watch(log=run.log, progress=progress, fold=fold.key, devices=devices)
    seed = derive_seed(config.seed, "encoder", fold.key)
    system = fold_encoder(config, training, fold, run=run, watch=watch)
    other = None
    if config.compare_encoder is not None:
        other = encode.train_encoder(
            encode.published_encoder(config),
            training,
            training.labels,
            seed=seed,
            stage=f"encoder {compared_name(config)}",
            watch=watch,
            checkpoints=run.fold(fold.key) / "compared_encoder",
        )
    if not devices.first:
        return
    arrays = encode.decode(config, system, training, test, seed=seed)
    arrays["lda_probabilities"] = encode.decode_linearly(training, training.labels, test)
    if other is not None:
        found = encode.decode(encode.published_encoder(config), other, training, test, seed=seed)
        arrays["compare_probe_probabilities"] = found["probe_probabilities"]
        arrays["compare_features"] = found["features"]
    run.write_arrays(f"folds/{fold.key}/decoding.npz", {**arrays, **identity_arrays(test)})


def fold_encoder(
    config: Config, training: Trials, fold: Fold, *, run: RunDir, watch: encode.Watch
) -> SignalToPicture:
    """Train the encoder of a fold, or load it from its last checkpoint."""
    return encode.train_encoder(
        config,
        training,
        training.labels,
        seed=derive_seed(config.seed, "encoder", fold.key),
        stage="encoder",
        watch=watch,
        checkpoints=run.fold(fold.key) / "encoder",
    )


def decode_null(
    config: Config,
    trials: Trials,
    fold: Fold,
    *,
    run: RunDir,
    progress: Progress,
    devices: Devices = ALONE,
) -> None:
    """Train everything again on permuted labels, unless that is on disk."""
    if devices.agree(run.has(f"folds/{fold.key}/null.npz")):
        return
    train_rows, test_rows = fold.indices(trials)
    training, test = trials.select(train_rows), trials.select(test_rows)
    watch = encode.Watch(log=run.log, progress=progress, fold=fold.key, devices=devices)
    seed = derive_seed(config.seed, "null", fold.key)
    unit = run.read_json("dataset.json")["design"]["unit"]
    permute = label_permuter(
        training.labels,
        recordings=training.table["recording"],
        blocks=blocks_of(training),
        unit=unit,
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
        arrays["lda_probabilities"] = encode.decode_linearly(training, labels, test)
    labels = permute(np.random.default_rng([seed, 2]))
    encoders = [("probabilities", config, config.encoder)]
    if compared := compared_name(config):
        published = encode.published_encoder(config)
        encoders.append(("compare_probe_probabilities", published, compared))
    for key, settings, name in encoders:
        system = encode.train_encoder(
            settings, training, labels, seed=seed, stage=f"null {name}", watch=watch,
            checkpoints=run.fold(fold.key) / f"null_{key}",
        )  # fmt: skip
        decoder = system.decoder
        if key != "probabilities" and settings.objective != "triplet":  # as the row it stands for
            decoder = encode.probe_decoder(system.features(training.epochs), labels)
        arrays[key] = decoder.probabilities(system.features(test.epochs))
    if devices.first:
        run.write_arrays(f"folds/{fold.key}/null.npz", {**arrays, **identity_arrays(test)})


def paint_fold(
    config: Config,
    trials: Trials,
    fold: Fold,
    images: ImageSet,
    rows: tuple[np.ndarray, np.ndarray],
    run: RunDir,
    progress: Progress,
    finish: Callable[[str], Any],
    devices: Devices = ALONE,
) -> None:
    """Train judge and generator of a fold and draw pictures, a first time when a third is done."""
    done = f"folds/{fold.key}/done.json"
    if devices.agree(run.has("bundle/spec.json") and run.has(done)):
        return
    train_rows, test_rows = fold.indices(trials)
    training, test = trials.select(train_rows), trials.select(test_rows)
    watch = encode.Watch(log=run.log, progress=progress, fold=fold.key, devices=devices)
    folder = run.fold(fold.key)
    generator_images, judge_images = images.select(rows[0]), images.select(rows[1])
    judge, domain = (
        paint.train_classifier(
            config, pictures, stage=stage, watch=watch, checkpoints=folder / stage
        )
        for stage, pictures in (("judge", judge_images), ("domain", generator_images))
    )
    system = fold_encoder(config, training, fold, run=run, watch=watch)
    seed = derive_seed(config.seed, "generator", fold.key)
    color = images.pixels.shape[3]
    guide = None
    if config.guidance:
        guide = paint.train_classifier(
            config, generator_images, stage="guide", watch=watch, checkpoints=folder / "guide",
            policy=config.augment,
        )  # fmt: skip
    gan = paint.make_gan(config, color=color, seed=seed, guide=guide, devices=devices)
    paired = run.read_json("dataset.json")["pairing"]["kind"] == "paired"
    batches = paint.picture_batches(
        config, system, training, generator_images, seed=seed, paired=paired
    )
    arrays = run.read_arrays(f"folds/{fold.key}/decoding.npz")
    for until in sorted({max(1, config.generator_steps // 3), config.generator_steps}):
        if devices.agree(devices.first and paint.is_past(folder / "generator", until)):
            continue  # a resumed run does not go back
        paint.train_generator(
            gan, config, batches, until=until, watch=watch, checkpoints=folder / "generator"
        )
        if not devices.first:
            continue
        trained = paint.with_generator(system, gan)
        show.write_pictures(
            config, trained, training, test, arrays,
            images=(images, generator_images, judge_images), networks=(judge, domain),
            run=run, key=fold.key,
        )  # fmt: skip
        if until < config.generator_steps:
            finish("pictures, a third of the way")
    if not devices.first:
        return
    show.write_map(trained, arrays, run=run, key=fold.key, seed=config.seed)
    if not run.has("bundle/spec.json"):
        data = run.read_json("dataset.json")
        spec = bundle_spec(config, trials, color=color, montage=data["montage"], fold=fold.key)
        card = model_card(spec, data, (), split=run.read_json("split.json"))
        save_bundle(run.path / "bundle", trained, spec=spec, card=card)
    run.write_json(done, {"generator_steps": config.generator_steps})
