"""The contract of a recipe, on the preset that walks all of it in seconds."""

import json
import time
from dataclasses import asdict, replace
from math import isfinite
from types import SimpleNamespace

import numpy as np
import pytest

from phosphene.cli.shared_stages import copy_stages
from phosphene.experiment.restoration import drawing
from phosphene.experiment.restoration.pictures import TEST
from phosphene.export.restoration_bundle import load_restoration_bundle
from phosphene.recipes.phosphene_best_restoration import RECIPE, config
from phosphene.recipes.phosphene_best_restoration.run import SYSTEM
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json


def start(folder, settings):
    run = RunDir.create(folder)
    plain = json.loads(json.dumps(asdict(settings)))
    run.write_json("config.json", {"recipe": RECIPE.key, "config": plain})
    return run


def train(settings, data, run, **options):
    options = {"on_stage": lambda stage: None, "progress": None, "resume": False, **options}
    return RECIPE.train(settings, data=data, run=run, **options)


def restored(run, name=SYSTEM):
    return run.read_arrays(drawing.time_file(name))["restored"]


@pytest.fixture(scope="module")
def best(digits_folder, tmp_path_factory):
    """The smoke preset trained once."""
    settings = config.smoke()
    run = start(tmp_path_factory.mktemp("runs") / "best", settings)
    stages = []
    began = time.process_time()
    scores = train(settings, digits_folder, run, on_stage=stages.append)
    seconds = time.process_time() - began
    return SimpleNamespace(run=run, scores=scores, stages=stages, seconds=seconds)


def test_smoke_preset_takes_seconds(best):
    """Processor time under type checks."""
    assert best.seconds < 20


def test_says_what_the_report_needs_after_each_stage(best):
    assert best.stages == ["baselines", "tuning", SYSTEM, "done"]
    assert best.run.read_json("state.json") == {"stage": "done", "finished": True}


def test_every_score_is_finite_and_on_disk_and_can_be_made_again(best):
    values = [
        value
        for score in best.scores
        for value in (score.value, score.low, score.high, score.chance)
        if value is not None
    ]
    assert values
    assert all(isfinite(value) for value in values)
    assert best.run.read_json("scores.json") == scores_to_json(best.scores)
    assert RECIPE.evaluate(best.run, None) == best.scores


def test_the_bundle_restores_as_the_run_did(best):
    system = load_restoration_bundle(best.run.path / "bundle").system
    corrupted = best.run.read_arrays(TEST)["corrupted"].transpose(0, 3, 1, 2)
    again = system.restore(corrupted.astype(np.float32) / 255).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(255 * again, restored(best.run), atol=0.51)


def test_every_ablation_changes_network_or_training_alone():
    quick = config.quick()
    variants = RECIPE.variants(quick)
    assert len({str(each) for each in variants.values()} | {str(quick)}) == len(variants) + 1
    same = ("split_seed", "seed", "division", "corruption", "n_scored", "iterations")
    for each in variants.values():
        for name in same:
            assert getattr(each, name) == getattr(quick, name)
        for name, value in asdict(quick).items():
            assert not name.startswith("classifier") or getattr(each, name) == value


def test_shared_stages_are_files_of_a_fold(best):
    folder = best.run.fold("pictures")
    assert [name for name in RECIPE.shared_stages if not (folder / name).exists()] == []


def test_same_seed_gives_the_same_pictures_and_another_seed_others(best, digits_folder, tmp_path):
    for seed in (0, 1):
        run = start(tmp_path / str(seed), replace(config.smoke(), seed=seed))
        copy_stages(best.run, run, RECIPE.shared_stages)
        train(replace(config.smoke(), seed=seed), digits_folder, run)
        assert np.array_equal(restored(run), restored(best.run)) == (seed == 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPE.ablations)
def test_every_variant_trains_on_what_another_shares(best, digits_folder, tmp_path, name):
    settings = RECIPE.variants(config.smoke())[name]
    run = start(tmp_path / "variant", settings)
    copy_stages(best.run, run, RECIPE.shared_stages)
    scores = train(settings, digits_folder, run)
    baselines = [[s for s in each if s.role == "baseline"] for each in (scores, best.scores)]
    assert baselines[0] == baselines[1]
    weights = [(r.path / "bundle" / "weights.safetensors").read_bytes() for r in (run, best.run)]
    assert weights[0] != weights[1]  # three steps move some pictures by less than a grey level
