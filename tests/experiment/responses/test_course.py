import json
from dataclasses import asdict, replace
from math import isfinite
from types import SimpleNamespace

import numpy as np
import pytest

from phosphene.experiment.responses import autoencoders, classifier, course, drawing, scoring
from phosphene.recipes.lfpgan_2020 import RECIPE
from phosphene.recipes.lfpgan_2020.config import smoke
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json

SYSTEMS = ("GAN without pictures", "pre-trained GAN")


def _start(folder, config):
    run = RunDir.create(folder)
    settings = json.loads(json.dumps(asdict(config)))
    run.write_json("config.json", {"recipe": RECIPE.key, "config": settings})
    return run


@pytest.fixture(scope="module")
def trained(showings_folder, tmp_path_factory):
    """Two of the four GANs, trained for a few steps."""
    config = replace(smoke(), systems=SYSTEMS)
    run = _start(tmp_path_factory.mktemp("responses") / "run", config)
    stages = []
    scores = RECIPE.train(
        config, data=showings_folder, run=run, resume=False, on_stage=stages.append, progress=None
    )
    return SimpleNamespace(run=run, scores=scores, stages=stages, config=config)


@pytest.fixture
def unscored(monkeypatch):
    """Leave the scores of signals out, which follow from arrays that are compared themselves."""
    monkeypatch.setattr(scoring, "score_signals", lambda *_, **__: [])


def _arrays(run):
    found = {}
    for path in sorted(run.path.rglob("*.npz")):
        name = path.relative_to(run.path).as_posix()
        found |= {f"{name} {key}": value for key, value in run.read_arrays(name).items()}
    return found


def test_every_stage_is_told_when_it_is_on_disk(trained):
    assert trained.stages == ["autoencoders", *SYSTEMS, "done"]
    assert trained.run.read_json("state.json") == {"stage": "done", "finished": True}


def test_every_system_is_scored_on_both_sets_beside_floor_and_controls(trained):
    methods = {"real", "noise", "phase-randomised", "autoencoder", *SYSTEMS}
    for where in ("training pictures", "test pictures"):
        for name in ("Fréchet distance[raw]", "Fréchet distance[domain]", "IS[domain]"):
            found = {s.method: s for s in trained.scores if s.name == f"{name}, {where}"}
            assert found.keys() == methods
            assert all(isfinite(score.value) for score in found.values())
            assert found["real"].role == "reference"
            assert found["noise"].role == "control"
            assert found["GAN without pictures"].role == "result"
    specific = [s for s in trained.scores if "specificity" in s.name and s.method == SYSTEMS[1]]
    assert specific
    assert all(score.chance is not None for score in specific)


def test_the_classifier_is_scored_on_showings_that_did_not_train_it(trained):
    (score,) = (s for s in trained.scores if s.name == "accuracy of the classifier of windows")
    assert score.section == "decoding"
    assert score.chance == pytest.approx(1 / 8)
    assert trained.run.read_json("networks.json")["classifier"]["digest"]


def test_scores_can_be_made_again_from_the_folder(trained):
    before = trained.run.read_json("scores.json")
    again = RECIPE.evaluate(trained.run, None)
    assert scores_to_json(again) == before == scores_to_json(trained.scores)


def test_the_course_of_the_autoencoder_is_kept(trained):
    found = trained.run.read_arrays(autoencoders.PROGRESS)
    assert found["steps"].tolist() == [1, 2, 4]
    assert found["spectrum_mean"].shape == (3, 6, 157)
    assert found["real_spectrum_mean"].shape == (6, 157)


def test_bundles_give_what_the_run_would(trained, session):
    from phosphene.export.response_bundle import load_response_bundle
    from phosphene.export.signal_classifier import load_signal_classifier

    system = load_response_bundle(trained.run.path / "bundle").system
    pixels = session.dataset.images.pixels[:2]
    assert system.draw(pixels, n_draws=3, seed=0).shape == (2, 3, 6, 313)
    found = load_signal_classifier(trained.run.path / "classifier").classifier
    real = trained.run.read_arrays(drawing.REAL)["test"]
    seen = trained.run.read_arrays("folds/pictures/classified/real.npz")
    np.testing.assert_allclose(found.probabilities(real), seen["test_probabilities"], atol=1e-5)
    for folder in ("bundle", "classifier"):
        assert (
            "Fréchet" in (trained.run.path / folder / "README.md").read_text() or folder != "bundle"
        )


def test_what_was_cut_off_goes_on_as_if_it_had_not(trained, unscored, showings_folder, tmp_path):
    run = _start(tmp_path / "run", trained.config)

    def stop(stage):
        if stage == SYSTEMS[0]:
            raise KeyboardInterrupt

    words = {"data": showings_folder, "run": run, "progress": None}
    with pytest.raises(KeyboardInterrupt):
        RECIPE.train(trained.config, resume=False, on_stage=stop, **words)
    RECIPE.train(trained.config, resume=True, on_stage=lambda stage: None, **words)
    arrays = _arrays(trained.run)
    for name, values in _arrays(run).items():
        np.testing.assert_array_equal(values, arrays[name], err_msg=name)


def test_stages_on_disk_are_not_trained_again(trained, unscored, showings_folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("trained again")

    for module in (autoencoders, classifier, course):
        monkeypatch.setattr(module, "fit", _only_resumes(module.fit))
    monkeypatch.setattr(drawing, "generate", refuse)
    RECIPE.train(
        trained.config, data=showings_folder, run=trained.run, resume=True,
        on_stage=lambda stage: None, progress=None,
    )  # fmt: skip


def _only_resumes(fit):
    def resumed(step, batches, **rest):
        def none(number):
            raise AssertionError(f"asked for batch {number}")

        return fit(step, none, **rest)

    return resumed


def test_without_systems_the_autoencoders_are_trained_alone(unscored, showings_folder, tmp_path):
    config = replace(smoke(), systems=())
    run = _start(tmp_path / "run", config)
    scores = RECIPE.train(
        config, data=showings_folder, run=run, resume=False,
        on_stage=lambda stage: None, progress=None,
    )  # fmt: skip
    assert {s.method for s in scores if s.name == "reconstruction error, test pictures"} == {
        "autoencoder"
    }
    assert not run.has("bundle/spec.json")


def test_another_split_or_other_data_are_refused(trained, showings_folder, tmp_path):
    other = replace(trained.config, split_seed=1)
    with pytest.raises(ValueError, match="the split it began with"):
        RECIPE.train(
            other, data=showings_folder, run=trained.run, resume=True,
            on_stage=lambda stage: None, progress=None,
        )  # fmt: skip
