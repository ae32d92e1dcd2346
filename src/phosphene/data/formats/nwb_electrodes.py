"""The electrodes of an NWB file: where each channel of a probe lies, and which are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from phosphene import _checks
from phosphene._checks.files import shown
from phosphene.data.formats.hdf5_file import (
    MAX_ROWS,
    find_group,
    find_numbers,
    read_numbers,
    read_texts,
)

if TYPE_CHECKING:
    import h5py

DEPTHS = ("probe_vertical_position", "rel_y")
"""Columns that give an electrode's place along the probe, the Allen Institute's first."""
SIDES = ("probe_horizontal_position", "rel_x")


@dataclass(frozen=True, eq=False)
class Electrodes:
    """The electrode of each column of a series."""

    ids: np.ndarray
    """``(column,)`` int64: the electrodes' ids."""
    areas: tuple[str, ...]
    """Acronym of the brain area, '' where the file names none."""
    numbers: np.ndarray
    """``(column,)`` int64: place on the probe (`local_index`), else the id."""
    depth: np.ndarray | None
    """``(column,)`` distance from the tip in um; None where the file gives none."""
    side: np.ndarray
    """``(column,)`` position across the probe in um, 0 where the file gives none."""
    valid: np.ndarray
    """``(column,)`` bool: False where the file says that the data are not usable."""

    def name(self, column: int) -> str:
        """Return a channel's name: its area and its number on the probe, as in 'VISp 212'."""
        return f"{self.areas[column]} {self.numbers[column]}".strip()


def read_electrodes(file: "h5py.File", series: "h5py.Group", *, n_columns: int) -> Electrodes:
    """Read the rows of the electrodes table that a series names, one per column of its data.

    Raises
    ------
    ValueError
        When there is no table, the rows are not in it, or do not match the columns.
    """
    source = file.filename
    table = find_group(file, "general/extracellular_ephys/electrodes")
    ids = None if table is None else read_numbers(table, "id")
    rows = read_numbers(series, "electrodes")
    if table is None or ids is None or rows is None or not len(ids):
        raise ValueError(
            f"an LFP series names its electrodes; {source} has no table of them or no "
            f"{series.name}/electrodes; export it with its electrodes."
        )
    if len(ids) > MAX_ROWS or len(rows) != n_columns or len(set(rows.tolist())) < len(rows):
        raise ValueError(
            f"each of the {n_columns} channels of {series.name} needs an electrode of its own; "
            f"{source} names {len(rows)}; export it again."
        )
    if rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= len(ids):
        raise ValueError(
            f"electrodes are rows of a table of {len(ids)}; {series.name} of {source} names "
            f"{rows.min()} to {rows.max()}; export it again."
        )

    def numbers(name: str) -> np.ndarray | None:
        found = find_numbers(table, name)
        if found is None:
            return None
        if len(found) != len(ids):
            raise ValueError(
                f"columns of a table are of one length; {name} of {source} has {len(found)} rows "
                f"for {len(ids)} electrodes; export it again."
            )
        return found[()][rows]

    def first(names: Sequence[str]) -> np.ndarray | None:
        found = (numbers(name) for name in names)
        return next((values for values in found if values is not None), None)

    areas = read_texts(table, "location") or [""] * len(ids)
    if len(areas) != len(ids):
        raise ValueError(
            f"columns of a table are of one length; location of {source} has {len(areas)} rows for "
            f"{len(ids)} electrodes; export it again."
        )
    local, valid, side = numbers("local_index"), numbers("valid_data"), first(SIDES)
    places = ids[rows].astype(np.int64) if local is None else local.astype(np.int64)
    return Electrodes(
        ids=ids[rows].astype(np.int64),
        areas=tuple("" if areas[row] == "None" else areas[row] for row in rows),
        numbers=places if len(set(places)) == len(places) else ids[rows].astype(np.int64),
        depth=_finite(first(DEPTHS)),
        side=np.zeros(n_columns) if side is None else side.astype(np.float64),
        valid=np.ones(n_columns, bool) if valid is None else valid.astype(bool),
    )


def choose_columns(
    electrodes: Electrodes,
    *,
    area: str | None = None,
    channels: Sequence[int] | None = None,
    max_channels: int | None = None,
) -> list[int]:
    """Return the columns of a series that are asked for, from the surface down.

    Parameters
    ----------
    electrodes
        Of all columns.
    area
        Keep the electrodes in this brain area, such as VISp (primary visual cortex).
    channels
        Keep the electrodes of these ids, those that the file calls not valid as well.
    max_channels
        Keep at most so many of what is left, evenly spaced.

    Returns
    -------
    list of int
        In order of falling distance from the tip; in the file's order where it gives no positions.

    Raises
    ------
    ValueError
        When an area or an id is unknown, or nothing is left.
    """
    columns = list(range(len(electrodes.ids)))
    if area is not None:
        _checks.check_option("area", area, sorted(set(filter(None, electrodes.areas))) or ["none"])
        columns = [c for c in columns if electrodes.areas[c] == area]
    if channels is not None:
        known = {int(electrodes.ids[c]): c for c in columns}
        unknown = [channel for channel in channels if channel not in known]
        if unknown or not channels:
            raise ValueError(
                f"`channels` are ids of electrodes, {shown(sorted(known))}"
                f"{f' in {area}' if area else ''}; got {', '.join(map(str, unknown)) or 'none'}; "
                "correct --channels."
            )
        columns = sorted({known[channel] for channel in channels})
    else:
        columns = [c for c in columns if electrodes.valid[c]]
    if not columns:
        raise ValueError(
            f"a recording needs channels; none of {len(electrodes.ids)} is valid"
            f"{f' in {area}' if area else ''}; choose another --area, or --channels."
        )
    if electrodes.depth is not None:
        depth, side = electrodes.depth, electrodes.side
        columns.sort(key=lambda c: (-depth[c], side[c], c))
    if max_channels is not None and len(columns) > max_channels:
        _checks.check_positive("max_channels", max_channels)
        picks = np.linspace(0, len(columns) - 1, max_channels).round().astype(int)
        columns = [columns[i] for i in picks]
    return columns


def _finite(values: np.ndarray | None) -> np.ndarray | None:
    """Return positions as float64; None where one is missing, for then they order nothing."""
    if values is None or not np.isfinite(values.astype(np.float64)).all():
        return None
    return values.astype(np.float64)
