"""Readers, one file per format; `read_recording` and `read_images` choose by name and content."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from phosphene.data.images import ImageSet
    from phosphene.data.recording import Recording

RECORDING_SUFFIXES = (".csv",)


def read_recording(
    path: Path,
    *,
    subject: str | None = None,
    session: str | None = None,
    recording: str | None = None,
    drop_channels: Sequence[str] = (),
    keep_aux: bool = False,
    stimulus_column: str | None = None,
    strict: bool = True,
) -> "Recording":
    """Read one recording, choosing the reader by the file's suffix.

    Parameters
    ----------
    path
        A muse-lsl CSV file.
    subject, session, recording
        Identity, where folder and file names do not tell it.
    drop_channels
        Channels to leave out.
    keep_aux
        Keep the auxiliary input.
    stimulus_column
        Column that names the picture shown.
    strict
        Refuse NaN, constant channels and files without events; False is for inspection.
    """
    from phosphene.data.formats.muse_csv import read_muse_csv

    path = Path(path)
    if not path.is_file():
        raise ValueError(f"a recording is a file; there is none at {path}; correct the path.")
    if path.suffix.lower() not in RECORDING_SUFFIXES:
        raise ValueError(
            f"recordings are read from {', '.join(RECORDING_SUFFIXES)} files (muse-lsl); got "
            f"{path.name}; convert it."
        )
    return read_muse_csv(
        path,
        subject=subject,
        session=session,
        recording=recording,
        drop_channels=drop_channels,
        keep_aux=keep_aux,
        stimulus_column=stimulus_column,
        strict=strict,
    )


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """Return the recording files among files and, searched recursively, folders; sorted."""
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = [
                p
                for p in sorted(path.rglob("*"))
                if p.is_file()
                and p.suffix.lower() in RECORDING_SUFFIXES
                and not any(part.startswith(".") for part in p.relative_to(path).parts)
            ]
            if not inside:
                raise ValueError(
                    f"a folder of recordings must hold {', '.join(RECORDING_SUFFIXES)} files; "
                    f"{path} holds none; correct the path."
                )
            found.update(dict.fromkeys(inside))
        elif path.is_file():
            found[path] = None
        else:
            raise ValueError(
                f"recordings are files or folders; there is nothing at {path}; correct the path."
            )
    return list(found)


def read_images(
    path: Path,
    *,
    class_from: Literal["folder", "prefix"] = "folder",
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
        Where the class of a picture file stands: its folder's name, or its own up to the hyphen.
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
