"""Scores as a table: the number, its interval, what chance gives, and what n counts."""

import json
import os
from collections.abc import Sequence

from phosphene.score import ROLES, SECTIONS, Score, scores_to_json


def print_scores(scores: Sequence[Score], *, as_json: bool = False) -> None:
    """Print scores, section by section and results first, or as one JSON list.

    Decoding of single recordings and pictures of single classes are left to the report and to
    JSON.
    """
    if as_json:
        print(json.dumps(scores_to_json(scores), indent=2, ensure_ascii=False))
        return
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=120)  # a file has no width
    single = [s for s in scores if s.section == "decoding" and s.fold != "all"]
    classes = [s for s in scores if s.name.startswith("IS of class ")]
    for section in SECTIONS:
        chosen = [s for s in scores if s.section == section and s not in [*single, *classes]]
        if not chosen:
            continue
        table = Table(
            title=section.capitalize(),
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        table.add_column("score")
        table.add_column("of")
        for column in ("value", "95 %", "chance", "n"):
            table.add_column(column, justify="left" if column == "n" else "right", no_wrap=True)
        for score in sorted(chosen, key=lambda score: ROLES.index(score.role)):
            fold = "" if score.fold == "all" else f", {score.fold}"
            role = "" if score.role == "result" else f" ({score.role})"
            table.add_row(
                escape(score.name + fold),
                escape(score.method + role),
                _number(score.value),
                _interval(score.low, score.high) or "–",
                _chance(score),
                f"{score.n} {score.unit}",
                style="bold" if score.role == "result" else "",
            )
        console.print(table)
    for left, of in ((single, "recordings"), (classes, "classes")):
        if left:
            console.print(f"  {len(left)} scores of single {of}: in the report", style="dim")
    for note in dict.fromkeys(s.note for s in scores if s.note and s not in classes):
        console.print(f"  {note}", style="dim", markup=False, highlight=False)


def _chance(score: Score) -> str:
    """Return the 95 % range under chance, its centre where no range is known."""
    if span := _interval(score.chance_low, score.chance_high):
        return span
    return "–" if score.chance is None else _number(score.chance)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_number(low)}–{_number(high)}"


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
