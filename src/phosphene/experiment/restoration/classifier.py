"""The classifier that says what a restored picture shows: part of no system, the same for all."""

from pathlib import Path

import numpy as np

from phosphene.experiment.pictures import train_classifier
from phosphene.experiment.restoration.pictures import FOLD, TEST, Pictures
from phosphene.experiment.restoration.settings import RestorationSettings
from phosphene.experiment.watch import Watch
from phosphene.run_dir import RunDir
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.pictures import tensor_from_pixels

STAGE = "classifier"
CLASSIFIED = f"folds/{FOLD}/classified.npz"
"""Which class it names for the originals and for the corrupted pictures."""


def train_judge(
    settings: RestorationSettings, pictures: Pictures, *, watch: Watch, checkpoints: Path
) -> ClassifierStep | None:
    """Train a `PictureCNN` on the clean training pictures; None where there is one class.

    `split_seed` is all its randomness, so that runs are judged by the same one. It never sees a
    corrupted or restored picture.
    """
    if pictures.n_classes < 2:
        return None
    return train_classifier(
        pictures.images.select(pictures.train),
        n_steps=settings.classifier_steps,
        seed=settings.split_seed,
        stage=STAGE,
        watch=watch,
        checkpoints=checkpoints,
    )


def name_classes(judge: ClassifierStep, pixels: np.ndarray, *, batch: int = 1024) -> np.ndarray:
    """Return the most probable class of each picture ``(picture, height, width, color)``."""
    parts = [
        judge.probabilities(tensor_from_pixels(pixels[first : first + batch])).argmax(1).numpy()
        for first in range(0, len(pixels), batch)
    ]
    return np.concatenate(parts)


def classify_test(run: RunDir, judge: ClassifierStep) -> None:
    """Write which classes it names for the test pictures, whole and corrupted."""
    if not run.has(CLASSIFIED):
        test = run.read_arrays(TEST)
        names = {name: name_classes(judge, test[name]) for name in ("original", "corrupted")}
        run.write_arrays(CLASSIFIED, names)
