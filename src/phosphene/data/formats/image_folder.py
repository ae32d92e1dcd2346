"""Pictures as PNG and JPEG files: one folder per class, or the class as the name's prefix."""

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from phosphene import _checks
from phosphene._checks.files import check_amount, check_name, inside, read_bytes
from phosphene.data.images import IMAGE_COLUMNS, ImageSet, fit_picture

SUFFIXES = (".png", ".jpg", ".jpeg")
MAX_PIXELS = 50_000_000
MAX_FILE_BYTES = 100 << 20
MAX_TOTAL_BYTES = 2 << 30
"""Bytes of all pictures together, as they are kept."""
MAX_DOCUMENT_BYTES = 1 << 20
MAX_SCANS = 50
"""Passes in which a JPEG file may refine its picture; each takes as long as decoding it."""
FORMATS = ("PNG", "JPEG")
"""What Pillow may take a file of a picture folder for."""
DOCUMENTS = re.compile(r"(licen[cs]e|readme|copying|citation|notice)(\W.*)?", re.IGNORECASE)


def read_image_folder(
    path: Path,
    *,
    class_from: Literal["folder", "prefix", "none"] = "folder",
    image_size: int | None = None,
    grey: bool = False,
    shown: Sequence[str] = (),
) -> ImageSet:
    """Read PNG and JPEG files, turned as their EXIF orientation says.

    Parameters
    ----------
    path
        A folder, or a single picture (its class is then its folder's name or its prefix).
    class_from
        'folder': one sub-folder per class. 'prefix': flat, the class is the file name up to the
        first hyphen (cat-1.jpg is of class cat). 'none': all are of one class, named as the folder,
        wherever they lie in it.
    image_size
        Pictures larger than this, or of unequal sizes, are cropped to their central square and
        resized with antialiasing to this side, or to the smallest picture's if that is smaller.
        None keeps the size, which must then be the same for all.
    grey
        Read as one grey channel; else RGB, unless all pictures are grey.
    shown
        Patterns (``*3.jpg``) of the names of pictures that were shown; all when empty.

    Returns
    -------
    ImageSet
        Classes and pictures in natural order of their names. The stimulus of a picture is its file
        name, or its path in the folder where file names repeat. Transparent places are white;
        ``notes`` says so, and which small picture made all small.

    Raises
    ------
    ValueError
        For a file that is no picture (LICENSE, README and hidden files are passed over), a name
        that is not UTF-8, a damaged picture, one above 50 million pixels, pictures above 2 GiB in
        all, unequal sizes, and links that lead out of the folder.
    """
    path = Path(path)
    files = _find(path, class_from)
    root = path if path.is_dir() else path.parent
    relative = [file.relative_to(root).as_posix() for file in files]
    looks = [look_at_picture(_read(file), name) for file, name in zip(files, relative, strict=True)]
    is_grey = grey or all(mode in ("1", "L") for _, mode in looks)
    color = 1 if is_grey else 3
    fit = _side([size for size, _ in looks], image_size, color, path)
    notes = _note_of_smallest(relative, [size for size, _ in looks], image_size)
    pixels, digests, filled = [], [], []
    for file, name in zip(files, relative, strict=True):  # one is decoded at a time
        content = _read(file)
        picture = decode_picture(content, name)
        if is_transparent(picture):
            picture = on_white(picture)
            filled.append(name)
        if fit is not None:
            pixels.append(fit_picture(picture, size=fit, color=color))
        else:
            array = np.asarray(picture.convert("L" if color == 1 else "RGB"))
            pixels.append(array.reshape(*array.shape[:2], color))
            _check_same(pixels[0].shape, pixels[-1].shape, path)
        digests.append(hashlib.sha256(content).hexdigest())
    if filled:
        many = f"{len(filled)} pictures are" if len(filled) > 1 else "1 picture is"
        notes.append(f"{many} transparent in places, which became white ({filled[0]})")
    names = [file.name for file in files]
    class_of = [_class_name(file, root, class_from) for file in files]
    classes = tuple(sorted(set(class_of), key=natural_key))
    table = pd.DataFrame(
        {
            "image_id": relative,
            "label": [classes.index(name) for name in class_of],
            "class_name": class_of,
            "stimulus": names if len(set(names)) == len(names) else relative,
            "shown": True,
            "source": relative,
            "sha256": digests,
        }
    ).astype(IMAGE_COLUMNS)
    table = mark_shown(table, shown, where=path)
    return ImageSet(np.stack(pixels), table, classes, tuple(notes))


