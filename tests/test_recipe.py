from dataclasses import dataclass
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


@dataclass(frozen=True)
class Config:
    augment: tuple[str, ...] = ("color",)
    mode_seeking: float = 1.0


def test_variants_change_the_fields_of_an_ablation_alone():
    ablations = {"neither": {"augment": (), "mode_seeking": 0.0}, "plain": {"augment": ()}}
    recipe = Recipe(**FIELDS, ablations=ablations)
    assert recipe.variants(Config()) == {"neither": Config((), 0.0), "plain": Config((), 1.0)}


def test_a_recipe_without_ablations_has_no_variants():
    assert Recipe(**FIELDS).variants(Config()) == {}


def test_an_ablation_of_an_unknown_field_is_refused_with_the_nearest():
    recipe = Recipe(**FIELDS, ablations={"plain": {"augmnt": ()}})
    with pytest.raises(ValueError, match="Did you mean 'augment'"):
        recipe.variants(Config())


@pytest.mark.parametrize("stage", ["../encoder", "a/b", "..", ""])
def test_a_shared_stage_stays_in_its_fold(stage):
    with pytest.raises(ValueError, match="plain name inside a fold"):
        Recipe(**FIELDS, shared_stages=("judge", stage))
