"""The contract of a recipe, on the preset that walks all of it in seconds."""

import json
from dataclasses import replace
from math import isfinite

import numpy as np

from phosphene.recipes import get_recipe
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json


def test_smoke_preset_takes_seconds(trained):
    assert trained.seconds < 20


def test_says_what_the_report_needs_after_each_stage(trained):
    assert trained.stages == ["first fold decoded", "done"]
    assert trained.run.read_json("state.json") == {"stage": "done", "finished": True}


def test_every_score_is_finite(trained):
    values = [
        value
        for score in trained.scores
        for value in (score.value, score.low, score.high, score.chance)
        if value is not None
    ]
    assert all(isfinite(value) for value in values)


def test_every_accuracy_carries_chance_and_a_permuted_control(trained):
    assert {s.section for s in trained.scores} == {"decoding", "ceiling"}
    decoding = [s for s in trained.scores if s.section == "decoding"]
    assert all(score.chance is not None for score in decoding)
    assert all(score.chance_low is not None for score in decoding)
    methods = {s.method for s in decoding if s.role == "control"}
    assert methods == {
        *("permuted labels: lstm", "permuted labels: shrinkage LDA", "noise input: lstm")
    }
    assert {s.method for s in decoding if s.role == "baseline"} == {"shrinkage LDA"}
    assert {s.selected_on for s in decoding} == {"nothing (last step)"}


def test_scores_on_disk_are_those_returned(trained):
    assert trained.run.read_json("scores.json") == scores_to_json(trained.scores)


def test_evaluate_on_the_folder_gives_the_same_scores(trained):
    before = (trained.run.path / "scores.json").read_bytes()
    again = get_recipe("human_mind_2017").evaluate(RunDir(trained.run.path), None)
    assert again == trained.scores
    assert (trained.run.path / "scores.json").read_bytes() == before


def test_same_seed_gives_the_same_scores_and_another_seed_others(
    trained, train_in, data_folder, smoke, tmp_path
):
    assert train_in(data_folder, tmp_path / "same", smoke).scores == trained.scores
    other = train_in(data_folder, tmp_path / "other", replace(smoke, seed=1, null_folds=0))
    first, second = (
        each.run.read_arrays("folds/0/decoding.npz")["probabilities"] for each in (trained, other)
    )
    assert not np.array_equal(first, second)


def test_metadata_and_published_numbers_belong_together():
    recipe = get_recipe("human_mind_2017")
    results = json.loads((recipe.module_folder / "results.json").read_text())["published"]
    said = results["accuracy_unfiltered_block_design"]
    assert recipe.published["accuracy, 40 classes, unfiltered, block design"] == said
    assert recipe.published["chance, 40 classes"] == 1 / results["n_classes"]
    assert (recipe.module_folder / "README.md").is_file()
