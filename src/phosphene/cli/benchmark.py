"""`phosphene benchmark DATA --out FOLDER`: every recipe that fits a data set, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro

from phosphene.cli.series import (
    Planned,
    check_alike,
    check_begun,
    finish_series,
    parse_settings,
    train_series,
    with_settings,
)
from phosphene.cli.wrong_use import WrongUseError, check_use
from phosphene.recipe import Recipe
from phosphene.recipes import find_recipes

TASKS = ("signal to picture", "signal to class")


def benchmark(
    data: tyro.conf.Positional[Path],
    *,
    out: Path,
    preset: str = "quick",
    recipes: tuple[str, ...] = (),
    seeds: tuple[int, ...] = (0,),
    seeds_of: tuple[str, ...] = (),
    image_size: int | None = None,
    n_folds: int | None = None,
    decode_folds: int | None = None,
    jobs: int = 1,
    set_: Annotated[tuple[str, ...], tyro.conf.arg(name="set")] = (),
) -> None:
    """Train every recipe that fits a data set, and set them side by side.

    Each run has its folder, OUT/RECIPE-PRESET-seedN. Call again to go on after an interruption:
    what is finished is kept. OUT gets comparison.md, comparison.html and comparison.json.

    Args:
        data: Data set folder.
        out: Folder for the runs and the comparison.
        preset: Settings that each recipe starts from; variants of them, such as quick_vae, are
            trained too.
        recipes: Recipes to train; all that read signals and have the preset where none is named.
        seeds: Seeds that each recipe is trained with.
        seeds_of: Other seeds for one recipe, such as eeg2image_2023=0,1,2, or for one of its
            presets, eeg2image_2023:quick_published=0,1,2.
        image_size: Height and width of pictures, for all recipes that draw.
        n_folds: Folds that the units of the split are dealt into, for all recipes.
        decode_folds: Folds that are decoded, for all recipes.
        jobs: Runs that are trained at a time, each on its share of the processor's cores.
        set_: Other settings for all recipes that have them, such as generator_steps=2000.
    """
    chosen = _choose(recipes, preset)
    pairs = [
        *(
            f"{name}={value}"
            for name, value in (
                ("image_size", image_size),
                ("n_folds", n_folds),
                ("decode_folds", decode_folds),
            )
            if value is not None
        ),
        *set_,
    ]
    named = [(recipe, name) for recipe in chosen for name in _presets(recipe, preset)]
    configs = {(recipe.key, name): recipe.config(name) for recipe, name in named}
    settings = parse_settings(pairs, list(configs.values()))
    seeds_of_preset = _seeds(list(configs), seeds, seeds_of)
    planned = [
        Planned(
            recipe=recipe,
            preset=name,
            config=replace(with_settings(recipe, configs[recipe.key, name], settings), seed=seed),
            folder=out / f"{recipe.key}-{name}-seed{seed}",
        )
        for recipe, name in named
        for seed in seeds_of_preset[recipe.key, name]
    ]
    check_alike(planned)
    check_begun(planned, data)
    failures = train_series(planned, data=data, jobs=jobs)
    finish_series(planned, failures, out=out, stem="comparison")


def _choose(names: Sequence[str], preset: str) -> list[Recipe]:
    """Return the recipes of these names, or all that read signals and have the preset."""
    known = {key: recipe for key, recipe in find_recipes().items() if recipe.task in TASKS}
    for name in names:
        check_use("recipe", name, known)
        check_use("preset", preset, known[name].presets)
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    check_use("preset", preset, {p for recipe in known.values() for p in recipe.presets})
    return [recipe for recipe in known.values() if preset in recipe.presets]


def _presets(recipe: Recipe, preset: str) -> list[str]:
    """Return a preset and its variants, whose names begin with it."""
    variants = [name for name in recipe.presets if name.startswith(f"{preset}_")]
    return [*([preset] if preset in recipe.presets else []), *variants]


def _seeds(
    trained: Sequence[tuple[str, str]], seeds: Sequence[int], of: Sequence[str]
) -> dict[tuple[str, str], list[int]]:
    """Return the seeds of each recipe and preset."""
    found = {name: list(dict.fromkeys(seeds)) for name in trained}
    words = {name: [name] for name in found}
    for recipe, preset in trained:
        words.setdefault((recipe, ""), []).append((recipe, preset))
    known = {":".join(filter(None, name)): names for name, names in words.items()}
    for pair in of:
        name, equals, numbers = pair.partition("=")
        if not equals or not all(number.isdecimal() for number in numbers.split(",")):
            raise WrongUseError(f"`--seeds-of` takes RECIPE=0,1,2; got {pair!r}.")
        check_use("recipe", name, known)
        for each in known[name]:
            found[each] = list(dict.fromkeys(map(int, numbers.split(","))))
    return found


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(benchmark, args=argv, prog="phosphene benchmark")
