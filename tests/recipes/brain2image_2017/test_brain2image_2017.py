"""The contract of a recipe, on the preset that walks all of it in seconds."""

import json
from dataclasses import replace
from math import isfinite

import numpy as np
import pytest

from phosphene.experiment import course
from phosphene.export.bundle import load_bundle
from phosphene.recipes import get_recipe
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json

RECIPE = get_recipe("brain2image_2017")


def test_says_what_the_report_needs_after_each_stage(trained):
    assert trained.stages == ["pictures", "pictures, a third of the way", "done"]


def test_every_score_is_finite(trained):
    values = [
        value
        for score in trained.scores
        for value in (score.value, score.low, score.high, score.chance)
        if value is not None
    ]
    assert values
    assert all(isfinite(value) for value in values)


def test_every_accuracy_carries_chance_and_a_permuted_control(trained):
    accuracies = [s for s in trained.scores if "accuracy" in s.name or s.name == "AUC"]
    assert all(score.chance is not None for score in accuracies)
    decoded = {s.method for s in accuracies if s.role in ("result", "baseline")}
    permuted = {s.method for s in accuracies if s.method.startswith("permuted labels")}
    names = {method.removeprefix("permuted labels: ") for method in permuted}
    assert names - {"tangent space"} == {"lstm", "shrinkage LDA", "compared lstm"}
    assert all(any(method.startswith(name) for name in names) for method in decoded)
    assert "noise input: lstm" in {s.method for s in accuracies}


def test_picture_scores_have_their_controls(trained):
    pictures = [s for s in trained.scores if s.section == "pictures"]
    for name in ("class consistency (decoded)", "IS[domain]", "Fréchet distance[domain]"):
        methods = {s.method for s in pictures if s.name == name}
        assert {"generated", "class label only", "shuffled features", "noise input"} <= methods
    paths = {s.method for s in pictures if s.name == "interpolation smoothness[domain]"}
    assert "cross-fade of real pictures" in paths


def test_evaluate_on_the_folder_gives_the_same_scores(trained):
    assert trained.run.read_json("scores.json") == scores_to_json(trained.scores)
    assert RECIPE.evaluate(RunDir(trained.run.path), None) == trained.scores


@pytest.fixture
def unscored(monkeypatch):
    """Leave out what takes most of a small run's time."""
    monkeypatch.setattr(course, "score_run", lambda *given, **named: [])


@pytest.mark.usefixtures("unscored")
def test_same_seed_gives_the_same_numbers(trained, smoke, train_in, tmp_path):
    again = train_in(tmp_path / "again", smoke)
    assert again.seconds < 5
    for name in ("decoding", "generated", "interpolation", "null"):
        first, second = (each.run.read_arrays(f"folds/0/{name}.npz") for each in (trained, again))
        assert first.keys() == second.keys()
        for key, values in first.items():
            np.testing.assert_array_equal(second[key], values)


@pytest.mark.usefixtures("unscored")
def test_another_seed_gives_other_numbers(trained, smoke, train_in, tmp_path):
    other = train_in(tmp_path / "other", replace(smoke, seed=1, picture_folds=0, null_folds=0))
    name = "folds/0/decoding.npz"
    first, second = (each.run.read_arrays(name)["probabilities"] for each in (trained, other))
    assert not np.array_equal(first, second)


def test_bundle_draws_what_the_run_drew(trained, dataset):
    bundle = load_bundle(trained.run.path / "bundle")
    arrays = trained.run.read_arrays("folds/0/decoding.npz")
    rows = dataset.trials.table["trial"].isin(arrays["trial"].tolist()).to_numpy()
    test = dataset.trials.select(np.flatnonzero(rows))
    assert test.table["trial"].tolist() == arrays["trial"].tolist()
    features = bundle.system.features(test.epochs)
    np.testing.assert_allclose(features, arrays["features"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        bundle.system.decoder.probabilities(features), arrays["probabilities"], rtol=1e-5
    )
    assert bundle.system.generator.n_noise == 8


def test_metadata_and_published_numbers_belong_together():
    found = json.loads((RECIPE.module_folder / "results.json").read_text())
    assert found["ours"] == []
    published = found["published"]
    assert RECIPE.published["IS, GAN, 40 classes, block design"] == published["inception_score_gan"]
    assert RECIPE.published["chance, 40 classes"] == 1 / published["n_classes"]
    assert (RECIPE.module_folder / "README.md").is_file()
