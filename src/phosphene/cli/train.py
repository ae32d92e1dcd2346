"""`phosphene train RECIPE [PRESET] --data DATA --out RUN`: train a recipe on a data set."""

import dataclasses
import json
import logging
import os
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from phosphene._checks import check_at_least
from phosphene.cli.progress import open_progress
from phosphene.cli.wrong_use import WrongUseError, check_use
from phosphene.recipe import Recipe
from phosphene.recipes import find_recipes
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_to_json

if TYPE_CHECKING:
    from phosphene.training.devices import Devices
    from phosphene.training.progress import Progress

USAGE = "phosphene train RECIPE [PRESET] --data DATA --out RUN [--resume] [--devices N] [settings]"

logger = logging.getLogger(__name__)

_PATIENCE_S = 5.0
"""How long a process waits for the first one to end with the same error."""


def main(argv: list[str]) -> None:
    """Run the command."""
    recipe, preset, rest = _recipe_and_preset(argv)
    options = _parse(recipe, preset, rest)
    _check_data(recipe, options.data)
    devices = _launch(recipe, options.devices)
    if not devices.first:
        _take_part(recipe, options.config, data=options.data, out=options.out, devices=devices)
        return
    run, scores = train_recipe(
        recipe,
        preset,
        config=options.config,
        data=options.data,
        out=options.out,
        resume=options.resume,
        devices=devices,
    )
    from phosphene.cli.score_table import print_scores

    print_scores(scores)
    print(f"report  {run.path / 'report.html'}")
    print(f"next    {shlex.join(['phosphene', *_next_command(recipe, run, options.data)])}")


def _next_command(recipe: Recipe, run: RunDir, data: Path) -> list[str]:
    """Return what can be done with a finished run: use its bundle, if there is one."""
    bundles = [spec.parent for spec in sorted(run.path.glob("**/spec.json"))]
    if not bundles:
        return ["evaluate", str(run.path)]
    if recipe.task == "picture to picture":
        words = ["--images", "PICTURES", "--corrupt", "trained", "--out", f"{run.path}-restored"]
        return ["restore", str(bundles[0]), *words]
    if recipe.task == "picture to signal":
        words = ["--images", "PICTURES", "--n", "50", "--out", f"{run.path}-signals"]
    else:
        words = ["--signals", str(data), "--n-trials", "40", "--out", f"{run.path}-pictures"]
    return ["generate", str(bundles[0]), *words]


def train_recipe(
    recipe: Recipe,
    preset: str,
    *,
    config: Any,
    data: Path,
    out: Path,
    resume: bool = False,
    devices: "Devices | None" = None,
    progress: "Progress | None" = None,
) -> tuple[RunDir, list[Score]]:
    """Train in a run folder, rewriting scores and report after each stage.

    Parameters
    ----------
    recipe
        What to train.
    preset
        Name that `config` started from; kept in config.json.
    config
        The recipe's settings.
    data
        Data set folder, or for a recipe that restores pictures anything `load_pictures` reads.
    out
        Run folder: new, or with `resume` one that the same settings began.
    resume
        Continue where the run stopped.
    devices
        Processes that train together, of which this is the first; None for one.
    progress
        Told how far training is; lines or bars on standard error if None.

    Raises
    ------
    ValueError
        The data set is missing, the folder holds another run, or its settings differ.
    """
    from phosphene.reporting.report import write_report

    _check_data(recipe, data)
    begins = not (out / "config.json").exists()
    run = _open_run(out, _settings(recipe, preset, config, data=data, out=out), resume=resume)

    def on_stage(stage: str) -> None:
        try:
            write_report(run)
        except Exception:  # a figure must not end hours of training; the last report does raise
            logger.warning("The report could not be rewritten after stage %r.", stage)
            logger.debug("Reason:", exc_info=True)

    progress = progress or open_progress()
    together = {} if devices is None or devices.n == 1 else {"devices": devices}
    try:
        scores = recipe.train(
            config,
            data=data,
            run=run,
            resume=resume,
            on_stage=on_stage,
            progress=progress,
            **together,
        )
    except BaseException:
        if begins and not run.has("log.jsonl"):
            shutil.rmtree(run.path)  # refused before the first step: leave the name free
        raise
    finally:
        progress.finish()
    run.write_json("scores.json", scores_to_json(scores))
    write_report(run)
    return run, scores


def _check_data(recipe: Recipe, data: Path) -> None:
    plain = recipe.task == "picture to picture"  # it needs no trials
    if plain and not data.exists():
        raise ValueError(
            f"`--data` must be pictures or a data set folder; there is nothing at {data}. Name a "
            "folder of PNG, JPEG, IDX or CIFAR files."
        )
    if not plain and not (data / "info.json").is_file():
        raise ValueError(
            f"`--data` must be a data set folder; {data} has no info.json. "
            "Make one with `phosphene data import` or `phosphene data simulate`."
        )


def _launch(recipe: Recipe, n_devices: int) -> "Devices":
    check_at_least("--devices", n_devices, 1)
    if n_devices > 1 and not recipe.several_devices:
        raise ValueError(
            f"`--devices` must be 1 for a recipe that trains on one device; got {n_devices} for "
            f"{recipe.key}. Leave --devices out."
        )
    from phosphene.training.devices import launch_devices

    return launch_devices(n_devices)


