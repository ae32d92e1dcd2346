"""Pictures in the IDX format of MNIST, gzipped or not."""

import gzip
import hashlib
import os
import re
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import pandas as pd

from phosphene._checks.files import check_amount, inside, open_regular
from phosphene.data.images import IMAGE_COLUMNS, ImageSet

MAX_BYTES = 1 << 30
MAX_PICTURES = 1_000_000
CHUNK = 1 << 24
IMAGES_MAGIC, LABELS_MAGIC = 0x803, 0x801
_NAME = re.compile(r"(?P<stem>.+)-(?P<kind>images|labels)[-.]idx(?P<dims>[13])-ubyte(?P<gz>\.gz)?")


def is_idx(path: Path) -> bool:
    """Say whether a file, or a file in a folder, is named like MNIST's."""
    names = [p.name for p in path.iterdir()] if path.is_dir() else [path.name]
    return any(_NAME.fullmatch(name) for name in names)


def read_mnist_idx(images_path: Path, labels_path: Path) -> ImageSet:
    """Read one file of pictures and the file of their labels.

    Class names are the labels as text.

    Raises
    ------
    ValueError
        For a wrong magic number, more than 1 GiB or a million pictures, too few or too many bytes,
        a damaged gzip file, or counts that differ. Nothing of the announced size is allocated
        before it is checked.
    """
    images_path, labels_path = Path(images_path), Path(labels_path)
    pixels = _read_idx(images_path, IMAGES_MAGIC, n_axes=3)
    labels = _read_idx(labels_path, LABELS_MAGIC, n_axes=1).astype(np.int64)
    if len(pixels) != len(labels):
        raise ValueError(
            f"each picture needs one label; {images_path.name} has {len(pixels)} pictures, "
            f"{labels_path.name} {len(labels)} labels; take the two files of one set."
        )
    if not pixels.size:
        raise ValueError(f"need a picture; {images_path.name} has none; download it again.")
    match = _NAME.fullmatch(images_path.name)
    stem = match["stem"] if match else images_path.name
    names = [f"{stem}-{i:05d}" for i in range(len(pixels))]
    table = pd.DataFrame(
        {
            "image_id": names,
            "label": labels,
            "class_name": [str(label) for label in labels],
            "stimulus": names,
            "shown": True,
            "source": images_path.name,
            "sha256": [hashlib.sha256(p.tobytes()).hexdigest() for p in pixels],
        }
    ).astype(IMAGE_COLUMNS)
    classes = tuple(str(label) for label in range(labels.max() + 1))
    return ImageSet(pixels[..., None], table, classes)


def read_mnist_folder(path: Path) -> ImageSet:
    """Read all pairs of a folder (training and test pictures), or the pair of one file.

    Raises
    ------
    ValueError
        When a file's partner is missing, or see `read_mnist_idx`.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    stems: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.iterdir()):
        match = _NAME.fullmatch(file.name)
        if match:
            inside(folder, file.name)
            stems.setdefault(match["stem"], {}).setdefault(match["kind"], file)
    if not path.is_dir():
        match = _NAME.fullmatch(path.name)
        stems = {s: pair for s, pair in stems.items() if match and s == match["stem"]}
    sets = []
    for stem, pair in sorted(stems.items(), reverse=True):  # train before t10k
        for kind in ("images", "labels"):
            if kind not in pair:
                raise ValueError(
                    f"pictures and labels come as two files; {folder} has no {stem}-{kind} file; "
                    "download it too."
                )
        sets.append(read_mnist_idx(pair["images"], pair["labels"]))
    if not sets:
        raise ValueError(f"need IDX files; {folder} holds none; correct the path.")
    if len({s.pixels.shape[1:] for s in sets}) > 1:
        raise ValueError(f"pictures of one set have one size; {folder} mixes sizes; read one file.")
    classes = max((s.classes for s in sets), key=len)
    table = pd.concat([s.table for s in sets], ignore_index=True)
    return ImageSet(np.concatenate([s.pixels for s in sets]), table, classes)


def _read_idx(path: Path, magic: int, *, n_axes: int) -> np.ndarray:
    n_header = 4 * (1 + n_axes)
    try:
        with open_regular(path) as raw:
            file = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            first = file.read(n_header)
            header = np.frombuffer(first[: len(first) // 4 * 4], dtype=">u4")
            if len(header) < 1 + n_axes or header[0] != magic:
                found = f"{int(header[0]):#010x}" if len(header) else "nothing"
                raise ValueError(
                    f"this IDX file starts with {magic:#010x}; {path.name} starts with {found}; "
                    f"it is another file or damaged: download it again."
                )
            shape = tuple(int(n) for n in header[1:])
            size = int(np.prod(shape, dtype=object))
            check_amount(f"the IDX file {path.name}", size, MAX_BYTES)
            check_amount(f"the IDX file {path.name}", shape[0], MAX_PICTURES, unit="pictures")
            n_raw = os.fstat(raw.fileno()).st_size - n_header
            content = _read(file, size) if file is not raw or size == n_raw else None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"a .gz file must unpack; {path.name} does not ({error}); download it again."
        ) from None
    if content is None or len(content) != size:
        n_found = n_raw if content is None else len(content)
        found = f"only {n_found}" if n_found < size else "more"
        raise ValueError(
            f"{path.name} announces {size} bytes {shape}; it has {found}; download it again."
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _read(file: BufferedIOBase, size: int) -> bytes:
    """Read what there is up to one byte more than announced, so that memory follows the file."""
    parts, n_left = [], size + 1
    while n_left and (part := file.read(min(n_left, CHUNK))):
        parts.append(part)
        n_left -= len(part)
    return b"".join(parts)
