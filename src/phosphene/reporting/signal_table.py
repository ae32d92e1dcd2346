"""Table 5.1 of the LFPGAN thesis: networks as rows, Inception Score and distances as columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from phosphene.reporting.number_text import range_text, value_text
from phosphene.reporting.signal_contents import system_order
from phosphene.reporting.signal_headline import metric_of, set_of
from phosphene.score import Score

METRICS = ("IS[", "FID[", "Fréchet distance[")
SETS = ("train", "test", "")
ROLE_ORDER = ("result", "baseline", "control", "reference")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number; texts are "" where it was not scored."""

    value: str = ""
    interval: str = ""


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One system, or real data: the distance between two halves of their showings."""

    method: str
    role: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class SignalTable:
    """Metrics of training pictures, then the same of test pictures."""

    sets: tuple[tuple[str, int], ...]
    """Name and number of columns."""
    metrics: tuple[str, ...]
    """Of every column."""
    rows: tuple[TableRow, ...]
    counts: str
    """Numbers of pictures that the columns rest on."""


def signal_table(scores: Sequence[Score]) -> SignalTable | None:
    """Return the table; None where no score of the thesis' kind is there."""
    found = {
        (set_of(s), metric_of(s), s.method, s.role): s
        for s in scores
        if s.section == "signals" and s.name.startswith(METRICS)
    }
    if not found:
        return None
    columns = sorted({key[:2] for key in found}, key=_column_order)
    methods = sorted({key[2:] for key in found}, key=_row_order)
    rows = []
    for method, role in methods:
        shown = [found.get((of, name, method, role)) for of, name in columns]
        cells = tuple(
            Cell()
            if score is None
            else Cell(value=value_text(score.value), interval=range_text(score.low, score.high))
            for score in shown
        )
        rows.append(TableRow(method=method or role, role=role, cells=cells))
    sets = {of: sum(column[0] == of for column in columns) for of, _ in columns}
    numbers = {of: {s.n for key, s in found.items() if key[0] == of} for of in sets}
    counts = [f"{max(n)} {_pictures_of(of)}" for of, n in numbers.items()]
    return SignalTable(
        sets=tuple((_pictures_of(of), n_columns) for of, n_columns in sets.items()),
        metrics=tuple(metric for _, metric in columns),
        rows=tuple(rows),
        counts=" and ".join(counts),
    )


def _pictures_of(of: str) -> str:
    """Return what the pictures of a set are called."""
    return {"train": "training pictures", "test": "test pictures"}.get(of, "pictures")


def _column_order(column: tuple[str, str]) -> tuple[int, int, str]:
    of, metric = column
    kind = next(i for i, start in enumerate(METRICS) if metric.startswith(start))
    return SETS.index(of), kind, metric


def _row_order(key: tuple[str, str]) -> tuple[int, tuple[int, str]]:
    method, role = key
    return ROLE_ORDER.index(role), system_order(method)
