"""`phosphene recipes`: what can be trained."""

import json as json_format
from pathlib import Path

import tyro

from phosphene.recipes import find_recipes


def recipes(*, json: bool = False, pages: Path | None = None) -> None:
    """List the published systems that can be trained here.

    Args:
        json: Print them as JSON instead of a table.
        pages: Write a Markdown page about each into this folder instead: its README, the settings
            of every preset, published numbers and ours. The project's own are in docs/recipes.
    """
    found = find_recipes()
    if pages is not None:
        from phosphene.reporting.recipe_page import write_recipe_pages

        for path in write_recipe_pages(found, pages):
            print(f"page    {path}")
        return
    if json:
        records = [
            {
                "key": recipe.key,
                "title": recipe.title,
                "task": recipe.task,
                "paper": recipe.paper,
                "url": recipe.url,
                "wants": recipe.wants,
                "presets": list(recipe.presets),
                "published": dict(recipe.published),
            }
            for recipe in found.values()
        ]
        print(json_format.dumps(records, indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    for recipe in found.values():
        console.print(f"\n[bold]{recipe.key}[/]  {recipe.title}")
        rows = {
            "task": recipe.task,
            "paper": ", ".join(filter(None, (recipe.paper, recipe.url))),
            "wants": recipe.wants,
            "presets": ", ".join(recipe.presets),
            "published": "; ".join(f"{name} {value}" for name, value in recipe.published.items()),
        }
        table = Table.grid(padding=(0, 2))
        for name, text in rows.items():
            table.add_row(f"  {name}", escape(text))
        console.print(table)
    first = next((key for key, recipe in found.items() if recipe.suggested), "RECIPE")
    print(f"\nnext    phosphene train {first} quick --data DATA --out RUN")


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(recipes, args=argv, prog="phosphene recipes")
