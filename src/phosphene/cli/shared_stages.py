"""Stages that several runs have in common: copied from one that is finished."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from phosphene.recipe import Recipe
from phosphene.reporting.comparison_runs import COPIED
from phosphene.run_dir import RunDir
from phosphene.score import Score


def sharing(recipe: Recipe, source: RunDir) -> Recipe:
    """Return the recipe with a training that takes the shared stages of a finished run first.

    copied.json in the new run says where they come from; its training time is not the whole one.
    """
    if not recipe.shared_stages:
        return recipe

    def train(config: Any, *, run: RunDir, **context: Any) -> list[Score]:
        copy_stages(source, run, recipe.shared_stages)
        return recipe.train(config, run=run, **context)

    return replace(recipe, train=train)


def copy_stages(source: RunDir, run: RunDir, stages: Sequence[str]) -> None:
    """Copy files and folders of each fold that the run has not made itself yet."""
    folds = sorted(path for path in (source.path / "folds").iterdir() if path.is_dir())
    found = [path / stage for path in folds for stage in stages if (path / stage).exists()]
    names = list(dict.fromkeys(path.name for path in found))
    run.write_json(COPIED, {"from": source.path.name, "stages": names})
    for path in found:
        folder = run.fold(path.parent.name)
        unfinished = folder / f".{path.name}.copying"
        if unfinished.is_dir():
            shutil.rmtree(unfinished)  # a call that was interrupted left it
        if (folder / path.name).exists():
            continue
        if path.is_dir():
            shutil.copytree(path, unfinished, ignore=shutil.ignore_patterns(".*"))
        else:
            shutil.copyfile(path, unfinished)
        unfinished.replace(folder / path.name)
