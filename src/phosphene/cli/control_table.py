"""Controls of a run as a table, with the verdict below it and what could not be done."""

import json
import os
from collections.abc import Mapping
from typing import Any


def print_controls(content: Mapping[str, Any], *, as_json: bool = False) -> None:
    """Print what controls.json holds: for each control its first number, and the verdict.

    Parameters
    ----------
    content
        From `experiment.controls.course.run_controls`.
    as_json
        Print it as it is.
    """
    if as_json:
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=140)  # a file has no width
    table = Table(
        title="Full controls", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD,
        pad_edge=False,
    )  # fmt: skip
    for name in ("control", "score", "of"):
        table.add_column(name)
    for name in ("value", "95 %", "chance", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("expected")
    table.add_column("found")
    for control in content["controls"]:
        score = control["scores"][0]
        style = "red" if control["passed"] is False else ""
        cells = (
            control["title"],
            score["name"],
            score["method"],
            f"{score['value']:.3f}",
            _range(score["low"], score["high"]),
            _range(score["chance_low"], score["chance_high"]),
            f"{score['n']} {score['unit']}",
            control["expected"],
            control["outcome"],
        )
        table.add_row(*(Text(cell, style=style) for cell in cells))
    console.print(table)
    for control in content["controls"]:
        for point in curve_words(control):
            console.print(f"  {control['title']}: {point}", markup=False, highlight=False)
    for missing in content["not_run"]:
        console.print(
            f"  not run: {missing['title']}: {missing['why']}.", markup=False, highlight=False
        )
    verdict = content["verdict"]
    console.print(f"verdict  {verdict['claim']}", style="bold", markup=False, highlight=False)
    for sentence in verdict["because"]:
        console.print(f"  {sentence}", markup=False, highlight=False)


def curve_words(control: Mapping[str, Any]) -> list[str]:
    """Return one line that says a control's curve, none where it has no curve."""
    points = control["details"].get("curve")
    if not points:
        return []
    across = next(key for key in points[0] if key not in ("value", "n", "window_wise"))
    parts = []
    for point in points:
        text = f"{point[across]}: {point['value']:.3f}"
        if "window_wise" in point:
            text += f" (window-wise {point['window_wise']:.3f})"
        parts.append(text)
    return [f"by {control['details']['horizontal']}, " + ", ".join(parts)]


def _range(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.3f}–{high:.3f}"
