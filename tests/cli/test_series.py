from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from phosphene.cli import series
from phosphene.cli.series import (
    Planned,
    check_alike,
    check_begun,
    finish_series,
    parse_settings,
    train_series,
    with_settings,
)
from phosphene.cli.wrong_use import WrongUseError
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir


@dataclass(frozen=True, kw_only=True)
class Config:
    n_steps: int = 5
    n_folds: int | None = 5
    image_size: int = 16
    mirror: bool = False
    augment: tuple[str, ...] = ("color",)
    split_seed: int = 0
    seed: int = 0


def _recipe(key="fake_2020", **fields):
    return Recipe(
        key=key, title="", task="signal to picture", paper="", url="", wants="",
        presets={"quick": Config}, published={}, evaluate=list, module_folder=Path(),
        **{"train": list, **fields},
    )  # fmt: skip


def _planned(folder, *, key="fake_2020", recipe=None, **changes):
    config = replace(Config(), **changes)
    return Planned(recipe=recipe or _recipe(key), preset="quick", config=config, folder=folder)


@pytest.fixture
def data(tmp_path):
    RunDir(tmp_path / "data").write_json("info.json", {"data_hash": "d1" * 8})
    return tmp_path / "data"


@pytest.fixture
def trainings(monkeypatch, write_result):
    """Replace training by a function that writes a run; `fail` maps folders to errors."""
    seen = SimpleNamespace(names=[], resumed=[], fail={}, seconds=0.0)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(series, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def train_recipe(recipe, preset, *, config, data, out, resume):
        seen.names.append(out.name)
        seen.resumed.append(resume)
        clock.now += seen.seconds
        if error := seen.fail.get(out.name):
            raise error
        write_result(out, recipe=recipe.key, seed=config.seed)

    monkeypatch.setattr("phosphene.cli.train.train_recipe", train_recipe)
    return seen


def test_settings_reach_the_recipes_that_have_them():
    pairs = ["n_steps=7", "n_folds=None", "augment=color,cutout", "mirror=true"]
    settings = parse_settings(pairs, [Config()])
    config = with_settings(_recipe(), Config(), {**settings, "of_another": ["3"]})
    assert (config.n_steps, config.n_folds, config.mirror) == (7, None, True)
    assert config.augment == ("color", "cutout")
    assert (
        with_settings(_recipe(), Config(), parse_settings(["augment="], [Config()])).augment == ()
    )


@pytest.mark.parametrize(
    ("pair", "message"),
    [("n_stpes=7", "Did you mean 'n_steps'"), ("n_steps", "NAME=VALUE"), ("seed=3", "--seeds")],
)
def test_settings_that_no_recipe_has_are_wrong_use(pair, message):
    with pytest.raises(WrongUseError, match=message):
        parse_settings([pair], [Config()])


def test_a_value_of_another_type_is_wrong_use(capsys):
    with pytest.raises(SystemExit):
        with_settings(_recipe(), Config(), {"n_steps": ["many"]})
    with pytest.raises(WrongUseError, match="'true'"):
        with_settings(_recipe(), Config(), {"mirror": ["maybe"]})


def test_recipes_that_would_not_compare_are_refused_before_training(tmp_path):
    one = _planned(tmp_path / "a")
    check_alike([one, _planned(tmp_path / "b", key="b_2021", n_steps=9)])
    with pytest.raises(
        ValueError, match=r"one `image_size`; fake_2020 has 16, b_2021 32\. .*--set"
    ):
        check_alike([one, _planned(tmp_path / "b", key="b_2021", image_size=32)])


def test_a_seed_that_chooses_the_split_is_refused_with_another(tmp_path):
    @dataclass(frozen=True, kw_only=True)
    class Old:
        n_folds: int | None = 5
        seed: int = 0

    plans = [replace(_planned(tmp_path / "a"), config=Old(seed=seed)) for seed in (0, 1)]
    check_alike(plans[:1])
    with pytest.raises(ValueError, match="no `split_seed`"):
        check_alike(plans)
    check_alike([replace(plan, config=replace(plan.config, n_folds=None)) for plan in plans])


def test_a_begun_run_with_other_settings_or_data_is_refused(tmp_path, data, write_result):
    one = _planned(tmp_path / "a")
    check_begun([one], data)
    run = write_result(tmp_path / "a")
    with pytest.raises(ValueError, match=r"`augment` was None in .* and is \['color'\] now"):
        check_begun([one], data)
    run.write_json("config.json", {"config": {**vars(Config()), "augment": ["color"]}})
    check_begun([one], data)
    RunDir(data).write_json("info.json", {"data_hash": "other"})
    with pytest.raises(ValueError, match="the data it began with"):
        check_begun([one], data)


def test_finished_runs_are_kept_and_begun_ones_resumed(
    tmp_path, data, trainings, write_result, capsys
):
    plans = [_planned(tmp_path / name, seed=k) for k, name in enumerate("abc")]
    write_result(tmp_path / "a")
    write_result(tmp_path / "b", state={"finished": False})
    assert train_series(plans, data=data) == []
    assert (trainings.names, trainings.resumed) == (["b", "c"], [True, False])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "run 1 of 3  a is finished already"
    assert lines[1] == "run 2 of 3  b: 1 done, 2 to do"


def test_each_line_estimates_what_is_left_from_runs_of_its_kind(tmp_path, data, trainings, capsys):
    plans = [_planned(tmp_path / name, key=f"{name[0]}_2020") for name in ("a0", "b0", "a1", "b1")]
    trainings.seconds = 600.0
    train_series(plans, data=data)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("0 done, 4 to do")
    assert lines[1].endswith("1 done, 3 to do, about 30 min")
    assert lines[3].endswith("3 done, 1 to do, about 10 min")


def test_one_failure_is_named_and_does_not_end_the_others(tmp_path, data, trainings, capsys):
    plans = [_planned(tmp_path / name) for name in "abc"]
    trainings.fail = {"a": ValueError("it needs pictures."), "b": KeyError("colour")}
    failures = train_series(plans, data=data)
    assert failures == [("a", "it needs pictures."), ("b", "unexpected KeyError: 'colour'")]
    assert trainings.names == ["a", "b", "c"]
    assert "run 1 of 3  a: it needs pictures." in capsys.readouterr().err


def test_ctrl_c_ends_the_series(tmp_path, data, trainings):
    trainings.fail = {"a": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        train_series([_planned(tmp_path / name) for name in "ab"], data=data)
    assert trainings.names == ["a"]


def test_the_table_holds_what_finished_and_names_what_failed(tmp_path, write_result, capsys):
    plans = [_planned(tmp_path / "a"), _planned(tmp_path / "b", key="b_2021")]
    write_result(tmp_path / "a")
    with pytest.raises(SystemExit) as ended:
        finish_series(plans, [("b", "it needs pictures.")], out=tmp_path / "out", stem="comparison")
    assert ended.value.code == 1
    assert "b gave no result: it needs pictures." in capsys.readouterr().out
    assert "it needs pictures." in (tmp_path / "out" / "comparison.md").read_text()


def test_without_any_result_there_is_no_table(tmp_path):
    with pytest.raises(SystemExit):
        finish_series([_planned(tmp_path / "a")], [("a", "no.")], out=tmp_path / "out", stem="x")
    assert not (tmp_path / "out").exists()
