"""What the contract of recipes (test_contract.py) does not ask for, on the smoke preset."""

import json

from phosphene.recipes.brain2image_2017 import RECIPE


def test_decoders_and_controls_have_their_names(trained):
    accuracies = [s for s in trained.scores if "accuracy" in s.name or s.name == "AUC"]
    methods = {s.method for s in accuracies if s.role == "control"} - {
        "permuted labels: tangent space"
    }
    assert methods == {
        *("permuted labels: lstm", "permuted labels: compared lstm"),
        *("permuted labels: shrinkage LDA", "noise input: lstm"),
    }


def test_paths_are_held_against_a_cross_fade(trained):
    paths = {s.method for s in trained.scores if s.name == "interpolation smoothness[domain]"}
    assert "cross-fade of real pictures" in paths


def test_published_chance_is_that_of_its_classes():
    results = json.loads((RECIPE.module_folder / "results.json").read_text())["published"]
    assert RECIPE.published["chance, 40 classes"] == 1 / results["n_classes"]
