"""`phosphene evaluate RUN`: score a finished run on its held-out trials."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from phosphene._checks.structure import check_structure
from phosphene.cli.control_table import print_controls
from phosphene.cli.progress import open_progress
from phosphene.cli.score_table import print_scores
from phosphene.run_dir import RunDir

if TYPE_CHECKING:
    from phosphene.recipe import Recipe


def evaluate(
    run: tyro.conf.Positional[Path],
    *,
    controls: Literal["none", "full"] = "none",
    data: Path | None = None,
    minutes: int = 20,
    nulls: int = 10,
    jobs: int = 0,
    json: bool = False,
) -> None:
    """Score a finished run on its held-out trials again and write scores.json.

    With --controls full, look for every other reason for its scores, judge, and write
    controls.json: other splits, windows and filters, permuted labels, signals without information.
    What is done stays in RUN/controls, so a call that was stopped goes on.

    Args:
        run: Folder that `phosphene train` wrote.
        controls: "full" does all controls that run and data allow, in about a quarter of an hour.
        data: Data set folder that the run was trained on; needed for controls.
        minutes: Processor minutes for training the run's encoder again, on permuted labels and with
            other seeds. Fewer train fewer folds of each.
        nulls: Trainings of the run's encoder on permuted labels.
        jobs: Controls side by side; 0 takes all cores.
        json: Print the scores as JSON instead of a table; with controls, what controls.json holds.
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
    if controls == "full" and data is None:
        raise ValueError(
            "full controls read the signals again; the data set folder is not given. "
            "Name it with --data."
        )
    if controls == "none" and data is not None:
        raise ValueError(
            "a data set is read by full controls alone; got --data without them. "
            "Add --controls full, or leave it out."
        )
    scores = recipe.evaluate(folder, open_progress())
    folder.write_json("scores.json", scores_to_json(scores))
    if data is not None and controls == "full":
        print_controls(
            _full_controls(folder, recipe, data, minutes=minutes, nulls=nulls, jobs=jobs),
            as_json=json,
        )
    else:
        print_scores(scores, as_json=json)
    if not json:
        print(f"next    phosphene report {run}")


def _full_controls(
    run: RunDir, recipe: "Recipe", data: Path, *, minutes: int, nulls: int, jobs: int
) -> dict[str, Any]:
    from phosphene._checks import check_at_least
    from phosphene.cli.machine import count_cores
    from phosphene.experiment.controls.course import run_controls
    from phosphene.experiment.controls.material import Effort

    for name, value in (("minutes", minutes), ("nulls", nulls), ("jobs", jobs)):
        check_at_least(name, value, 0)
    if recipe.task not in ("signal to picture", "signal to class"):
        raise ValueError(
            "full controls are for runs that read classes from signals; this one goes from "
            f"{recipe.task.replace(' to ', ' to a ')}. Its own controls stand in scores.json."
        )
    return run_controls(
        run,
        data=data,
        plan_of=recipe.plan,
        effort=Effort(minutes=minutes, n_nulls=nulls),
        jobs=jobs or count_cores().usable,
        progress=open_progress(),
    )


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(evaluate, args=argv, prog="phosphene evaluate")
