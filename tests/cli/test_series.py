from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from phosphene.cli.series import (
    Planned,
    check_alike,
    check_begun,
    finish_series,
    parse_settings,
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


def test_plain_pictures_are_data_for_what_restores_pictures(tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    one = _planned(tmp_path / "a")
    restoring = replace(one, recipe=replace(one.recipe, task="picture to picture"))
    check_begun([restoring], pictures)
    for planned, data in (
        ([one], pictures),
        ([one, restoring], pictures),
        ([restoring], one.folder),
    ):
        with pytest.raises(ValueError, match=r"info\.json"):
            check_begun(planned, data)


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
