"""`phosphene compare RUN [RUN ...]`: finished runs side by side."""

import json as json_format
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from phosphene.recipe import Recipe

if TYPE_CHECKING:
    from phosphene.reporting.comparison import Comparison
    from phosphene.reporting.comparison_tables import Cell

STATES = {"inside": "green", "outside": "yellow", "alarm": "bold red"}


def compare(
    runs: tyro.conf.Positional[tuple[Path, ...]], *, out: Path | None = None, json: bool = False
) -> None:
    """Set finished runs side by side: decoding, pictures, controls, size and speed.

    Runs of equal recipe and settings apart from the seed become one row. Scores that cannot be
    compared are refused: other data, splits, divisions of pictures or feature networks.

    Args:
        runs: Folders that `phosphene train` wrote.
        out: Folder for comparison.md, comparison.html and comparison.json.
        json: Print the comparison as JSON instead of tables.
    """
    from phosphene.reporting.comparison import compare_runs
    from phosphene.reporting.comparison_page import comparison_to_json, write_comparison
    from phosphene.reporting.comparison_runs import read_run
    from phosphene.run_dir import RunDir

    found = [read_run(RunDir(path)) for path in runs]
    comparison = compare_runs(found, recipes=recipes_of([run.recipe for run in found]))
    page = write_comparison(comparison, out) if out is not None else None
    if json:
        print(json_format.dumps(comparison_to_json(comparison), indent=2, ensure_ascii=False))
        return
    print_comparison(comparison)
    print(f"page    {page}" if page else "next    the same command with --out FOLDER, for a page")


def recipes_of(keys: Sequence[str]) -> list[Recipe]:
    """Return the recipes of these keys that this version has, each once, to quote what they say."""
    from phosphene.recipes import find_recipes

    known = find_recipes()
    return [known[key] for key in dict.fromkeys(keys) if key in known]


def print_comparison(comparison: "Comparison") -> None:
    """Print a table for each kind of number, what to know about them, and what was published."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=140, highlight=False)  # a file has no width

    def new_table(title: str, first: str) -> Table:
        table = Table(
            title=title,
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        table.add_column(first, ratio=1, min_width=16)
        return table

    for name, text in comparison.facts:
        console.print(f"{name.lower():<22}{escape(text)}", soft_wrap=True)
    n_beside = max(1, (console.width - 24) // 23)
    for block in comparison.blocks:
        for first in range(0, len(block.columns), n_beside):
            part = slice(first, first + n_beside)
            table = new_table(block.title if not first else "", "system")
            for column in block.columns[part]:
                small = f"\n[dim]{escape(column.small)}[/]" if column.small else ""
                table.add_column(escape(column.title) + small, overflow="fold")
            for line in block.lines:
                under = "reference" if line.reference else line.detail
                label = escape(line.label) + (f"\n[dim]{under}[/]" if under else "")
                table.add_row(label, *map(_cell_markup, line.cells[part]))
            console.print(table)
        for remark in block.remarks:
            console.print(f"  {escape(remark)}", style="dim")
    for note in comparison.notes:
        console.print(f"  {escape(note)}", style="dim")
    if comparison.published:
        table = new_table("\nAs published, not comparable", "recipe")
        for title in ("number", "value", "source"):
            table.add_column(title)
        for number in comparison.published:
            table.add_row(
                *map(escape, (number.recipe, number.name, str(number.value), number.paper))
            )
        console.print(table)
    for name, reason in comparison.failures:
        console.print(f"[bold red]{escape(name)}[/] gave no result: {escape(reason)}")


def _cell_markup(cell: "Cell") -> str:
    from rich.markup import escape

    text = escape(cell.text)
    if cell.state:
        text = f"[{STATES[cell.state]}]{text}[/]"
    return "\n".join([text, *(f"[dim]{escape(part)}[/]" for part in cell.small)])


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(compare, args=argv, prog="phosphene compare")