def mark_shown(table: pd.DataFrame, patterns: Sequence[str], *, where: Path) -> pd.DataFrame:
    """Mark as shown what matches a pattern by name or path; without patterns change nothing.

    A class of which nothing matches is refused.
    """
    if not patterns:
        return table
    shown = [
        any(fnmatch(name, p) for p in patterns for name in (row.stimulus, row.image_id))
        for row in table.itertuples()
    ]
    table = table.assign(shown=shown)
    for class_name, some in table.groupby("class_name", sort=False)["shown"].any().items():
        if not some:
            raise ValueError(
                f"each class needs a picture that was shown; no name of class '{class_name}' in "
                f"{where.name} matches {' '.join(patterns)}; correct --shown."
            )
    return table


def rename_classes(images: ImageSet, names: Mapping[str, str]) -> ImageSet:
    """Return the pictures with new class names; an unknown old name is refused."""
    for old in names:
        _checks.check_option("class-names", old, images.classes)
    classes = tuple(names.get(name, name) for name in images.classes)
    if len(set(classes)) < len(classes):
        raise ValueError(f"class names must differ; got {list(classes)}; choose other names.")
    table = images.table.assign(
        class_name=images.table["class_name"].map(lambda name: names.get(name, name))
    ).astype(IMAGE_COLUMNS)
    return replace(images, table=table, classes=classes)


def find_document(path: Path) -> str:
    """Return the text of the licence file that lies beside pictures; '' where there is none."""
    folder = path if path.is_dir() else path.parent
    for file in sorted(folder.iterdir()):
        if file.is_file() and re.match(r"licen[cs]e", file.name, re.IGNORECASE):
            content = read_bytes(inside(folder, file.name), limit=MAX_DOCUMENT_BYTES)
            return content.decode("utf-8", errors="replace").strip()
    return ""


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sort key under which house2 comes before house10."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def _find(path: Path, class_from: str) -> list[Path]:
    """Return the picture files in natural order, refusing any other kind of file."""
    _checks.check_option("class-from", class_from, ("folder", "prefix", "none"))
    if path.is_file():
        check_name(Path(path.name))
        _check_suffix(path, path.name)
        return [path]
    files = []
    for file in sorted(path.rglob("*"), key=lambda f: natural_key(f.relative_to(path).as_posix())):
        relative = file.relative_to(path)
        check_name(relative)
        inside(path, relative)
        if file.is_symlink() and file.is_dir():
            raise ValueError(
                f"a folder of pictures holds no links to folders; {path.name}/"
                f"{relative.as_posix()} is one; copy the folder there."
            )
        if file.is_dir() or any(part.startswith(".") for part in relative.parts):
            continue
        if DOCUMENTS.fullmatch(file.name) and file.suffix.lower() not in SUFFIXES:
            continue
        _check_suffix(file, f"{path.name}/{relative.as_posix()}")
        if class_from == "folder" and len(relative.parts) == 1:
            raise ValueError(
                f"with --class-from folder each class has its own sub-folder; "
                f"{path.name}/{file.name} "
                "lies in none; move it, or read classes from names (cat-1.jpg) with "
                "--class-from prefix."
            )
        files.append(file)
    if not files:
        raise ValueError(
            f"a folder of pictures holds {', '.join(SUFFIXES)} files; {path} holds none; correct "
            f"the path."
        )
    return files


def _check_suffix(file: Path, name: str) -> None:
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"a folder of pictures holds only {', '.join(SUFFIXES)} files; got {name}; move it "
            f"away or convert it."
        )


def _class_name(file: Path, root: Path, class_from: str) -> str:
    if class_from == "none":
        return root.name or "pictures"
    if class_from == "folder":
        parts = file.relative_to(root).parts
        return parts[0] if len(parts) > 1 else root.name or "pictures"
    prefix, hyphen, _ = file.name.partition("-")
    if not hyphen or not prefix:
        raise ValueError(
            f"with --class-from prefix a name is class-number; got {file.name}; rename it as in "
            "cat-1.jpg."
        )
    return prefix


def _read(file: Path) -> bytes:
    return read_bytes(file, limit=MAX_FILE_BYTES)


