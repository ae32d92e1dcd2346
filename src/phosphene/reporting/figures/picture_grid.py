"""What was shown against what was generated, and every class at a glance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from phosphene.reporting.contents import Arrays, Contents, Fold
from phosphene.reporting.figures.palette import class_colors, css_color
from phosphene.reporting.figures.themed_svg import png_address, shrink

MAX_ROWS, MAX_DRAWS, BYTE_BUDGET = 20, 5, 2_400_000
WALL_CLASSES, WALL_DRAWS, WALL_REAL, WALL_TILES = 40, 10, 4, 140


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as a data address; `judged` is what the judge sees in it, "" if not asked."""

    address: str
    judged: str = ""
    fits: bool = True
    """Whether the judge sees the decoded class."""


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """One held-out trial."""

    trial: str
    true: str
    decoded: str
    right: bool
    shown: Picture | None
    draws: tuple[Picture, ...]
    nearest: Picture | None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Trials of one fold, balanced over their true classes."""

    fold: str
    rows: tuple[GridRow, ...]
    n_stored: int
    pixelated: bool
    n_wrong: int

    @property
    def halves(self) -> tuple[tuple[GridRow, ...], ...]:
        """Return small pictures in two columns of equal height, few or large ones in one."""
        middle = (len(self.rows) + 1) // 2
        side_by_side = self.pixelated and len(self.rows) > 5  # larger pictures need the width
        return (self.rows[:middle], self.rows[middle:]) if side_by_side else (self.rows,)

    @property
    def long_names(self) -> bool:
        """Whether a class name is too long to be written large."""
        return any(len(name) > 4 for row in self.rows for name in (row.true, row.decoded))


@dataclass(frozen=True, kw_only=True)
class WallRow:
    """One class: real pictures and generated ones in a strip each."""

    name: str
    color: str
    real: str
    """Data address of the strip, "" where no real pictures are stored."""
    n_real: int
    generated: str
    """The same of generated pictures, "" where no trial was decoded as the class."""
    n_generated: int


@dataclass(frozen=True, kw_only=True)
class Wall:
    """Classes with what was generated for trials decoded as them."""

    rows: tuple[WallRow, ...]
    pixelated: bool
    n_real: int
    """Real pictures in the longest strip."""
    n_generated: int


def fold_with_pictures(contents: Contents) -> Fold | None:
    """Return the first fold whose pictures are written."""
    return next((f for f in contents.folds if f.pictures and len(f.pictures["images"])), None)


def picture_grid(contents: Contents) -> Grid | None:
    """Return the grid of the first fold that has pictures, None before there are any.

    Trials are taken class by class in their stored order, right or wrong, until there are enough
    or the bytes run out: nothing is chosen by how well it came out.
    """
    fold = fold_with_pictures(contents)
    if fold is None or fold.pictures is None:
        return None
    arrays = fold.pictures
    rows, spent = [], 0
    for index in round_robin(arrays["labels"], MAX_ROWS):
        row = _grid_row(contents, arrays, index)
        spent += sum(len(p.address) for p in (row.shown, *row.draws, row.nearest) if p)
        if rows and spent > BYTE_BUDGET:
            break
        rows.append((int(arrays["labels"][index]), row))
    rows.sort(key=lambda pair: pair[0])  # stable: classes together, stored order within
    return Grid(
        fold=fold.key,
        rows=tuple(row for _, row in rows),
        n_stored=len(arrays["images"]),
        pixelated=arrays["images"].shape[2] <= 64,
        n_wrong=sum(not row.right for _, row in rows),
    )


def round_robin(labels: np.ndarray, n_wanted: int) -> list[int]:
    """Return indices that take one item of each class, then the second of each, and so on."""
    queues = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    taken: Iterator[int] = (
        queue[depth]
        for depth in range(max(map(len, queues), default=0))
        for queue in queues
        if depth < len(queue)
    )
    return [index for index, _ in zip(taken, range(n_wanted), strict=False)]


def _grid_row(contents: Contents, arrays: Arrays, index: int) -> GridRow:
    true = int(arrays["labels"][index])
    decoded = int(arrays["decoded"][index]) if "decoded" in arrays else true
    trials = arrays.get("trial", arrays.get("trials"))

    def picture(key: str) -> Picture | None:
        return Picture(address=png_address(arrays[key][index])) if key in arrays else None

    def draw(number: int) -> Picture:
        judged = int(arrays["judged"][index, number]) if "judged" in arrays else -1
        return Picture(
            address=png_address(arrays["images"][index, number]),
            judged=contents.class_name(judged) if judged >= 0 else "",
            fits=judged == decoded,
        )

    return GridRow(
        trial="" if trials is None else str(trials[index]),
        true=contents.class_name(true),
        decoded=contents.class_name(decoded),
        right=decoded == true,
        shown=picture("shown"),
        draws=tuple(draw(n) for n in range(min(MAX_DRAWS, arrays["images"].shape[1]))),
        nearest=picture("nearest"),
    )


def picture_wall(contents: Contents) -> Wall | None:
    """Return one row per class with the draws of trials decoded as it, None before there are any.

    Real pictures come from `real`, uint8 `(class, example, height, width, color)`, or, without it,
    from the pictures shown in trials of the class.
    """
    fold = fold_with_pictures(contents)
    if fold is None or fold.pictures is None:
        return None
    arrays = fold.pictures
    decoded = arrays["decoded"] if "decoded" in arrays else arrays["labels"]
    size = arrays["images"].shape[2]
    labels = np.union1d(decoded, arrays["labels"]).tolist()[:WALL_CLASSES]
    tile = 72 if len(labels) * (WALL_DRAWS + WALL_REAL) <= WALL_TILES else 44
    colors = class_colors(max(len(contents.classes), max(labels) + 1))
    rows = []
    for label in labels:
        # One draw of each trial first, so that the strip shows trials before noise.
        generated = arrays["images"][decoded == label].swapaxes(0, 1).reshape(-1, *_shape(arrays))
        real = _real_pictures(arrays, label)[:WALL_REAL]
        generated = generated[:WALL_DRAWS]
        rows.append(
            WallRow(
                name=contents.class_name(label),
                color=css_color(colors[label]),
                real=png_address(strip(real, tile)) if len(real) else "",
                n_real=len(real),
                generated=png_address(strip(generated, tile)) if len(generated) else "",
                n_generated=len(generated),
            )
        )
    return Wall(
        rows=tuple(rows),
        pixelated=size <= 64,
        n_real=max(row.n_real for row in rows),
        n_generated=max(row.n_generated for row in rows),
    )


def _shape(arrays: Arrays) -> tuple[int, ...]:
    return arrays["images"].shape[2:]


def _real_pictures(arrays: Arrays, label: int) -> np.ndarray:
    real = arrays.get("real")
    if real is not None and real.ndim == 5 and label < len(real):
        return _distinct(real[label])
    if "shown" in arrays:
        return _distinct(arrays["shown"][arrays["labels"] == label])
    return np.zeros((0, *_shape(arrays)), np.uint8)


def _distinct(pictures: np.ndarray) -> np.ndarray:
    first = {picture.tobytes(): index for index, picture in reversed([*enumerate(pictures)])}
    return pictures[sorted(first.values())]


def strip(pictures: np.ndarray, size: int) -> np.ndarray:
    """Return `(n, height, width, color)` side by side, at most `size` high."""
    return np.concatenate([shrink(picture, size) for picture in pictures], axis=1)
