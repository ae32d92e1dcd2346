from pathlib import Path

import pytest

from phosphene.recipe import Recipe

FIELDS = {
    "key": "fake_2020",
    "title": "Fake",
    "task": "signal to picture",
    "paper": "Nobody, 2020",
    "url": "https://example.org",
    "wants": "nothing",
    "presets": {"paper": lambda: "settings"},
    "published": {},
    "train": lambda: [],
    "evaluate": lambda: [],
    "module_folder": Path(),
}


def test_config_calls_the_preset():
    assert Recipe(**FIELDS).config("paper") == "settings"


def test_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'paper'"):
        Recipe(**FIELDS).config("papr")


def test_unknown_task_is_refused():
    with pytest.raises(ValueError, match="`task` must be one of"):
        Recipe(**{**FIELDS, "task": "signal to pictures"})
