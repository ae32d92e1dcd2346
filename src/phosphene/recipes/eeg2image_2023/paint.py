"""Second stage: train the generator of one fold, and draw and judge its pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phosphene.data.images import ImageSet
from phosphene.data.pairing import pair, pictures_of
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import class_mean_features, shuffle_rows
from phosphene.export.networks import build_network
from phosphene.export.signal_to_picture import SignalToPicture
from phosphene.models.classifiers.picture_cnn import PictureCNN
from phosphene.recipes.eeg2image_2023.config import Config
from phosphene.recipes.eeg2image_2023.encode import Watch
from phosphene.training.batches import (
    Batches,
    balanced_index_batches,
    rows_per_class,
    same_class_batches,
    tensor_batches,
)
from phosphene.training.checkpoint import checkpoint_step, latest_checkpoint
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE, Devices, check_divisible
from phosphene.training.gan_step import GANStep
from phosphene.training.loop import fit
from phosphene.training.pictures import tensor_from_pixels
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

CLASSIFIER_BATCH = 64
SOURCES = ("own", "shuffled", "label_only", "noise")
"""What the generator is fed: a trial's own features, another trial's, the training mean of the
decoded class, and features of noise in place of signals."""


def divide_pictures(config: Config, images: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the pictures for the generator and of those for the judge.

    Pictures that were never shown are the judge's. Where a class has none, a share of its shown
    pictures is, and the generator does without them.
    """
    rng = np.random.default_rng(derive_seed(config.seed, "pictures"))
    generator, judge = [], []
    for label in range(len(images.classes)):
        shown = np.flatnonzero((images.labels == label) & images.shown)
        unseen = np.flatnonzero((images.labels == label) & ~images.shown)
        if not len(unseen):
            n_judge = max(1, round(config.judge_share * len(shown)))
            shown = rng.permutation(shown)
            unseen, shown = shown[:n_judge], shown[n_judge:]
        if not len(shown):
            raise ValueError(
                f"each class needs pictures for the generator and others for the judge; "
                f"'{images.classes[label]}' has {len(unseen)} in all. Add pictures of that class."
            )
        generator.append(np.sort(shown))
        judge.append(np.sort(unseen))
    return np.concatenate(generator), np.concatenate(judge)


def check_batches(config: Config, *, n_classes: int, n_devices: int) -> None:
    """Refuse, before anything is trained, batches that cannot be divided among the devices."""
    sizes = {
        "`--encoder-batch`": config.encoder_batch,
        "`--generator-batch`": config.generator_batch,
        "a batch of the picture classifiers": CLASSIFIER_BATCH,
    }
    for name, size in sizes.items():
        check_divisible(
            f"{name}, in whole rows per class,",
            rows_per_class(size, n_classes=n_classes) * n_classes,
            n_devices,
        )


