"""The contract of a recipe, on the preset that walks all of it in seconds."""

import json
import time
from dataclasses import replace
from math import isfinite

import numpy as np

from phosphene.experiment import course
from phosphene.recipes import get_recipe
from phosphene.recipes.eeg2image_2023 import run as run_module
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json


def test_says_what_the_report_needs_after_each_stage(trained):
    assert trained.stages == ["pictures", "pictures, a third of the way", "done"]
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
    accuracies = [s for s in trained.scores if "accuracy" in s.name or s.name == "AUC"]
    assert all(score.chance is not None for score in accuracies)
    decoded = {s.method for s in accuracies if s.role in ("result", "baseline")}
    permuted = {s.method for s in accuracies if s.method.startswith("permuted labels")}
    names = {method.removeprefix("permuted labels: ") for method in permuted}
    assert names - {"tangent space"} == {"compact_cnn", "shrinkage LDA", "lstm_two_layer"}
    assert all(any(method.startswith(name) for name in names) for method in decoded)


def test_picture_scores_have_their_controls(trained):
    pictures = [s for s in trained.scores if s.section == "pictures"]
    for name in ("class consistency (decoded)", "IS[domain]", "Fréchet distance[domain]"):
        methods = {s.method for s in pictures if s.name == name}
        assert {"generated", "class label only", "shuffled features", "noise input"} <= methods
    assert {s.method for s in pictures if s.name == "IS[domain]"} >= {"real pictures"}


def test_scores_on_disk_are_those_returned(trained):
    assert trained.run.read_json("scores.json") == scores_to_json(trained.scores)


def test_evaluate_on_the_folder_gives_the_same_scores(trained):
    before = (trained.run.path / "scores.json").read_bytes()
    again = get_recipe("eeg2image_2023").evaluate(RunDir(trained.run.path), None)
    assert again == trained.scores
    assert (trained.run.path / "scores.json").read_bytes() == before


def test_same_seed_gives_the_same_scores_within_seconds(trained, train_again, smoke):
    began = time.process_time()  # of a second training: the first one imports what it needs
    _, scores = train_again(smoke)
    assert time.process_time() - began < 12  # 5 s where no test checks the type of each argument
    assert scores == trained.scores


def test_stages_that_ablations_share_do_not_depend_on_what_is_taken_away(
    trained, train_again, smoke, monkeypatch
):
    recipe = get_recipe("eeg2image_2023")
    monkeypatch.setattr(course, "score_run", lambda *_: [])
    neither, _ = train_again(recipe.variants(smoke)["neither"])
    for name in recipe.shared_stages:
        assert (neither.path / "folds/0" / name).exists()
    made = {path.name for path in (neither.path / "folds/0").iterdir()}
    own = {"generator", "guide", "generated.npz", "pictures.npz", "map.npz", "done.json"}
    assert made == {*recipe.shared_stages, *own}
    for name in (name for name in made if name.endswith(".npz")):
        first, other = (run.read_arrays(f"folds/0/{name}") for run in (trained.run, neither))
        same = all(np.array_equal(values, other[key]) for key, values in first.items())
        assert same is (name in recipe.shared_stages)


def test_another_seed_gives_other_numbers(trained, train_again, smoke):
    settings = replace(smoke, seed=1, picture_folds=0, null_folds=0, compare_encoder=None)
    run, _ = train_again(settings)
    name = "folds/0/decoding.npz"
    first, other = (each.read_arrays(name)["probabilities"] for each in (trained.run, run))
    assert not np.array_equal(first, other)


def test_metadata_and_published_numbers_belong_together():
    recipe = get_recipe("eeg2image_2023")
    results = json.loads((recipe.module_folder / "results.json").read_text())["published"]
    assert recipe.published["IS, objects"] == results["inception_score_objects"]
    assert recipe.published["k-means accuracy, objects"] == results["kmeans_accuracy_objects"]
    assert recipe.published["k-means accuracy, characters"] == results["kmeans_accuracy_characters"]
    assert (recipe.module_folder / "README.md").is_file()


def test_a_held_out_recording_may_hold_a_single_trial(
    smoke, dataset, start_run, data_folder, tmp_path, monkeypatch
):
    """Single trials dealt into folds: few of a short recording fall into each."""
    config = replace(smoke, split_unit="trial", compare_encoder=None, generator_steps=1)
    trials = dataset.trials
    split = course.make_split(config, trials)
    _, test = split.folds[0].indices(trials)
    recording = trials.table["recording"].to_numpy(dtype=str)
    dropped = test[recording[test] == recording[0]][1:]
    less = replace(dataset, trials=trials.select(np.setdiff1d(np.arange(len(trials)), dropped)))
    kept = [
        replace(fold, train=tuple(set(fold.train) & set(less.trials.table["trial"])),
                test=tuple(set(fold.test) & set(less.trials.table["trial"])))
        for fold in split.folds
    ]  # fmt: skip
    split = replace(split, folds=tuple(kept))
    monkeypatch.setattr(course, "make_split", lambda config, trials, info: split)
    monkeypatch.setattr(course, "load_dataset", lambda folder: less)
    run = start_run(tmp_path / "few", config)
    scores = run_module.train(config, data=data_folder, run=run)
    arrays = run.read_arrays("folds/0/decoding.npz")
    assert (arrays["recording"] == recording[0]).sum() == 1
    assert np.isfinite(arrays["noise_probabilities"]).all()
    assert {score.section for score in scores} >= {"decoding", "pictures"}


def test_a_recording_left_out_may_be_a_single_trial(
    smoke, dataset, start_run, data_folder, tmp_path, monkeypatch
):
    config = replace(
        smoke, n_folds=None, decode_folds=None, null_folds=None, picture_folds=0,
        compare_encoder=None,
    )  # fmt: skip
    recording = dataset.trials.table["recording"].to_numpy(dtype=str)
    rows = np.flatnonzero(recording == max(recording))[1:]
    trials = dataset.trials.select(np.setdiff1d(np.arange(len(recording)), rows))
    monkeypatch.setattr(course, "load_dataset", lambda folder: replace(dataset, trials=trials))
    run = start_run(tmp_path / "single", config)
    assert run_module.train(config, data=data_folder, run=run)
    labels = [run.read_arrays(f"folds/{key}/null.npz")["labels"] for key in sorted(set(recording))]
    assert [len(found) for found in labels][-1] == 1
