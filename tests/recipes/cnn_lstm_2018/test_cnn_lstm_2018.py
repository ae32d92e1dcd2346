import json

import pytest

from phosphene.recipes.cnn_lstm_2018 import RECIPE


def test_table_2_is_quoted_as_printed():
    published = json.loads((RECIPE.module_folder / "results.json").read_text())["published"]
    hours = {"cnn_cnn": (4, 19, 52), "cnn_lstm": (6, 58, 24)}
    seconds = {name: 3600 * h + 60 * m + s for name, (h, m, s) in hours.items()}
    assert published["seconds"] == seconds
    per_second = {name: round(500_000 / each, 1) for name, each in seconds.items()}
    assert published["iterations_per_second"] == per_second


@pytest.mark.parametrize("preset", RECIPE.presets)
def test_it_restores_pictures_with_the_networks_of_its_settings(preset):
    assert RECIPE.task == "picture to picture"
    plan = RECIPE.train.keywords["make_plan"](RECIPE.config(preset))
    assert [system.name for system in plan.systems] == list(RECIPE.config(preset).systems)