def _take_part(recipe: Recipe, config: Any, *, data: Path, out: Path, devices: "Devices") -> None:
    """Train along in a process that is not the first, writing nothing.

    What ends the first one too is left for it to tell; what ends this one alone is told here, with
    its number.
    """
    parent = os.getppid()
    try:
        recipe.train(
            config,
            data=data,
            run=RunDir(out),
            resume=True,
            on_stage=lambda stage: None,
            progress=None,
            devices=devices,
        )
    except (KeyboardInterrupt, ConnectionError):  # told by the process where it began
        logger.debug("Process %d ended:", devices.rank, exc_info=True)
        raise SystemExit(1) from None
    except (ValueError, ArithmeticError, OSError) as error:
        logger.debug("Process %d ended:", devices.rank, exc_info=True)
        if _first_goes_on(parent):
            print(f"process {devices.rank} of {devices.n}: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _first_goes_on(parent: int) -> bool:
    """Wait a little and say whether the first process did not meet the same error.

    The parent is the first process, whose end gives this one another parent, or a launcher such as
    torchrun, which ends this process when the first one fails.
    """
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if os.getppid() != parent:
            return False
        time.sleep(0.1)
    return True


def _recipe_and_preset(argv: list[str]) -> tuple[Recipe, str, list[str]]:
    recipes = find_recipes()
    if not argv or argv[0].startswith("-"):
        text = f"usage: {USAGE}\n\nrecipes: {', '.join(recipes) or 'none'}"
        if argv[:1] in (["--help"], ["-h"]):
            example = next(iter(recipes), "RECIPE")
            print(f"{text}\n\n`phosphene train {example} --help` lists the settings of a recipe.")
            raise SystemExit(0)
        raise WrongUseError(f"`phosphene train` needs a recipe first.\n\n{text}")
    check_use("recipe", argv[0], recipes)
    recipe, preset, rest = recipes[argv[0]], "quick", argv[1:]
    if rest and not rest[0].startswith("-"):
        preset, rest = rest[0], rest[1:]
    check_use("preset", preset, recipe.presets)
    return recipe, preset, rest


def _parse(recipe: Recipe, preset: str, argv: list[str]) -> Any:
    import tyro

    config = recipe.config(preset)
    help_ = tyro.conf.arg
    options = dataclasses.make_dataclass(
        "Options",
        [
            ("data", Annotated[Path, help_(help=_help_of_data(recipe))]),
            ("out", Annotated[Path, help_(help="Run folder to make.")]),
            (
                "resume",
                Annotated[bool, help_(help="Continue the run in that folder.")],
                dataclasses.field(default=False),
            ),
            (
                "devices",
                Annotated[int, help_(help="Processes that train together, on all machines.")],
                dataclasses.field(default=1),
            ),
            (
                "config",
                Annotated[type(config), tyro.conf.OmitArgPrefixes],
                dataclasses.field(default=config),
            ),
        ],
        frozen=True,
        kw_only=True,
    )
    return tyro.cli(
        options,
        args=argv,
        prog=f"phosphene train {recipe.key} {preset}",
        description=f"{recipe.title}. {recipe.paper}. Wants {recipe.wants}.",
    )


def _help_of_data(recipe: Recipe) -> str:
    plain = "Folder of pictures, or data set folder."
    return plain if recipe.task == "picture to picture" else "Data set folder."


def _settings(recipe: Recipe, preset: str, config: Any, *, data: Path, out: Path) -> dict[str, Any]:
    begun_from, now = (dataclasses.asdict(each) for each in (recipe.config(preset), config))
    changed = {name: value for name, value in now.items() if value != begun_from[name]}
    names = data.resolve().name, out.resolve().name  # never an absolute path: run folders travel
    command = ["phosphene", "train", recipe.key, preset, "--data", names[0], "--out", names[1]]
    settings = {
        "recipe": recipe.key,
        "preset": preset,
        "config": now,
        "data": names[0],
        "command": command + [word for item in changed.items() for word in _option(*item)],
    }
    return json.loads(json.dumps(settings, default=str))  # tuples become lists, as when read


def _option(name: str, value: Any) -> list[str]:
    """Return the words that set one field on the command line."""
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{dashed}" if value else f"--no-{dashed}"]
    values = value if isinstance(value, list | tuple) else [value]
    return [f"--{dashed}", *map(str, values)]


def _open_run(out: Path, settings: dict[str, Any], *, resume: bool) -> RunDir:
    run = RunDir(out)
    for file in out.glob(".config.json.*.tmp") if resume else ():
        file.unlink()  # the run was killed before it had written anything else
    if not resume or not run.has("config.json"):
        if resume and out.is_dir() and any(out.iterdir()):
            raise ValueError(
                f"`--resume` needs the folder of a run; {out} holds files but no config.json. "
                "Choose another --out."
            )
        run = RunDir.create(out)
        run.write_json("config.json", settings)
        return run
    run.remove_unfinished()
    begun = run.read_json("config.json")
    before = {**begun, **begun["config"]}
    now = {**settings, **settings["config"]}
    for name in sorted((before.keys() | now.keys()) - {"config", "preset", "command"}):
        if before.get(name) != now.get(name):
            raise ValueError(
                f"`--resume` needs the settings that the run began with; `{name}` was "
                f"{before.get(name)!r} in {out} and is {now.get(name)!r} now. "
                "Repeat the first command with --resume added, or choose another --out."
            )
    return run
