"""Pictures for what needs no recordings: plain files, or the pictures of a data set."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phosphene.data.dataset import load_dataset
from phosphene.data.formats import cifar, mnist_idx, read_images
from phosphene.data.formats.image_folder import SUFFIXES, find_document
from phosphene.data.images import ImageSet

PLAIN = "plain pictures"
"""Origin of pictures that are no data set of ours."""

_OFFICIAL_TEST = re.compile(r"(.*[-_])?(t10k|test)[-_].*(-ubyte(\.gz)?|\.bin)")


@dataclass(frozen=True, eq=False)
class PictureSource:
    """Pictures, and what is known of where they come from."""

    images: ImageSet
    name: str
    origin: str
    """`PLAIN`, or what the data set says: imported, simulated."""
    data_hash: str
    """Of the data set, or of plain pictures."""
    licence: str = ""
    citation: str = ""

    @property
    def official_test(self) -> np.ndarray:
        """Which pictures come from a file that IDX or CIFAR name as a test set, bool."""
        files = self.images.table["source"]
        return np.array([_OFFICIAL_TEST.fullmatch(file) is not None for file in files], dtype=bool)


def load_pictures(path: Path, *, image_size: int | None = None) -> PictureSource:
    """Read pictures from a data set folder, or from anything that `data import --images` reads.

    Where a picture lies in no sub-folder, all are of one class.

    Parameters
    ----------
    path
        Data set folder; folder of PNG and JPEG, with a sub-folder for each class or without;
        folder or file in MNIST's IDX or in CIFAR-10's binary format.
    image_size
        Side that larger pictures are shrunk to, cropped to squares first; needed where sizes
        differ. None keeps the size.

    Raises
    ------
    ValueError
        When there is nothing, a data set has no pictures, or a file is not what it says.
    """
    path = Path(path)
    if (path / "info.json").is_file():
        return _from_dataset(path, image_size)
    if not path.exists():
        raise ValueError(
            f"`--data` must be pictures or a data set folder; there is nothing at {path}. Name a "
            "folder of PNG, JPEG, IDX or CIFAR files."
        )
    is_batch = mnist_idx.is_idx(path) or cifar.is_cifar(path)
    flat = not is_batch and _is_flat(path)
    images = read_images(path, class_from="none" if flat else "folder", image_size=image_size)
    return PictureSource(
        images=images,
        name=path.resolve().name,
        origin=PLAIN,
        data_hash=images.data_hash(),
        licence=find_document(path),
    )


def _from_dataset(path: Path, image_size: int | None) -> PictureSource:
    dataset = load_dataset(path)
    images = dataset.images
    if images is None:
        raise ValueError(
            f"what restores pictures needs some; the data set {dataset.name} has none. Import it "
            "again with --images, or name a folder of pictures."
        )
    height, width, color = images.pixels.shape[1:]
    if image_size is not None and (image_size < min(height, width) or height != width):
        images = images.resized(min(image_size, height, width), color=color)
    said = {name: str(dataset.info.get(name) or "") for name in ("licence", "citation")}
    return PictureSource(
        images=images,
        name=dataset.name,
        origin=str(dataset.info["origin"]),
        data_hash=dataset.data_hash,
        **said,
    )


def _is_flat(path: Path) -> bool:
    """Say whether a picture lies in no sub-folder."""
    return path.is_file() or any(
        file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
        for file in path.iterdir()
    )
