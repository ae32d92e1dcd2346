"""Rows, columns and cells of a comparison, ready to be written in any format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phosphene.reporting.comparison_systems import Measure
from phosphene.reporting.number_text import range_text, value_text


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place of a table; empty where a run does not know the number."""

    text: str = ""
    small: tuple[str, ...] = ()
    """Lines below it: interval, chance."""
    state: str = ""
    """"inside", "outside" or "alarm" for controls."""
    plain: Mapping[str, Any] = field(default_factory=dict)
    """The same as numbers, for JSON."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """What a column holds."""

    key: str
    title: str
    small: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row; `label` is that of a system unless it is a reference."""

    label: str
    detail: str = ""
    cells: tuple[Cell, ...]
    reference: bool = False
    """Whether it is something real to hold systems against."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Columns of one kind, with a row for each system that has any of them."""

    key: str
    title: str
    lead: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    remarks: tuple[str, ...] = ()


def score_cell(measure: Measure | None, *, each_seed: bool = False) -> Cell:
    """Return a score with its interval, or its seeds, and what chance gives below it."""
    if measure is None:
        return Cell()
    small = []
    if each_seed and not measure.agrees:
        small.append(", ".join(value_text(one.value) for one in measure.each))
    elif ends := range_text(measure.low, measure.high):
        small.append(ends)
    if measure.chance is not None:
        small.append(f"chance {range_text(*measure.chance)}")
    return Cell(text=value_text(measure.value), small=tuple(small), plain=measure.to_json())


def reference_cell(measure: Measure | None) -> Cell:
    """Return what real pictures score: no chance is asked of them."""
    if measure is None:
        return Cell()
    ends = range_text(measure.low, measure.high)
    small = (ends,) if ends else ()
    return Cell(text=value_text(measure.value), small=small, plain=measure.to_json())


def cost_cell(measure: Measure | None) -> Cell:
    """Return a count, a time or a speed, with its lowest and highest over seeds."""
    if measure is None:
        return Cell()
    values = [one.value for one in measure.each]
    ends = cost_text(min(values)), cost_text(max(values))
    small = (" to ".join(ends),) if ends[0] != ends[1] else ()
    return Cell(text=cost_text(measure.value), small=small, plain=measure.to_json())


def cost_text(value: float) -> str:
    """Return a count, a time or a speed: whole from a hundred on, three digits below."""
    if value >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