def train_classifier(
    config: Config,
    images: ImageSet,
    *,
    stage: str,
    watch: Watch,
    checkpoints: Path,
    policy: tuple[str, ...] = (),
) -> ClassifierStep:
    """Train a picture classifier: the judge, the [domain] feature network, or the guide."""
    seed = derive_seed(config.seed, stage)
    size, color = images.pixels.shape[1], images.pixels.shape[3]
    with seeded(derive_seed(seed, "weights")):
        network = PictureCNN(len(images.classes), size=size, color=color)
    step = ClassifierStep(
        network,
        rng=seeded_generator(seed, "classifier"),
        schedule="cosine",
        n_steps=config.judge_steps,
        max_shift=max(1, size // 16),
        contrast=0.3,
        noise=0.1,
        policy=policy,
        devices=watch.devices,
    )
    labels = torch.tensor(images.labels)
    fit(
        step,
        tensor_batches(
            (tensor_from_pixels(images.pixels), labels),
            balanced_index_batches(labels, batch_size=CLASSIFIER_BATCH, seed=seed),
        ),
        n_steps=config.judge_steps,
        stage=stage,
        checkpoints=checkpoints,
        resume=True,
        log=watch.record,
        log_every=max(1, config.judge_steps // 50),
        progress=watch.progress,
    )
    return step


def generator_spec(config: Config, *, color: int) -> dict[str, Any]:
    """Return what `build_network` needs to know about the generator."""
    return {
        "network": "DCGANGenerator",
        "settings": {
            "n_noise": config.n_noise,
            "n_features": config.n_features,
            "size": config.image_size,
            "color": color,
            "width": config.generator_width,
            "he_init": config.he_init,
        },
    }


def make_gan(
    config: Config,
    *,
    color: int,
    seed: int,
    guide: ClassifierStep | None = None,
    devices: Devices = ALONE,
) -> GANStep:
    """Build generator, discriminator and their train step."""
    with seeded(derive_seed(seed, "GAN weights")):
        generator = build_network(generator_spec(config, color=color))
        discriminator = build_network(
            {
                "network": "DCGANDiscriminator",
                "settings": {
                    "n_features": config.n_features,
                    "size": config.image_size,
                    "color": color,
                    "width": config.discriminator_width,
                    "batch_norm": config.discriminator_batch_norm,
                    "he_init": config.he_init,
                },
            }
        )
    return GANStep(
        generator,
        discriminator,
        rng=seeded_generator(seed, "GAN"),
        lr_generator=config.generator_lr,
        lr_discriminator=config.discriminator_lr,
        betas=(config.beta1, config.beta2),
        noise=config.noise,
        mode_seeking=config.mode_seeking,
        mode_seeking_every=config.mode_seeking_every,
        guide=None if guide is None else guide.network,
        guidance=config.guidance,
        schedule="cosine" if config.generator_cosine else "constant",
        n_steps=config.generator_steps,
        policy=config.augment,
        feature_jitter=config.feature_jitter,
        ema_decay=config.ema or None,
        devices=devices,
    )


def train_generator(
    gan: GANStep, config: Config, batches: Batches, *, until: int, watch: Watch, checkpoints: Path
) -> None:
    """Train up to a number of updates, going on from the newest checkpoint."""
    fit(
        gan,
        batches,
        n_steps=until,
        stage="generator",
        checkpoints=checkpoints,
        checkpoint_every=1000,
        resume=True,
        log=watch.record,
        log_every=max(1, config.generator_steps // 150),
        progress=watch.progress,
    )


def is_past(checkpoints: Path, step: int) -> bool:
    """Say whether training left a checkpoint beyond a step."""
    newest = latest_checkpoint(checkpoints)
    return newest is not None and checkpoint_step(newest) > step


def picture_batches(
    config: Config,
    system: SignalToPicture,
    trials: Trials,
    images: ImageSet,
    *,
    seed: int,
    paired: bool = True,
) -> Batches:
    """Return batches of (pictures, scaled features, labels).

    In `paired` data pictures are the trial's own, or any of its class where its own is not among
    `images`, those the generator may see; otherwise they are any of its class. Classes come equally
    often.
    """
    if config.clear_trials:
        trials = _clear_trials(system, trials)
    features = torch.from_numpy(system.condition(system.features(trials.epochs)))
    pictures = tensor_from_pixels(images.pixels)
    labels = torch.tensor(trials.labels)
    indices = balanced_index_batches(labels, batch_size=config.generator_batch, seed=seed)
    own = torch.from_numpy(_own_pictures(trials, images, paired=paired))
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
        known = own[rows] >= 0
        any_of_class[known] = pictures[own[rows][known]]
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


def look(
    pixels: np.ndarray, *, judge: ClassifierStep, domain: ClassifierStep
) -> dict[str, np.ndarray]:
    """Return what the judge and the feature network say about pictures."""
    images = tensor_from_pixels(pixels)
    domain.network.eval()
    with torch.no_grad():
        parts = [domain.network.features(part) for part in images.split(256)]  # pyright: ignore
    return {
        "judge": judge.probabilities(images).numpy(),
        "domain": domain.probabilities(images).numpy(),
        "features": torch.cat(parts).numpy(),
    }


def with_generator(system: SignalToPicture, gan: GANStep) -> SignalToPicture:
    """Return the system with the generator as it is now."""
    return replace(system, generator=gan.sampler)
