"""`phosphene ablate RECIPE [PRESET] --data DATA --out FOLDER`: what each part of it is worth."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from phosphene.cli.series import (
    Planned,
    check_begun,
    finish_series,
    parse_settings,
    shares_nothing,
    train_series,
    with_settings,
)
from phosphene.cli.wrong_use import WrongUseError, check_use
from phosphene.recipe import Recipe
from phosphene.recipes import find_recipes

UNCHANGED = "unchanged"


def ablate(
    recipe: tyro.conf.Positional[str],
    preset: tyro.conf.Positional[str] = "quick",
    *,
    data: Path,
    out: Path,
    seeds: tuple[int, ...] = (0,),
    variants: tuple[str, ...] = (),
    share: bool = True,
    jobs: int = 1,
    set_: Annotated[tuple[str, ...], tyro.conf.arg(name="set")] = (),
) -> None:
    """Train the variants of a recipe that its ablations name, with each seed, and compare them.

    Each run has its folder, OUT/RECIPE-PRESET-VARIANT-seedN. Call again to go on after an
    interruption: what is finished is kept. OUT gets ablation.md, ablation.html and ablation.json.

    Args:
        recipe: Recipe whose parts are taken away.
        preset: Settings that every variant starts from.
        data: Data set folder.
        out: Folder for the runs and the table.
        seeds: Seeds that each variant is trained with.
        variants: Variants to train; all of the recipe's where none is named.
        share: Copy the stages that no variant bears on, such as the encoder, from the first
            variant of the same seed; the scores are the same as when they are trained again.
        jobs: Runs that are trained at a time, each on its share of the processor's cores.
        set_: Other settings for all variants, such as generator_steps=2000.
    """
    known = find_recipes()
    check_use("recipe", recipe, known)
    found = known[recipe]
    check_use("preset", preset, found.presets)
    if not found.ablations:
        names = ", ".join(key for key, each in known.items() if each.ablations) or "none so far"
        raise WrongUseError(f"`phosphene ablate` needs a recipe with ablations; got {recipe}. "
                            f"Those with some: {names}.")  # fmt: skip
    config = found.config(preset)
    config = with_settings(found, config, parse_settings(set_, [config]))
    planned = plan_variants(found, preset, config, out=out, seeds=seeds, variants=variants)
    check_begun(planned, data)

    failures = train_series(
        planned, data=data, shares=_of_one_seed if share else shares_nothing, jobs=jobs
    )
    finish_series(planned, failures, out=out, stem="ablation", each_seed=True)


def plan_variants(
    recipe: Recipe,
    preset: str,
    config: Any,
    *,
    out: Path,
    seeds: Sequence[int],
    variants: Sequence[str] = (),
) -> list[Planned]:
    """Return every variant with every seed, all variants of a seed after one another.

    Where no ablation leaves the settings as they are, these come first, as "unchanged".
    """
    configs = recipe.variants(config)
    if config not in configs.values():
        configs = {UNCHANGED: config, **configs}
    for name in variants:
        check_use("variant", name, configs)
    return [
        Planned(
            recipe=recipe,
            preset=preset,
            config=replace(configs[name], seed=seed),
            folder=out / f"{recipe.key}-{preset}-{_folder_name(name)}-seed{seed}",
            variant=name,
        )
        for seed in dict.fromkeys(seeds)
        for name in dict.fromkeys(variants or configs)
    ]


def _of_one_seed(one: Planned, other: Planned) -> bool:
    return one.config.seed == other.config.seed


def _folder_name(variant: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in variant).split())


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(ablate, args=argv, prog="phosphene ablate")
