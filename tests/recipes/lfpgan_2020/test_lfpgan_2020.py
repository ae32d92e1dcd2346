import json

import pytest

from phosphene.recipes.lfpgan_2020 import RECIPE


def test_table_5_1_is_quoted_as_printed():
    published = json.loads((RECIPE.module_folder / "results.json").read_text())["published"]
    assert published["fid_test"] == {
        "gan": 320.69, "pre_trained_gan": 37.59, "noise": 351.49, "data": 0,
    }  # fmt: skip
    assert published["is_train"]["gan"] > published["is_train"]["data"]  # why it ranks nothing


@pytest.mark.parametrize("preset", RECIPE.presets)
def test_it_reads_pictures_and_makes_signals(preset):
    assert RECIPE.task == "picture to signal"
    plan = RECIPE.train.keywords["make_plan"](RECIPE.config(preset))
    assert [system.name for system in plan.systems] == list(RECIPE.config(preset).systems)
