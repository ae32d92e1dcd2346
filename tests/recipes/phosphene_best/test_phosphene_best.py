"""The contract of a recipe, on the preset that walks all of it in seconds."""

import json
import time
from dataclasses import replace
from math import isfinite
from types import SimpleNamespace

import numpy as np
import pytest

from phosphene.cli.shared_stages import copy_stages
from phosphene.export.bundle import load_bundle
from phosphene.recipes import get_recipe
from phosphene.recipes.phosphene_best import RECIPE, config
from phosphene.recipes.phosphene_best.run import ensemble_settings
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json


@pytest.fixture(scope="module")
def best(data_folder, start_run, tmp_path_factory):
    """The smoke preset trained once."""
    settings = config.smoke()
    run = start_run(tmp_path_factory.mktemp("runs") / "best", settings)
    stages = []
    began = time.process_time()
    scores = RECIPE.train(settings, data=data_folder, run=run, on_stage=stages.append)
    seconds = time.process_time() - began
    return SimpleNamespace(run=run, scores=scores, stages=stages, seconds=seconds)


def test_smoke_preset_takes_seconds(best):
    assert best.seconds < 20


def test_says_what_the_report_needs_after_each_stage(best):
    assert best.stages == ["pictures", "pictures, a third of the way", "done"]
    assert best.run.read_json("state.json") == {"stage": "done", "finished": True}


def test_every_score_is_finite_and_on_disk(best):
    values = [
        value
        for score in best.scores
        for value in (score.value, score.low, score.high, score.chance)
        if value is not None
    ]
    assert all(isfinite(value) for value in values)
    assert best.run.read_json("scores.json") == scores_to_json(best.scores)


def test_every_accuracy_carries_chance_and_a_permuted_control(best):
    accuracies = [s for s in best.scores if "accuracy" in s.name or s.name == "AUC"]
    assert all(score.chance is not None for score in accuracies)
    permuted = {s.method for s in accuracies if s.method.startswith("permuted labels")}
    names = {method.removeprefix("permuted labels: ") for method in permuted}
    assert {"ensemble", "shrinkage LDA"} <= names  # and the tangent space, where it is installed
    decoded = {s.method for s in accuracies if s.role in ("result", "baseline")}
    assert all(any(method.startswith(name) for name in names) for method in decoded)


def test_evaluate_on_the_folder_gives_the_same_scores(best):
    before = (best.run.path / "scores.json").read_bytes()
    assert get_recipe("phosphene_best").evaluate(RunDir(best.run.path), None) == best.scores
    assert (best.run.path / "scores.json").read_bytes() == before


def test_same_seed_gives_the_same_numbers_and_another_seed_others(
    best, data_folder, start_run, tmp_path
):
    def decoded(seed):
        settings = replace(config.smoke(), seed=seed, picture_folds=0, null_folds=0)
        run = start_run(tmp_path / str(seed), settings)
        RECIPE.train(settings, data=data_folder, run=run)
        return run.read_arrays("folds/0/decoding.npz")["probabilities"]

    first = best.run.read_arrays("folds/0/decoding.npz")["probabilities"]
    np.testing.assert_array_equal(decoded(0), first)
    assert not np.array_equal(decoded(1), first)


def test_the_bundle_holds_the_whole_ensemble(best, dataset):
    system = load_bundle(best.run.path / "bundle").system
    arrays = best.run.read_arrays("folds/0/decoding.npz")
    order = dataset.trials.table["trial"].tolist()
    rows = [order.index(trial) for trial in arrays["trial"]]
    features = system.features(np.asarray(dataset.trials.epochs)[rows])
    np.testing.assert_allclose(features, arrays["features"], atol=1e-4)
    found = system.decoder.probabilities(features)
    np.testing.assert_allclose(found, arrays["probabilities"], atol=1e-4)


def test_every_ablation_changes_the_pictures_alone():
    quick = config.quick()
    variants = RECIPE.variants(quick)
    assert len({str(each) for each in variants.values()} | {str(quick)}) == len(variants) + 1
    for each in variants.values():
        assert ensemble_settings(each) == ensemble_settings(quick)
        assert (each.split_seed, each.judge_steps, each.null_folds) == (
            quick.split_seed, quick.judge_steps, quick.null_folds,
        )  # fmt: skip


def test_shared_stages_are_files_of_a_fold(best):
    folder = best.run.fold("0")
    assert [name for name in RECIPE.shared_stages if not (folder / name).exists()] == []


@pytest.mark.slow
def test_a_variant_trains_on_what_another_shares(best, data_folder, start_run, tmp_path):
    settings = RECIPE.variants(config.smoke())["EEG2Image's discriminator"]
    run = start_run(tmp_path / "variant", settings)
    copy_stages(best.run, run, RECIPE.shared_stages)
    scores = RECIPE.train(settings, data=data_folder, run=run)
    assert [s for s in scores if s.section == "decoding"] == [
        s for s in best.scores if s.section == "decoding"
    ]
    drawn = [each.read_arrays("folds/0/generated.npz")["own"] for each in (run, best.run)]
    assert not np.array_equal(*drawn)


def test_results_and_page_lie_beside_the_recipe():
    results = json.loads((RECIPE.module_folder / "results.json").read_text())
    assert set(results["published"]) == {"note"}
    assert (RECIPE.module_folder / "README.md").is_file()
