"""Scores as a table: the number, its interval, what chance gives, and what n counts."""

import json
from collections.abc import Sequence

from phosphene.score import SECTIONS, Score, scores_to_json

MARKS = {"result": "", "baseline": "baseline", "control": "control", "reference": "reference"}


def print_scores(scores: Sequence[Score], *, as_json: bool = False) -> None:
    """Print scores, section by section and results first, or as one JSON list."""
    if as_json:
        print(json.dumps(scores_to_json(scores), indent=2, ensure_ascii=False))
        return
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    for section in SECTIONS:
        chosen = [score for score in scores if score.section == section]
        if not chosen:
            continue
        table = Table(title=section.capitalize(), title_justify="left", box=box.SIMPLE_HEAD)
        for column in ("what", "role", "score"):
            table.add_column(column)
        for column in ("value", "95 % interval", "chance (95 %)"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("n", no_wrap=True)
        for score in sorted(chosen, key=lambda score: list(MARKS).index(score.role)):
            table.add_row(
                escape(score.method or "—"),
                MARKS[score.role],
                escape(score.name if score.fold == "all" else f"{score.name}, {score.fold}"),
                _number(score.value),
                _interval(score.low, score.high),
                _chance(score),
                f"{score.n} {score.unit}",
                style="bold" if score.role == "result" else "",
            )
        console.print(table)
    for note in dict.fromkeys(score.note for score in scores if score.note):
        console.print(f"  {note}", style="dim", markup=False, highlight=False)


def _chance(score: Score) -> str:
    if score.chance is None:
        return "—"
    span = _interval(score.chance_low, score.chance_high)
    return _number(score.chance) + ("" if span == "—" else f" ({span})")


def _interval(low: float | None, high: float | None) -> str:
    return "—" if low is None or high is None else f"{_number(low)} – {_number(high)}"


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
