"""The contract of a recipe, on the preset that walks all of it in seconds."""

from dataclasses import replace

import numpy as np
import pytest

from phosphene.experiment import course
from phosphene.recipes import get_recipe
from phosphene.recipes.eeg2image_2023 import RECIPE


def test_says_what_the_report_needs_after_each_stage(trained):
    assert trained.stages == ["pictures", "pictures, a third of the way", "done"]
    assert trained.run.read_json("state.json") == {"stage": "done", "finished": True}


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


@pytest.mark.slow
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
    scores = RECIPE.train(config, data=data_folder, run=run)
    arrays = run.read_arrays("folds/0/decoding.npz")
    assert (arrays["recording"] == recording[0]).sum() == 1
    assert np.isfinite(arrays["noise_probabilities"]).all()
    assert {score.section for score in scores} >= {"decoding", "pictures"}


@pytest.mark.slow
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
    assert RECIPE.train(config, data=data_folder, run=run)
    labels = [run.read_arrays(f"folds/{key}/null.npz")["labels"] for key in sorted(set(recording))]
    assert [len(found) for found in labels][-1] == 1
