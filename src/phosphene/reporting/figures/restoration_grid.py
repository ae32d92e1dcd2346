"""Figure 7 of the restoration paper: given, restored and original pictures side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from phosphene.reporting.contents import Contents
from phosphene.reporting.figures.themed_svg import png_address, shrink
from phosphene.reporting.restoration_contents import Restored, ShownPictures

SIDE = 96
"""Rows that a picture has on the page at most; smaller ones are enlarged by the browser."""
BYTE_BUDGET = 6_000_000


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture; "" where the method did not restore it."""

    address: str
    seen: str
    """The class that the classifier names, "" if it was not asked."""
    fits: bool
    """Whether that is the class of the original."""


@dataclass(frozen=True, kw_only=True)
class GridRow:
    """One test picture in all its forms."""

    class_name: str
    name: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above neighbouring columns."""

    title: str
    n_columns: int


@dataclass(frozen=True, kw_only=True)
class RestorationGrid:
    """Rows of test pictures, columns of methods."""

    groups: tuple[Heading, ...]
    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]
    pixelated: bool
    n_stored: int
    judged: bool
    """Whether classes stand below pictures."""


def restoration_grid(contents: Contents) -> RestorationGrid | None:
    """Return the corrupted pictures, what each system makes of them, and the originals.

    The systems stand there twice where some were trained on to equal time. None before the test
    pictures are there.
    """
    found = contents.restorations
    if found is None or found.shown is None:
        return None
    shown = found.shown
    of = {kind: [made for made in shown.restored if made.kind == kind] for kind in found.budgets}
    middle = [made for some in of.values() for made in some]
    groups = [Heading(title="", n_columns=1)]
    alone = len(middle) == 1
    groups += [
        Heading(title="" if alone else f"at {kind}", n_columns=len(some))
        for kind, some in of.items()
        if some
    ]
    groups.append(Heading(title="", n_columns=1))
    return _lay_out(contents, shown, [shown.corrupted, *middle, shown.original], groups)


def baseline_grid(contents: Contents) -> RestorationGrid | None:
    """Return the same pictures as simple methods restore them; None where there are none."""
    shown = contents.restorations.shown if contents.restorations else None
    simple = [made for made in shown.restored if not made.kind] if shown else []
    if shown is None or not simple:
        return None
    return _lay_out(contents, shown, [shown.corrupted, *simple, shown.original], ())


def _lay_out(
    contents: Contents,
    shown: ShownPictures,
    methods: Sequence[Restored],
    groups: Sequence[Heading],
) -> RestorationGrid:
    rows, spent = [], 0
    for number, label in enumerate(shown.labels):
        tiles = tuple(_tile(contents, made, number, label) for made in methods)
        spent += sum(len(tile.address) for tile in tiles)
        if rows and spent > BYTE_BUDGET:
            break
        name = contents.class_name(label)
        rows.append(GridRow(class_name=name, name=shown.names[number], tiles=tiles))
    titles = {"corrupted": "input"}
    height = next(picture.shape[0] for picture in shown.original.pictures if picture is not None)
    return RestorationGrid(
        groups=tuple(groups),
        columns=tuple(titles.get(made.name, made.name) for made in methods),
        rows=tuple(rows),
        pixelated=height <= SIDE,
        n_stored=shown.n_stored,
        judged=any(tile.seen for row in rows for tile in row.tiles),
    )


def _tile(contents: Contents, made: Restored, number: int, label: int) -> Tile:
    picture, seen = made.pictures[number], made.predicted[number]
    return Tile(
        address="" if picture is None else png_address(shrink(picture, SIDE)),
        seen="" if seen is None else contents.class_name(seen),
        fits=seen == label,
    )
