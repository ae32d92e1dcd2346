"""Readers, one file per format; `read_recording` and `read_images` choose by name and content."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from phosphene.data.formats.recordings import (
    RECORDING_SUFFIXES,
    find_recordings,
    has_recordings,
    read_recording,
    read_recordings,
)

if TYPE_CHECKING:
    from phosphene.data.images import ImageSet

__all__ = [
    "RECORDING_SUFFIXES",
    "find_recordings",
    "has_recordings",
    "read_images",
    "read_recording",
    "read_recordings",
]


def read_images(
    path: Path,
    *,
    class_from: Literal["folder", "prefix", "none"] = "folder",
    image_size: int | None = None,
    grey: bool = False,
    shown: Sequence[str] = (),
    class_names: Mapping[str, str] | None = None,
) -> "ImageSet":
    """Read pictures, choosing the reader by what lies at the path.

    Parameters
    ----------
    path
        A folder of pictures, one picture, a folder or file in MNIST's IDX format, or a folder or
        file in CIFAR-10's binary format.
    class_from
        Where the class of a picture file stands: its folder's name, or its own up to the hyphen;
        "none" gives all one class.
    image_size
        Largest side; larger pictures are cropped to a square and shrunk. Needed where sizes differ.
    grey
        Read as one grey channel.
    shown
        Patterns of the file names that were shown; all when empty.
    class_names
        New names of classes.
    """
    from dataclasses import replace

    from phosphene.data.formats import cifar, image_folder, mnist_idx

    path = Path(path)
    if not path.exists():
        raise ValueError(
            f"pictures are a file or a folder; there is nothing at {path}; correct it."
        )
    if mnist_idx.is_idx(path) or cifar.is_cifar(path):
        module = mnist_idx.read_mnist_folder if mnist_idx.is_idx(path) else cifar.read_cifar10
        images = module(path)
        color = 1 if grey else int(images.pixels.shape[3])
        side = min(images.pixels.shape[1:3])
        if grey or (image_size is not None and image_size < side):
            images = images.resized(min(image_size or side, side), color=color)
        table = image_folder.mark_shown(images.table, shown, where=path)
        images = replace(images, table=table)
    else:
        images = image_folder.read_image_folder(
            path, class_from=class_from, image_size=image_size, grey=grey, shown=shown
        )
    return image_folder.rename_classes(images, class_names or {})
