"""Many trainings, each in its run folder, going on where a call stopped."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phosphene._checks import check_at_least, nearest_name
from phosphene._checks.structure import check_structure
from phosphene.cli.training_jobs import (
    Account,
    Planned,
    Shares,
    train_in_turn,
    train_side_by_side,
)
from phosphene.cli.wrong_use import WrongUseError, check_use
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir

ALIKE = (
    "split_unit",
    "split_seed",
    "n_folds",
    "decode_folds",
    "picture_folds",
    "allow_leak",
    "image_size",
    "judge_steps",
    "judge_share",
    "n_scored",
)
"""Settings without which the scores of two recipes could not stand in one column."""


def with_settings(recipe: Recipe, config: Any, settings: Mapping[str, Sequence[str]]) -> Any:
    """Return a recipe's settings with those changed that it has, from the words of a command line.

    Raises
    ------
    SystemExit
        With 2, after saying so, if words are none of the field's type.
    """
    import tyro

    words = []
    for name, values in settings.items():
        if name not in vars(config):
            continue
        dashed = name.replace("_", "-")
        if isinstance(vars(config)[name], bool):
            check_use(f"value of --set {name}", ",".join(values), ["true", "false"])
            words.append(f"--{dashed}" if values == ["true"] else f"--no-{dashed}")
        else:
            words += [f"--{dashed}", *values]
    prog = f"phosphene train {recipe.key}"
    return tyro.cli(type(config), default=config, args=words, prog=prog) if words else config


def parse_settings(pairs: Sequence[str], configs: Sequence[Any]) -> dict[str, list[str]]:
    """Return what `--set NAME=VALUE ...` asks for: name to words, which commas separate.

    Raises
    ------
    WrongUseError
        If a pair has no "=", or no recipe has a setting of the name.
    """
    known = sorted({field.name for config in configs for field in dataclasses.fields(config)})
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise WrongUseError(f"`--set` takes NAME=VALUE; got {pair!r}, such as n_folds=5.")
        if name == "seed":
            raise WrongUseError("`--set` leaves the seed alone; got seed. Give --seeds instead.")
        if name not in known:
            near = nearest_name(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            raise WrongUseError(f"`--set` names a setting of a recipe; got {name!r}.{hint}")
        found[name] = value.split(",") if value else []
    return found


def check_alike(planned: Sequence[Planned]) -> None:
    """Refuse, before anything is trained, settings under which scores could not be compared.

    Where several seeds are trained, the seed must not choose folds or pictures too.
    """
    for name in ALIKE:
        having = [p for p in planned if name in vars(p.config)]
        for other in having[1:]:
            first, second = (vars(p.config)[name] for p in (having[0], other))
            if first != second:
                raise ValueError(
                    f"runs that are compared need one `{name}`; {having[0].recipe.key} has "
                    f"{first!r}, {other.recipe.key} {second!r}. Add --set {name}={first}."
                )
    for one in planned:
        chooses = "image_size" in vars(one.config) or vars(one.config).get("n_folds") is not None
        if (
            chooses
            and "split_seed" not in vars(one.config)
            and one.config.seed != planned[0].config.seed
        ):
            raise ValueError(
                f"runs of several seeds need a split that no seed chooses; {one.recipe.key} has no "
                "`split_seed`. Train it with one seed for all."
            )


def check_begun(planned: Sequence[Planned], data: Path) -> None:
    """Refuse run folders that began with other settings or data, before anything is trained.

    Other plain pictures than a run began with are refused by its training.
    """
    has_info = (data / "info.json").is_file()
    plain = data.exists() and all(one.recipe.task == "picture to picture" for one in planned)
    if not has_info and not plain:
        raise ValueError(
            f"a data set must be a folder with info.json; {data} has none. "
            "Make one with `phosphene data import` or `phosphene data simulate`."
        )
    info = RunDir(data).read_json("info.json") if has_info else None  # plain pictures have none
    if info is not None:
        structure = {"data_hash": str}
        check_structure(info, structure, where=f"{data}/info.json", remedy="import it again.")
    for one in planned:
        run = RunDir(one.folder)
        remedy = "Repeat the first command, or choose another --out."
        if run.has("config.json"):
            begun = run.read_json("config.json")
            now = json.loads(json.dumps(dataclasses.asdict(one.config), default=str))
            before = begun.get("config", {})
            for name in sorted(now.keys() | before.keys()):
                if before.get(name) != now.get(name):
                    raise ValueError(
                        f"a run must go on with the settings it began with; `{name}` was "
                        f"{before.get(name)!r} in {one.folder} and is {now.get(name)!r} now. "
                        f"{remedy}"
                    )
        if info is not None and run.has("environment.json"):
            before = run.read_json("environment.json").get("data_hash")
            if before != info["data_hash"]:
                raise ValueError(
                    f"a run must go on with the data it began with; {one.folder} has the hash "
                    f"{before}, {data} {info['data_hash']}. {remedy}"
                )


def shares_nothing(one: Planned, other: Planned) -> bool:
    """Say that no run takes stages of another."""
    return False


def train_series(
    planned: Sequence[Planned],
    *,
    data: Path,
    shares: Shares = shares_nothing,
    jobs: int = 1,
) -> list[tuple[str, str]]:
    """Train what is not finished yet, and return the names of runs that failed, with the reason.

    One failure does not end the others. A line before each run says what is done and what is left,
    with an estimate from the runs that were timed.

    Parameters
    ----------
    planned
        Trainings in their order; see `check_begun` for what must be refused before.
    data
        Data set folder.
    shares
        Whether a run may copy its recipe's shared stages from another that is finished; it waits
        where such a one is in training.
    jobs
        Runs at a time. Several are processes of their own, with as many threads each as cores are
        there for them, and leave progress to their log.jsonl.
    """
    check_at_least("--jobs", jobs, 1)
    account = Account(planned)
    waiting = [one for one in planned if not one.finished]
    for one in planned:
        if one not in waiting:
            account.skip(one)
    if jobs == 1:
        train_in_turn(waiting, data=data, shares=shares, account=account)
    else:
        train_side_by_side(waiting, data=data, shares=shares, account=account, jobs=jobs)
    return account.failures


def finish_series(
    planned: Sequence[Planned],
    failures: Sequence[tuple[str, str]],
    *,
    out: Path,
    stem: str,
    each_seed: bool = False,
) -> None:
    """Compare what is finished, print and write the table, and name what failed.

    Raises
    ------
    SystemExit
        With 1 if a run failed.
    """
    from phosphene.cli.compare import print_comparison
    from phosphene.reporting.comparison import compare_runs
    from phosphene.reporting.comparison_page import write_comparison
    from phosphene.reporting.comparison_runs import read_run

    runs = [read_run(RunDir(p.folder), variant=p.variant) for p in planned if p.finished]
    if runs:
        recipes = list({p.recipe.key: p.recipe for p in planned}.values())
        comparison = compare_runs(runs, recipes=recipes, failures=failures, each_seed=each_seed)
        page = write_comparison(comparison, out, stem=stem)
        print_comparison(comparison)
        print(f"page    {page}")
    if failures:
        raise SystemExit(1)
