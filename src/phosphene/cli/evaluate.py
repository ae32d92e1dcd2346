"""`phosphene evaluate RUN`: score a finished run on its held-out trials."""

from pathlib import Path

import tyro

from phosphene.cli.progress import open_progress
from phosphene.cli.score_table import print_scores
from phosphene.run_dir import RunDir


def evaluate(run: tyro.conf.Positional[Path], *, json: bool = False) -> None:
    """Score a finished run on its held-out trials again and write scores.json.

    Args:
        run: Folder that `phosphene train` wrote.
        json: Print the scores as JSON instead of a table.
    """
    from phosphene.recipes import get_recipe
    from phosphene.score import scores_to_json

    folder = RunDir(run)
    recipe = get_recipe(folder.read_json("config.json")["recipe"])
    if not (folder.has("state.json") and folder.read_json("state.json")["finished"]):
        raise ValueError(
            f"a run must be finished before it can be scored; {run} is not. "
            "Call its `phosphene train` command again with --resume."
        )
    scores = recipe.evaluate(folder, open_progress())
    folder.write_json("scores.json", scores_to_json(scores))
    print_scores(scores, as_json=json)
    if not json:
        print(f"next    phosphene report {run}")


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(evaluate, args=argv, prog="phosphene evaluate")
