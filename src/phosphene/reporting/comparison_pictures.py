"""Pictures that each system drew, class by class, below real ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phosphene.reporting.comparison_runs import RunResult
from phosphene.reporting.comparison_systems import System
from phosphene.reporting.figures.picture_grid import strip
from phosphene.reporting.figures.themed_svg import png_address

MAX_CLASSES, MAX_TILES, MAX_EACH, TILE = 10, 16, 6, 64


@dataclass(frozen=True, kw_only=True)
class PictureRow:
    """One system: for each class the address of a strip, "" where it decoded no trial as such."""

    label: str
    strips: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Rows of pictures under the names of classes."""

    classes: tuple[str, ...]
    n_classes: int
    """Of the data; the first ones are shown."""
    rows: tuple[PictureRow, ...]
    pixelated: bool


def picture_rows(systems: Sequence[System]) -> Pictures | None:
    """Return what the first run of each system drew, None where none drew anything.

    Trials are taken in their stored order, the first draw of each: nothing is chosen by how well it
    came out. Real pictures stand on top.
    """
    drawn = [(system.label, found) for system in systems if (found := _arrays(system.runs[0]))]
    if not drawn:
        return None
    names = systems[0].runs[0].classes
    n_classes = len(names) or 1 + max(int(a["decoded"].max()) for _, a in drawn)
    labels = range(min(MAX_CLASSES, n_classes))
    n_each = min(MAX_EACH, max(1, MAX_TILES // len(labels)))
    first = drawn[0][1]
    rows = []
    real = first.get("real")
    if real is not None and real.ndim == 5:
        chosen = [real[label : label + 1].reshape(-1, *real.shape[2:])[:n_each] for label in labels]
        rows.append(PictureRow(label="real pictures", strips=tuple(map(_address, chosen))))
    for label, arrays in drawn:
        images = arrays["images"][:, 0]
        chosen = [images[arrays["decoded"] == number][:n_each] for number in labels]
        rows.append(PictureRow(label=label, strips=tuple(map(_address, chosen))))
    return Pictures(
        classes=tuple(names[i] if i < len(names) else str(i) for i in labels),
        n_classes=n_classes,
        rows=tuple(rows),
        pixelated=first["images"].shape[2] <= TILE,
    )


def _arrays(run: RunResult) -> dict[str, np.ndarray]:
    """Return the pictures of the first fold that keeps some, empty where none does."""
    for key in run.painted:
        if run.folder.has(name := f"folds/{key}/pictures.npz"):
            found = run.folder.read_arrays(name)
            if "decoded" in found and "images" in found and len(found["images"]):
                return found
    return {}


def _address(pictures: np.ndarray) -> str:
    return png_address(strip(pictures, TILE)) if len(pictures) else ""