def look_at_picture(
    content: bytes, name: str, *, formats: tuple[str, ...] = FORMATS
) -> tuple[tuple[int, int], str]:
    """Return size and mode of a picture from its header alone, refusing what is too large.

    A TIFF file of several pictures and an animated PNG are refused too.
    """
    with _one_sentence(name, formats):
        picture = Image.open(io.BytesIO(content), formats=formats)
    n_pixels = picture.width * picture.height
    check_amount(f"the picture {name}", n_pixels, MAX_PIXELS, unit="pixels")
    n_scans = content.count(b"\xff\xda") if picture.format == "JPEG" else 0
    check_amount(f"the picture {name}", n_scans, MAX_SCANS, unit="scans")
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        raise ValueError(
            f"a picture has 8 bits per color; {name} has more ({picture.mode}); convert it."
        )
    if picture.format == "TIFF" and _has_second(picture, name, formats):
        raise ValueError(
            f"a file holds one picture; {name} holds several; save each as a file of its own."
        )
    if picture.format == "PNG" and getattr(picture, "is_animated", False):
        raise ValueError(
            f"a file holds one picture; {name} is animated; save one of its pictures as a file of "
            "its own."
        )
    return picture.size, picture.mode


def decode_picture(content: bytes, name: str, *, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """Decode one picture, turned as its EXIF orientation says; `look_at_picture` has seen it."""
    with _one_sentence(name, formats):
        picture = Image.open(io.BytesIO(content), formats=formats)
        picture.load()
        return ImageOps.exif_transpose(picture)


def is_transparent(picture: Image.Image) -> bool:
    """Say whether a pixel lets something through; an alpha channel alone does not."""
    if not picture.has_transparency_data:
        return False
    opacity = picture.convert("RGBA").getchannel("A").getextrema()
    return opacity != (255, 255)


def on_white(picture: Image.Image) -> Image.Image:
    """Lay a picture on white, as most programs show it; to drop the alpha would uncover junk."""
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture.convert("RGBA"))
    return ground.convert("RGB")


def _note_of_smallest(
    names: Sequence[str], sizes: Sequence[tuple[int, int]], image_size: int | None
) -> list[str]:
    """Say which picture is smaller than what was asked for, where it makes others smaller."""
    sides = [min(size) for size in sizes]
    side = min(sides)
    if image_size is None or side >= min(image_size, max(sides)):
        return []
    name, (width, height) = next(
        (name, size) for name, size in zip(names, sizes, strict=True) if min(size) == side
    )
    return [
        f"all became {side} x {side}, below the {image_size} asked for, for {name} is "
        f"{width} x {height}; leave it out for larger ones"
    ]


def _has_second(picture: Image.Image, name: str, formats: tuple[str, ...]) -> bool:
    """Say whether a file goes on after its first picture, without counting how far."""
    with _one_sentence(name, formats):
        try:
            picture.seek(1)
        except EOFError:
            return False
        return True


@contextmanager
def _one_sentence(name: str, formats: tuple[str, ...]) -> Iterator[None]:
    """Turn whatever Pillow says of a damaged picture into one ValueError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on sizes, where the limit is ours, and broken EXIF
            yield
    except UnidentifiedImageError:
        raise ValueError(
            f"a picture must be {' or '.join([', '.join(formats[:-1]), formats[-1]])} inside; "
            f"{name} is neither; move it away or convert it."
        ) from None
    except Image.DecompressionBombError:
        raise ValueError(
            f"a picture may have {MAX_PIXELS} pixels; {name} has several times as many; shrink it."
        ) from None
    except Exception as error:  # Pillow's plugins let struct.error, KeyError and others through
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise ValueError(
            f"a picture must be whole; {name} cannot be decoded ({said}); copy it again."
        ) from None


def _side(
    sizes: Sequence[tuple[int, int]], image_size: int | None, color: int, path: Path
) -> int | None:
    """Return the side to crop and resize to, None to keep what has one size that is no square."""
    if image_size is not None:
        _checks.check_positive("image-size", image_size)
    elif len({tuple(sorted(size)) for size in sizes}) > 1:  # EXIF may still turn some
        first, last = sorted(sizes)[0], sorted(sizes)[-1]
        _check_same(first[::-1], last[::-1], path)
    side = min(min(size) for size in sizes)
    side = side if image_size is None else min(side, image_size)
    keep = image_size is None and sizes[0][0] != sizes[0][1]
    n_pixels = sizes[0][0] * sizes[0][1] if keep else side * side
    check_amount(f"the pictures of {path.name}", len(sizes) * n_pixels * color, MAX_TOTAL_BYTES)
    return None if keep else side


def _check_same(first: Sequence[int], second: Sequence[int], path: Path) -> None:
    if tuple(first[:2]) != tuple(second[:2]):
        (h1, w1), (h2, w2) = first[:2], second[:2]
        raise ValueError(
            f"pictures need one size; those in {path.name} go from {w1}x{h1} to {w2}x{h2}; crop "
            f"and resize them with --image-size."
        )
