"""`phosphene demo`: simulate, train, evaluate and report, offline."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import tyro

from phosphene.cli.progress import open_progress
from phosphene.data.simulate.settings import EEGSimulation
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir
from phosphene.score import Score

SIMULATION = EEGSimulation(ceiling=0.92)
"""Ten handwritten digits seen by four people with a 14-channel headset, 10,000 times."""
RECIPE, PRESET = "eeg2image_2023", "demo"
STAGES = {
    "pictures": "it says what can be decoded; pictures come next",
    "pictures, a third of the way": "it shows first pictures; training goes on",
}
"""What the report holds at each stage of the recipe."""


def demo(*, out: Path = Path("phosphene-demo"), seed: int = 0) -> None:
    """Simulate EEG of people who see digits, train on it, and write a report; offline.

    The first report stands within minutes, and the rest refines it. Call again to go on after an
    interruption.

    Args:
        out: Folder for the data set and the run.
        seed: Seed of everything that is random.
    """
    data, run = out / "data", RunDir(out / "run")
    simulation = replace(SIMULATION, seed=seed)
    _check_folder(out, simulation)
    if _is_finished(run):
        print(f"The demo in {out} is finished; it was not run again.")
        _print_end(run)
        return
    _simulate(data, simulation)
    _print_scores(_train(data, run, seed=seed))
    _print_end(run)


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(demo, args=argv, prog="phosphene demo")


def _check_folder(out: Path, simulation: EEGSimulation) -> None:
    """Refuse a folder in which something else than this demo has begun."""
    remedy = f"Choose another --out, or remove {out}."
    if out.exists() and not out.is_dir():
        raise ValueError(f"`--out` must be a folder; {out} is a file. {remedy}")
    data, run = out / "data", RunDir(out / "run")
    if data.exists() and not (data / "info.json").is_file():
        raise ValueError(f"{data} must be a data set of the demo; it is not. {remedy}")
    if data.exists():
        made = RunDir(data).read_json("info.json").get("simulation") or {}
        _check_seed(out, made.get("seed"), simulation.seed)
        wanted = simulation.to_json()
        for name in wanted.keys() - {"effect", "ceiling"}:  # one is solved for the other
            if made.get(name) != wanted[name]:
                raise ValueError(
                    f"{data} must be the data set of this demo; its `{name}` is "
                    f"{made.get(name)!r}, not {wanted[name]!r}. {remedy}"
                )
    if run.has("config.json"):
        _check_seed(out, run.read_json("config.json")["config"].get("seed"), simulation.seed)


def _check_seed(out: Path, found: Any, seed: int) -> None:
    if found != seed:
        raise ValueError(
            f"a demo goes on with the seed it began with; {out} has the seed {found}, not {seed}. "
            f"Repeat the command with --seed {found}, or choose another --out."
        )


def _is_finished(run: RunDir) -> bool:
    names = ("state.json", "scores.json", "report.html")
    return all(map(run.has, names)) and bool(run.read_json("state.json").get("finished"))


def _simulate(data: Path, simulation: EEGSimulation) -> None:
    """Make the data set, or say that it is there."""
    if data.exists():
        print(f"data       {data} is there already")
        return
    from phosphene.cli.data_simulate import describe, simulate_dataset

    progress = open_progress()
    try:
        dataset = simulate_dataset(simulation, out=data, progress=progress)
    finally:
        progress.finish()
    print(describe(dataset), flush=True)


def _train(data: Path, run: RunDir, *, seed: int) -> list[Score]:
    """Train, or go on where an earlier call stopped, saying when the report can be read."""
    from phosphene.cli.train import train_recipe
    from phosphene.recipes import get_recipe

    recipe = get_recipe(RECIPE)
    _, scores = train_recipe(
        _announcing(recipe, run.path / "report.html"),
        PRESET,
        config=replace(recipe.config(PRESET), seed=seed),
        data=data,
        out=run.path,
        resume=run.has("config.json"),
    )
    return scores


def _announcing(recipe: Recipe, report: Path) -> Recipe:
    """Return the recipe with a training that says after each stage where the report is."""

    def train(
        config: Any, *, data: Path, run: RunDir, resume: bool, on_stage: Callable, progress: Any
    ) -> list[Score]:
        def tell(stage: str) -> None:
            before = _changed(report)
            on_stage(stage)
            if stage != "done" and _changed(report) != before:
                print(f"report     {report} is ready: {STAGES.get(stage, stage)}", flush=True)

        return recipe.train(
            config, data=data, run=run, resume=resume, on_stage=tell, progress=progress
        )

    return replace(recipe, train=train)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _print_scores(scores: list[Score]) -> None:
    from phosphene.cli.score_table import print_scores

    print_scores(scores)


def _print_end(run: RunDir) -> None:
    bundle = run.path / "bundle"
    print(f"report     {run.path / 'report.html'}")
    if (bundle / "spec.json").is_file():
        words = [
            "--signals",
            str(run.path.parent / "data"),
            "--n-trials",
            "40",
            "--out",
            "pictures",
        ]
        print(f"pictures   {shlex.join(['phosphene', 'generate', str(bundle), *words])}")
    print("next       phosphene data inspect YOUR_RECORDINGS  (own recordings: begin here)")
