"""The pictures of a run: which train, which judge learning rates, which test and how corrupted."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from phosphene.augment.corruption import Corruption, parse_corruption
from phosphene.data.images import ImageSet
from phosphene.data.inspection import inspect_images
from phosphene.data.picture_source import PictureSource, load_pictures
from phosphene.data.splits import PICTURE, Fold, Split
from phosphene.experiment.restoration.settings import RestorationSettings
from phosphene.run_dir import RunDir
from phosphene.training.batches import Batches, index_batches
from phosphene.training.seeding import derive_seed, seeded_generator

FOLD = "pictures"
"""Key of the one fold."""
TEST = f"folds/{FOLD}/test.npz"
WORDS = {"official": "official test pictures", "share": "pictures held out"}
"""How scores call each division."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """What all stages read; nothing here changes while a run goes on."""

    source: PictureSource
    train: np.ndarray = field(repr=False)
    """Rows of the pictures that train."""
    test: np.ndarray = field(repr=False)
    """Rows of those that test."""
    corruption: Corruption
    """What they are restored from."""
    split_seed: int
    seed: int

    @property
    def images(self) -> ImageSet:
        """All pictures."""
        return self.source.images

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a picture."""
        height, width = self.images.pixels.shape[1:3]
        return int(height), int(width)

    @property
    def color(self) -> int:
        """Planes of a picture."""
        return int(self.images.pixels.shape[3])

    @property
    def n_classes(self) -> int:
        """Classes that pictures have; with one there is nothing to tell apart."""
        return len(self.images.classes)

    @cached_property
    def mean(self) -> Float[Tensor, "color height width"]:
        """Mean of the training pictures, in [0, 1]."""
        total = np.zeros(self.images.pixels.shape[1:])
        for rows in np.array_split(self.train, -(-len(self.train) // 4096)):
            total += self.images.pixels[rows].sum(0, dtype=np.float64)
        mean = total / (255 * len(self.train))
        return torch.from_numpy(mean.transpose(2, 0, 1).astype(np.float32))

    def batches(self, rows: np.ndarray, *, batch: int, seed: int) -> Batches:
        """Return batches of (clean pictures,), each of the rows once per pass."""
        indices = index_batches(len(rows), batch_size=batch, seed=seed)
        return lambda step: (unit_pictures(self.images.pixels[rows[indices(step).numpy()]]),)

    def scored(self, settings: RestorationSettings) -> np.ndarray:
        """Return the test pictures that are scored, the same for all runs of one `split_seed`."""
        rng = np.random.default_rng(derive_seed(self.split_seed, "scored"))
        return np.sort(rng.permutation(self.test)[: settings.n_scored])

    def validation(self, settings: RestorationSettings) -> tuple[np.ndarray, np.ndarray]:
        """Divide the training pictures for tuning: those that train, and those that judge.

        These are `n_validation`, but no more than half.
        """
        rng = np.random.default_rng(derive_seed(self.seed, "validation"))
        order = rng.permutation(self.train)
        n_judge = min(settings.n_validation, len(order) // 2)
        return np.sort(order[n_judge:]), np.sort(order[:n_judge])

    def corrupted(self, rows: np.ndarray, *purpose: str) -> tuple[np.ndarray, np.ndarray]:
        """Corrupt pictures once for all.

        Parameters
        ----------
        rows
            Of the pictures.
        purpose
            What for: with `split_seed` it fixes the draws.

        Returns
        -------
        corrupted
            ``(picture, height, width, color)`` uint8; networks see exactly these.
        missing
            ``(picture, height, width)`` bool.
        """
        rng = seeded_generator(self.split_seed, "corruption", *purpose)
        pixels, missing = [], []
        for part in np.array_split(rows, -(-len(rows) // 1024)):
            found = self.corruption(unit_pictures(self.images.pixels[part]), generator=rng)
            pixels.append(pixels_of(found.images))
            missing.append(found.missing[:, 0].numpy())
        return np.concatenate(pixels), np.concatenate(missing)


def prepare_pictures(settings: RestorationSettings, data: Path) -> Pictures:
    """Load pictures and divide them.

    Raises
    ------
    ValueError
        When there are no pictures, an official test set is asked for and there is none, too few
        remain on a side, or the corruption cannot be read.
    """
    corruption = parse_corruption(settings.corruption)
    source = load_pictures(data, image_size=settings.image_size)
    train, test = divide_pictures(settings, source)
    return Pictures(
        source=source,
        train=train,
        test=test,
        corruption=corruption,
        split_seed=settings.split_seed,
        seed=settings.seed,
    )


def divide_pictures(
    settings: RestorationSettings, source: PictureSource
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the pictures that train and of those that test."""
    images = source.images
    if settings.division == "official":
        tests = source.official_test
        if not tests.any() or tests.all():
            raise ValueError(
                "an official test set comes in files of its own, beside those of the training set, "
                f"as t10k-images-idx3-ubyte or test_batch.bin; {source.name} has "
                f"{'no other' if tests.any() else 'no such'} file. Add it, or divide the pictures "
                "with --division share."
            )
    else:
        tests = np.zeros(len(images), dtype=bool)
        rng = np.random.default_rng(derive_seed(settings.split_seed, "division"))
        for label in np.unique(images.labels):
            mine = rng.permutation(np.flatnonzero(images.labels == label))
            tests[mine[: round(settings.test_share * len(mine))]] = True
    train, test = np.flatnonzero(~tests), np.flatnonzero(tests)
    if len(train) < 4 or len(test) < 2:
        raise ValueError(
            f"restoration needs at least 4 pictures to train and 2 to test; {source.name} gives "
            f"{len(train)} and {len(test)}. Add pictures, or change --test-share."
        )
    return train, test


def describe_pictures(run: RunDir, pictures: Pictures, settings: RestorationSettings) -> None:
    """Write dataset.json, split.json, environment.json and the test pictures with their corruption.

    Raises
    ------
    ValueError
        When a resumed run began with other pictures or another division.
    """
    source, images = pictures.source, pictures.images
    data_hash = source.data_hash
    begun = run.has("environment.json")
    if begun and run.read_json("environment.json")["data_hash"] != data_hash:
        before = run.read_json("environment.json")["data_hash"]
        raise ValueError(
            f"a run must go on with the pictures it began with, hash {before}; these have "
            f"{data_hash}. Give the first ones, or begin a new run."
        )
    names = images.table["image_id"].to_numpy(dtype=str)
    fold = Fold(FOLD, tuple(names[pictures.train].tolist()), tuple(names[pictures.test].tolist()))
    content = Split(PICTURE, (fold,), settings.split_seed).to_json()
    if run.has("split.json") and run.read_json("split.json") != content:
        raise ValueError(
            "a run must go on with the division it began with; split.json in the run folder "
            "differs from the one made now. Begin a new run."
        )
    described: dict[str, Any] = {
        "name": source.name,
        "origin": source.origin,
        "licence": source.licence,
        "citation": source.citation,
        "data_hash": data_hash,
        "classes": list(images.classes),
        "images": inspect_images(images),
        "notes": list(images.notes),
        "design": {"unit": PICTURE, "reason": WORDS[settings.division]},
        "n_train": len(pictures.train),
        "n_test": len(pictures.test),
        "corruption": str(pictures.corruption),
    }
    run.write_json("dataset.json", described)
    run.write_json("split.json", content)
    if not run.has(TEST):
        rows = pictures.scored(settings)
        corrupted, missing = pictures.corrupted(rows, "test")
        arrays = {
            "original": images.pixels[rows],
            "corrupted": corrupted,
            "missing": missing,
            "label": images.labels[rows],
            "image_id": names[rows],
        }
        run.write_arrays(TEST, arrays)
    if not begun:
        run.write_environment(data_hash=data_hash, seed=settings.seed)


def unit_pictures(pixels: np.ndarray) -> Tensor:
    """Turn ``(picture, height, width, color)`` uint8 into floats in [0, 1], colour first."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return tensor.float() / 255


def pixels_of(pictures: Tensor) -> np.ndarray:
    """Turn floats in [0, 1] into the nearest bytes, colour last."""
    scaled = (pictures.detach() * 255).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
