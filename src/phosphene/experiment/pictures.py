"""The pictures of an experiment: who may see which, and the networks that look at them."""

from pathlib import Path

import numpy as np
import torch

from phosphene.data.dataset import Dataset
from phosphene.data.images import ImageSet
from phosphene.experiment.settings import ExperimentSettings
from phosphene.experiment.watch import Watch
from phosphene.models.classifiers.picture_cnn import PictureCNN
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.loop import fit
from phosphene.training.pictures import tensor_from_pixels
from phosphene.training.seeding import derive_seed, seeded, seeded_generator

CLASSIFIER_BATCH = 64


def prepare_pictures(
    settings: ExperimentSettings, dataset: Dataset
) -> tuple[ImageSet, tuple[np.ndarray, np.ndarray]]:
    """Resize the pictures and divide them between generator and judge."""
    if dataset.images is None:
        raise ValueError(
            f"this recipe needs pictures; the data set {dataset.name} has none. "
            "Import it again with --images."
        )
    images = dataset.images.with_classes(dataset.trials.classes)
    color = dataset.images.pixels.shape[3]
    images = images.resized(settings.image_size, color=color)
    rows = divide_pictures(images, judge_share=settings.judge_share, seed=settings.split_seed)
    return images, rows


def divide_pictures(
    images: ImageSet, *, judge_share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the pictures for the generator and of those for the judge.

    Pictures that were never shown are the judge's. Where a class has none, a share of its shown
    pictures is, and the generator does without them.
    """
    rng = np.random.default_rng(derive_seed(seed, "pictures"))
    generator, judge = [], []
    for label in range(len(images.classes)):
        shown = np.flatnonzero((images.labels == label) & images.shown)
        unseen = np.flatnonzero((images.labels == label) & ~images.shown)
        if not len(unseen):
            n_judge = max(1, round(judge_share * len(shown)))
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


def train_classifier(
    images: ImageSet,
    *,
    n_steps: int,
    seed: int,
    stage: str,
    watch: Watch,
    checkpoints: Path,
    policy: tuple[str, ...] = (),
) -> ClassifierStep:
    """Train a picture classifier: the judge, the [domain] feature network, or the guide."""
    seed = derive_seed(seed, stage)
    size, color = images.pixels.shape[1], images.pixels.shape[3]
    with seeded(derive_seed(seed, "weights")):
        network = PictureCNN(len(images.classes), size=size, color=color)
    step = ClassifierStep(
        network,
        rng=seeded_generator(seed, "classifier"),
        schedule="cosine",
        n_steps=n_steps,
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
        n_steps=n_steps,
        stage=stage,
        checkpoints=checkpoints,
        resume=True,
        log=watch.record,
        log_every=max(1, n_steps // 50),
        progress=watch.progress,
    )
    return step


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
