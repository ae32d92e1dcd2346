import json

from phosphene.recipes.deligan_2017 import RECIPE, config


def test_presets_are_known_to_the_recipe():
    assert {name: make() for name, make in RECIPE.presets.items()} == {
        name: getattr(config, name)() for name in RECIPE.presets
    }
    assert {"paper", "paper_glyphs", "code", "quick", "smoke"} <= RECIPE.presets.keys()


def test_what_was_measured_here_is_no_published_number():
    results = json.loads((RECIPE.module_folder / "results.json").read_text(encoding="utf-8"))
    assert results.keys() == {"published", "ours"}
    assert RECIPE.published.get("IS, objects") == results["published"].get(
        "inception_score_objects"
    )


def test_readme_says_on_which_trials_the_gan_is_trained():
    readme = (RECIPE.module_folder / "README.md").read_text(encoding="utf-8")
    assert "features of training trials" in readme
    assert "*test* trials" in readme
