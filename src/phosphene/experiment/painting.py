"""Second stage of an experiment: train the generator of a fold, and what it is fed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from phosphene.data.images import ImageSet
from phosphene.data.pairing import pair, pictures_of
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import class_mean_features, shuffle_rows
from phosphene.experiment.pictures import CLASSIFIER_BATCH
from phosphene.experiment.plan import PainterStep
from phosphene.experiment.settings import ExperimentSettings
from phosphene.experiment.watch import Watch
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.training.batches import (
    Batches,
    balanced_index_batches,
    index_batches,
    rows_per_class,
    same_class_batches,
)
from phosphene.training.checkpoint import checkpoint_step, latest_checkpoint
from phosphene.training.devices import check_divisible
from phosphene.training.loop import fit
from phosphene.training.pictures import tensor_from_pixels
from phosphene.training.seeding import derive_seed

SOURCES = ("own", "shuffled", "label_only", "noise")
"""What the generator is fed: a trial's own features, another trial's, the training mean of the
decoded class, and features of noise in place of signals."""


def train_generator(
    step: PainterStep,
    batches: Batches,
    *,
    until: int,
    n_steps: int,
    watch: Watch,
    checkpoints: Path,
) -> None:
    """Train up to a number of updates of `n_steps`, going on from the newest checkpoint."""
    fit(
        step,
        batches,
        n_steps=until,
        stage="generator",
        checkpoints=checkpoints,
        checkpoint_every=1000,
        resume=True,
        log=watch.record,
        log_every=max(1, n_steps // 150),
        progress=watch.progress,
    )


def is_past(checkpoints: Path, step: int) -> bool:
    """Say whether training left a checkpoint beyond a step."""
    newest = latest_checkpoint(checkpoints)
    return newest is not None and checkpoint_step(newest) > step


def picture_batches(
    settings: ExperimentSettings,
    system: SignalToPicture,
    trials: Trials,
    images: ImageSet,
    *,
    seed: int,
    paired: bool = True,
) -> Batches:
    """Return batches of (pictures, condition, labels).

    The condition is the scaled features, or, for a system that is conditioned on labels, the
    trial's class as a one-hot vector.
    In `paired` data pictures are the trial's own, or any of its class where its own is not among
    `images`, those the generator may see; otherwise they are any of its class. These are drawn anew
    each step, or once and kept with `fixed_pictures`. Classes come equally often, or trials are
    shuffled without `balanced_batches`.
    """
    if settings.clear_trials:
        trials = _clear_trials(system, trials)
    known = trials.labels if system.condition_on == "label" else None
    features = torch.from_numpy(system.condition(system.features(trials.epochs), decoded=known))
    pictures = tensor_from_pixels(images.pixels)
    labels = torch.tensor(trials.labels)
    if settings.balanced_batches:
        indices = balanced_index_batches(labels, batch_size=settings.generator_batch, seed=seed)
    else:
        indices = index_batches(len(labels), batch_size=settings.generator_batch, seed=seed)
    found = _own_pictures(trials, images, paired=paired)
    if settings.fixed_pictures:
        found = np.where(found >= 0, found, _any_of_class(trials, images, seed=seed))
    own = torch.from_numpy(found)
    if (own >= 0).all():

        def batch(step: int) -> tuple[torch.Tensor, ...]:
            rows = indices(step)
            return pictures[own[rows]], features[rows], labels[rows]

        return batch
    drawn = same_class_batches(
        features,
        labels,
        pictures=pictures,
        picture_labels=torch.tensor(images.labels),
        indices=indices,
        seed=seed,
    )

    def mixed_batch(step: int) -> tuple[torch.Tensor, ...]:
        rows = indices(step)
        any_of_class, seen = drawn(step)
        given = own[rows] >= 0
        any_of_class[given] = pictures[own[rows][given]]
        return any_of_class, seen, labels[rows]

    return mixed_batch


def _own_pictures(trials: Trials, images: ImageSet, *, paired: bool) -> np.ndarray:
    """Return for each trial the row of its own picture, -1 where it is not among the images."""
    own = np.full(len(trials), -1, dtype=np.int64)
    stimuli = trials.table["stimulus"]
    known = np.flatnonzero(stimuli.isin(set(images.table["stimulus"]) - {""}))
    if paired and len(known):
        some = trials.select(known)
        if pair(some, images).kind == "paired":
            own[known] = pictures_of(some, images, seed=0)
    return own


def _any_of_class(trials: Trials, images: ImageSet, *, seed: int) -> np.ndarray:
    """Return for each trial the row of one picture of its class, drawn at random."""
    rng = np.random.default_rng(derive_seed(seed, "fixed pictures"))
    rows = [np.flatnonzero(images.labels == label) for label in range(trials.n_classes)]
    return np.array([rng.choice(rows[label]) for label in trials.labels], dtype=np.int64)


def _clear_trials(system: SignalToPicture, trials: Trials) -> Trials:
    """Return the trials that the decoder reads right, all of a class if it reads none of it."""
    decoded = system.decoder.probabilities(system.features(trials.epochs)).argmax(1)
    right = decoded == trials.labels
    for label in range(trials.n_classes):
        mine = trials.labels == label
        if not right[mine].any():
            right |= mine
    return trials.select(right)


def features_of_sources(
    system: SignalToPicture,
    train: Trials,
    arrays: dict[str, np.ndarray],
    rows: np.ndarray,
    *,
    seed: int,
) -> dict[str, np.ndarray]:
    """Return for each of `SOURCES` the features of the given held-out trials."""
    own = arrays["features"][rows]
    decoded = arrays["probabilities"][rows].argmax(1)
    training = system.features(train.epochs)
    means = class_mean_features(training, train.labels, n_classes=train.n_classes)
    return {
        "own": own,
        "shuffled": own[_shuffled_within(arrays["recording"][rows], seed=seed)],
        "label_only": means[decoded].astype(np.float32),
        "noise": arrays["noise_features"][rows],
    }


def _shuffled_within(recordings: np.ndarray, *, seed: int) -> np.ndarray:
    """Return an order of the rows in which each changes places within its recording."""
    order = np.arange(len(recordings))
    for name in np.unique(recordings):
        mine = np.flatnonzero(recordings == name)
        order[mine] = shuffle_rows(mine, seed=derive_seed(seed, "shuffle", str(name)) % 2**32)
    return order


def with_generator(system: SignalToPicture, step: PainterStep, *, noise: str) -> SignalToPicture:
    """Return the system with the generator as it is now."""
    return replace(system, generator=step.sampler, noise=noise)


def check_batches(
    sizes: Mapping[str, int], *, n_classes: int, n_devices: int, balanced: bool = True
) -> None:
    """Refuse, before anything is trained, batches that cannot be divided among the devices.

    Parameters
    ----------
    sizes
        Rows of a batch by the name of their setting.
    n_classes
        Number of classes.
    n_devices
        Processes that train together.
    balanced
        Whether these batches hold every class equally often, as those of the picture classifiers.
    """
    for name, size in sizes.items() if not balanced else ():
        check_divisible(name, size, n_devices)
    whole = sizes if balanced else {}
    for name, size in {**whole, "a batch of the picture classifiers": CLASSIFIER_BATCH}.items():
        check_divisible(
            f"{name}, in whole rows per class,",
            rows_per_class(size, n_classes=n_classes) * n_classes,
            n_devices,
        )
