"""`phosphene evaluate RUN`: score a finished run on its held-out trials."""

from pathlib import Path

import tyro

from phosphene._checks.structure import check_structure
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
    remedy = "was it edited by hand?"
    config = folder.read_json("config.json")
    check_structure(config, {"recipe": str}, where=f"{run}/config.json", remedy=remedy)
    recipe = get_recipe(config["recipe"])
    state = folder.read_json("state.json") if folder.has("state.json") else {"finished": False}
    check_structure(state, {"finished": bool}, where=f"{run}/state.json", remedy=remedy)
    if not state["finished"]:
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
