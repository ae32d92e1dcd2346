import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from phosphene.cli.main import main
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir
from phosphene.score import scores_from_json


@dataclass(frozen=True, kw_only=True)
class Drawing:
    n_steps: int = 5
    n_folds: int | None = None
    image_size: int = 16
    split_seed: int = 0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Decoding:
    n_folds: int | None = None
    split_seed: int = 0
    seed: int = 0


@pytest.fixture
def bench(write_result, tmp_path, monkeypatch):
    """Two recipes that fit, one that does not, and a data set folder."""
    calls = SimpleNamespace(trained=[], fail=None, recipes={})

    def recipe(key, config, *, task="signal to picture"):
        def train(settings, *, data, run, **context):
            calls.trained.append((key, settings))
            if calls.fail == key:
                raise ValueError("this recipe needs pictures; the data set has none.")
            value = 0.7 + settings.seed / 100
            write_result(run.path, recipe=key, value=value, draws="picture" in task, config=None)
            return scores_from_json(run.read_json("scores.json"))

        calls.recipes[key] = Recipe(
            key=key, title="", task=task, paper="", url="", wants="", presets={"quick": config},
            published={}, train=train, evaluate=list, module_folder=Path(),
        )  # fmt: skip

    recipe("drawing_2020", Drawing)
    recipe("decoding_2021", Decoding, task="signal to class")
    recipe("other_way_2022", Drawing, task="picture to signal")
    monkeypatch.setattr("phosphene.cli.benchmark.find_recipes", lambda: calls.recipes)
    monkeypatch.setattr("phosphene.recipes.find_recipes", lambda: calls.recipes)
    monkeypatch.setattr("phosphene.reporting.report.write_report", lambda run: None)
    RunDir(tmp_path / "data").write_json("info.json", {"data_hash": "d1" * 8})
    calls.words = ["benchmark", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    calls.out = tmp_path / "out"
    return calls


def test_trains_what_fits_and_compares(bench, capsys):
    assert main(bench.words) == 0
    assert [key for key, _ in bench.trained] == ["drawing_2020", "decoding_2021"]
    assert sorted(path.name for path in bench.out.iterdir()) == [
        "comparison.html",
        "comparison.json",
        "comparison.md",
        "decoding_2021-quick-seed0",
        "drawing_2020-quick-seed0",
    ]
    text = capsys.readouterr().out
    assert "run 2 of 2  decoding_2021-quick-seed0: 1 done, 1 to do" in text
    assert f"page    {bench.out}/comparison.html" in text


def test_seeds_are_for_all_or_for_one(bench):
    assert main([*bench.words, "--seeds", "0", "1", "--seeds-of", "decoding_2021=4"]) == 0
    assert [(key, config.seed) for key, config in bench.trained] == [
        ("drawing_2020", 0),
        ("drawing_2020", 1),
        ("decoding_2021", 4),
    ]
    (drawing, _) = json.loads((bench.out / "comparison.json").read_text())["systems"]
    accuracy = drawing["values"]["decoding"]["balanced accuracy"]
    assert [one["value"] for one in accuracy["each"]] == pytest.approx([0.7, 0.71])


def test_variants_of_the_preset_are_trained_too(bench, monkeypatch):
    wide = lambda: Drawing(n_steps=11)  # noqa: E731
    presets = {"quick": Drawing, "smoke": Drawing, "quick_wide": wide}
    recipe = replace(bench.recipes["drawing_2020"], presets=presets)
    monkeypatch.setitem(bench.recipes, "drawing_2020", recipe)
    words = ["--recipes", "drawing_2020", "--seeds-of", "drawing_2020:quick_wide=0,3"]
    assert main([*bench.words, *words]) == 0
    trained = [(config.n_steps, config.seed) for _, config in bench.trained]
    assert trained == [(Drawing().n_steps, 0), (11, 0), (11, 3)]
    assert (bench.out / "drawing_2020-quick_wide-seed3").is_dir()


def test_settings_reach_every_recipe_that_has_them(bench):
    words = ["--image-size", "32", "--n-folds", "3", "--set", "n_steps=9", "split_seed=2"]
    assert main([*bench.words, *words]) == 0
    drawing, decoding = (config for _, config in bench.trained)
    assert drawing == Drawing(n_steps=9, n_folds=3, image_size=32, split_seed=2)
    assert decoding == Decoding(n_folds=3, split_seed=2)


def test_the_same_command_goes_on_and_another_setting_is_refused(bench, capsys):
    assert main(bench.words) == 0
    state = bench.out / "decoding_2021-quick-seed0" / "state.json"
    state.write_text('{"stage": "encoder", "finished": false}')
    assert main(bench.words) == 0
    assert [key for key, _ in bench.trained].count("drawing_2020") == 1
    assert [key for key, _ in bench.trained].count("decoding_2021") == 2
    capsys.readouterr()
    assert main([*bench.words, "--set", "n_steps=9"]) == 1
    assert "`n_steps` was 5" in capsys.readouterr().err
    assert len(bench.trained) == 3


def test_a_recipe_that_fails_is_named_and_the_rest_is_compared(bench, capsys):
    bench.fail = "drawing_2020"
    assert main(bench.words) == 1
    text = capsys.readouterr().out
    assert "drawing_2020-quick-seed0 gave no result: this recipe needs pictures" in text
    found = json.loads((bench.out / "comparison.json").read_text())
    assert [system["recipe"] for system in found["systems"]] == ["decoding_2021"]
    assert found["failures"][0]["run"] == "drawing_2020-quick-seed0"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipes", "drawing_2021"], "Did you mean 'drawing_2020'"),
        (["--recipes", "other_way_2022"], "`recipe` must be one of"),
        (["--preset", "quik"], "'quick'"),
        (["--seeds-of", "drawing_2020"], "--seeds-of` takes"),
        (["--seeds-of", "drawing_2020=a"], "--seeds-of` takes"),
        (["--set", "n_stpes=9"], "Did you mean 'n_steps'"),
    ],
)
def test_wrong_use_is_told_before_anything_is_trained(bench, words, message, capsys):
    assert main([*bench.words, *words]) == 2
    assert message in capsys.readouterr().err
    assert bench.trained == []


def test_a_missing_data_set_is_refused(bench, tmp_path, capsys):
    assert main(["benchmark", str(tmp_path / "none"), "--out", str(tmp_path / "o")]) == 1
    assert "phosphene data import" in capsys.readouterr().err
