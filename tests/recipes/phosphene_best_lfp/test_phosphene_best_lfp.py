"""The contract of a recipe, on the preset that walks all of it in seconds."""

import json
import time
from dataclasses import asdict, replace
from math import isfinite
from types import SimpleNamespace

import numpy as np
import pytest

from phosphene.cli.shared_stages import copy_stages
from phosphene.experiment.responses import course, drawing
from phosphene.experiment.responses.session import prepare_session
from phosphene.export.response_bundle import load_response_bundle
from phosphene.recipes.phosphene_best_lfp import RECIPE, config
from phosphene.recipes.phosphene_best_lfp.run import SYSTEM
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


@pytest.fixture(scope="module")
def best(showings_folder, tmp_path_factory):
    """The smoke preset trained once."""
    settings = config.smoke()
    run = start(tmp_path_factory.mktemp("runs") / "best", settings)
    stages = []
    began = time.process_time()
    scores = train(settings, showings_folder, run, on_stage=stages.append)
    seconds = time.process_time() - began
    return SimpleNamespace(run=run, scores=scores, stages=stages, seconds=seconds)


def test_smoke_preset_takes_seconds(best):
    """Processor time under type checks; without them it is a third."""
    assert best.seconds < 20


def test_says_what_the_report_needs_after_each_stage(best):
    assert best.stages == ["autoencoders", SYSTEM, "done"]
    assert best.run.read_json("state.json") == {"stage": "done", "finished": True}


def test_every_score_is_finite_and_on_disk_and_can_be_made_again(best):
    values = [
        value
        for score in best.scores
        for value in (score.value, score.low, score.high, score.chance)
        if value is not None
    ]
    assert all(isfinite(value) for value in values)
    assert best.run.read_json("scores.json") == scores_to_json(best.scores)
    assert RECIPE.evaluate(best.run, None) == best.scores


def test_is_scored_beside_floor_and_controls(best):
    for name in ("Fréchet distance[raw]", "Fréchet distance[domain]"):
        for where in ("training pictures", "test pictures"):
            found = {s.method: s.role for s in best.scores if s.name == f"{name}, {where}"}
            assert found == {
                "real": "reference", "noise": "control", "phase-randomised": "control",
                SYSTEM: "result",
            }  # fmt: skip


def test_windows_are_zscored_as_the_data(best):
    made = best.run.read_arrays(drawing.generated_file(SYSTEM))
    for name in ("train", "test"):
        np.testing.assert_allclose(made[name].mean((1, 2)), 0, atol=1e-5)
        np.testing.assert_allclose(made[name].std((1, 2)), 1, atol=1e-4)


def test_the_bundle_gives_windows_for_pictures(best, showings_folder):
    system = load_response_bundle(best.run.path / "bundle").system
    session = prepare_session(config.smoke(), showings_folder)
    pixels = session.dataset.images.pixels[:2]
    windows = system.draw(pixels, n_draws=3, seed=0)
    assert windows.shape == (2, 3, session.n_chans, session.n_times)
    assert np.isfinite(windows).all()
    again = load_response_bundle(best.run.path / "bundle").system
    np.testing.assert_array_equal(again.draw(pixels, n_draws=3, seed=0), windows)


def test_every_ablation_changes_the_generator_alone():
    quick = config.quick()
    variants = RECIPE.variants(quick)
    assert len({str(each) for each in variants.values()} | {str(quick)}) == len(variants) + 1
    for each in variants.values():
        for name in ("split_seed", "seed", "test_share", "n_scored", "picture_size"):
            assert getattr(each, name) == getattr(quick, name)
        for name, value in asdict(quick).items():
            assert not name.startswith("classifier") or getattr(each, name) == value


def test_shared_stages_are_files_of_a_fold(best):
    folder = best.run.fold("pictures")
    assert [name for name in RECIPE.shared_stages if not (folder / name).exists()] == []


def windows_of(run, name=SYSTEM):
    return run.read_arrays(drawing.generated_file(name))["test"]


def test_same_seed_gives_the_same_windows_and_another_seed_others(
    best, showings_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(course, "score_run", lambda *_: [])  # scores follow from the windows
    for seed in (0, 1):
        settings = replace(config.smoke(), seed=seed)
        run = start(tmp_path / str(seed), settings)
        copy_stages(best.run, run, RECIPE.shared_stages)
        train(settings, showings_folder, run)
        assert np.array_equal(windows_of(run), windows_of(best.run)) == (seed == 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPE.ablations)
def test_every_variant_trains_on_what_another_shares(best, showings_folder, tmp_path, name):
    settings = RECIPE.variants(config.smoke())[name]
    run = start(tmp_path / "variant", settings)
    copy_stages(best.run, run, RECIPE.shared_stages)
    scores = train(settings, showings_folder, run)
    references = [[s for s in each if s.role != "result"] for each in (scores, best.scores)]
    assert references[0] == references[1]
    (system,) = {s.method for s in scores if s.role == "result"}
    assert not np.array_equal(windows_of(run, system), windows_of(best.run))


def test_results_and_page_lie_beside_the_recipe():
    results = json.loads((RECIPE.module_folder / "results.json").read_text())
    assert set(results) == {"published", "ours"}
    assert set(results["published"]) == {"note"}
    assert (RECIPE.module_folder / "README.md").is_file()
