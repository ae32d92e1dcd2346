"""From a data set folder to scores: load, split, train, decode, score."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from phosphene.data.dataset import load_dataset
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
from phosphene.experiment.traces import add_time, note_network
from phosphene.experiment.watch import Attended
from phosphene.recipes.human_mind_2017.classify import decode, decode_linearly, train_classifier
from phosphene.recipes.human_mind_2017.config import Config
from phosphene.recipes.human_mind_2017.scoring import score_run
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json
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
) -> list[Score]:
    """Train and decode in every fold, train the controls, and score all of it.

    Folds whose results are on disk are not repeated, so an interrupted run goes on.
    """
    del resume  # a new run finds nothing on disk, a resumed one finds what is done
    torch.set_flush_denormal(True)
    progress = progress or SilentProgress()
    dataset = load_dataset(data)
    trials = dataset.trials
    split = make_split(config, trials, dataset.info)
    describe_run(run, dataset, split, seed=config.seed)

    course = Attended(run=run, progress=progress, on_stage=on_stage)
    score = partial(_write_scores, run, config)
    folds = split.folds[: config.decode_folds]
    for number, fold in enumerate(folds):
        decode_fold(config, trials, fold, run=run, progress=progress)
        if number == 0:
            course.finish("first fold decoded", score)
    for fold in folds[: config.null_folds]:
        decode_null(config, trials, fold, run=run, progress=progress)
    return course.finish("done", score, finished=True)


def evaluate(run: RunDir, progress: Progress | None = None) -> list[Score]:
    """Score a run again from the arrays in its folder."""
    del progress
    return _write_scores(run, Config(**run.read_json("config.json")["config"]))


def _write_scores(run: RunDir, config: Config) -> list[Score]:
    scores = score_run(run, config)
    run.write_json("scores.json", scores_to_json(scores))
    return scores


def make_split(config: Config, trials: Trials, info: Mapping[str, Any]) -> Split:
    """Split as configured, with a doubt where a block stands on both sides of a fold."""
    split = choose_split(
        trials,
        unit=config.split_unit,
        n_folds=config.n_folds,
        first_folds=config.decode_folds,
        seed=config.split_seed,
        allow_leak=config.allow_leak,
        info=info,
    )
    return doubt_blocks(split, trials)


def decode_fold(
    config: Config, trials: Trials, fold: Fold, *, run: RunDir, progress: Progress
) -> None:
    """Train on a fold and decode its held-out trials, unless that is on disk."""
    if run.has(f"folds/{fold.key}/decoding.npz"):
        return
    train_rows, test_rows = fold.indices(trials)
    training, test = trials.select(train_rows), trials.select(test_rows)
    validation = _validation(config, trials, fold)
    seed = derive_seed(config.seed, "encoder", fold.key)
    began = perf_counter()
    classifier = train_classifier(
        config,
        training,
        training.labels,
        validation=validation,
        validation_labels=None if validation is None else validation.labels,
        seed=seed,
        stage="encoder",
        log=lambda record: run.log({**record, "fold": fold.key}),
        progress=progress,
        checkpoints=run.fold(fold.key) / "encoder",
    )
    add_time(run, "encoder", perf_counter() - began)
    note_network(run, "encoder", classifier.step.encoder)
    arrays = decode(classifier, training, test, seed=seed)
    arrays["lda_probabilities"] = decode_linearly(training, training.labels, test)
    run.write_arrays(f"folds/{fold.key}/decoding.npz", {**arrays, **identity_arrays(test)})


def decode_null(
    config: Config, trials: Trials, fold: Fold, *, run: RunDir, progress: Progress
) -> None:
    """Train everything again on permuted labels, unless that is on disk.

    Labels of training and validation trials are permuted together, so that the epoch is chosen on
    labels that mean as little.
    """
    if run.has(f"folds/{fold.key}/null.npz"):
        return
    train_rows, test_rows = fold.indices(trials)
    validation = _validation(config, trials, fold)
    rows = train_rows
    if validation is not None:  # in the order of the data set, which is that of time
        rows = np.sort(np.concatenate([train_rows, fold.val_indices(trials)]))
    trains = np.isin(rows, train_rows)
    known, test = trials.select(rows), trials.select(test_rows)
    training = known.select(trains)
    seed = derive_seed(config.seed, "null", fold.key)
    permute = label_permuter(
        known.labels,
        recordings=known.table["recording"],
        blocks=blocks_of(known),
        unit=run.read_json("dataset.json")["design"]["unit"],
    )
    nulls = linear_null(
        np.asarray(training.epochs),
        np.asarray(test.epochs),
        test.labels,
        permute=lambda rng: permute(rng)[trains],
        recordings=test.table["recording"],
        n_classes=trials.n_classes,
        step=baseline_step(trials.preprocessing, sfreq=trials.sfreq),
        seed=seed,
    )
    run.write_arrays(f"folds/{fold.key}/linear_null.npz", {"scores": nulls})
    labels = permute(np.random.default_rng([seed, 1]))[trains]
    arrays = {"lda_probabilities": decode_linearly(training, labels, test)}
    labels = permute(np.random.default_rng([seed, 2]))
    classifier = train_classifier(
        config,
        training,
        labels[trains],
        validation=None if validation is None else known.select(~trains),
        validation_labels=None if validation is None else labels[~trains],
        seed=seed,
        stage=f"null {config.encoder}",
        log=lambda record: run.log({**record, "fold": fold.key}),
        progress=progress,
    )
    arrays["probabilities"] = classifier.probabilities(classifier.features(test.epochs))
    run.write_arrays(f"folds/{fold.key}/null.npz", {**arrays, **identity_arrays(test)})


def _validation(config: Config, trials: Trials, fold: Fold) -> Trials | None:
    if not config.validate or not fold.val:
        return None
    return trials.select(fold.val_indices(trials))
