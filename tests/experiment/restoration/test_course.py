import json
from dataclasses import asdict, replace
from math import isfinite
from types import SimpleNamespace

import numpy as np
import pytest

from phosphene.experiment.restoration import course, drawing, speed, tuning
from phosphene.experiment.restoration.scoring import SYSTEMS
from phosphene.export.restoration_bundle import load_restoration_bundle
from phosphene.recipes.cnn_lstm_2018 import RECIPE
from phosphene.run_dir import RunDir
from phosphene.score import scores_to_json

NAMES = ("CNN-CNN with bottleneck", "CNN-LSTM")


def _start(folder, config):
    run = RunDir.create(folder)
    settings = json.loads(json.dumps(asdict(config)))
    run.write_json("config.json", {"recipe": RECIPE.key, "config": settings})
    return run


def _train(config, data, run, **words):
    given = {"resume": False, "on_stage": lambda stage: None, "progress": None, **words}
    return RECIPE.train(config, data=data, run=run, **given)


@pytest.fixture(scope="module")
def trained(settings, digits_folder, tmp_path_factory):
    """Two of the three networks, trained for a few iterations."""
    run = _start(tmp_path_factory.mktemp("restoration") / "run", settings)
    stages = []
    scores = _train(settings, digits_folder, run, on_stage=stages.append)
    return SimpleNamespace(run=run, scores=scores, stages=stages, config=settings)


@pytest.fixture
def unscored(monkeypatch):
    """Leave the scores out, which follow from arrays that are compared themselves."""
    monkeypatch.setattr(course, "score_run", lambda run: [])


def _arrays(run):
    found = {}
    for path in sorted(run.path.rglob("*.npz")):
        name = path.relative_to(run.path).as_posix()
        found |= {f"{name} {key}": value for key, value in run.read_arrays(name).items()}
    return found


def test_every_stage_is_told_when_it_is_on_disk(trained):
    assert trained.stages == ["baselines", "tuning", *NAMES, "done"]
    assert trained.run.read_json("state.json") == {"stage": "done", "finished": True}


def test_every_system_is_scored_after_equal_iterations_and_after_equal_time(trained):
    assert all(isfinite(score.value) for score in trained.scores)
    results = {(s.method, s.fold) for s in trained.scores if s.role == "result"}
    folds = ("equal iterations", "equal time")
    pair = "CNN-LSTM - CNN-CNN with bottleneck"
    assert results == {(name, fold) for name in (*NAMES, pair) for fold in folds}
    baselines = {s.method for s in trained.scores if s.role == "baseline"}
    assert baselines == {"corrupted picture", *drawing.BASELINES}


def test_systems_are_described_once_for_all(trained):
    systems = trained.run.read_json(SYSTEMS)
    assert [system["name"] for system in systems] == list(NAMES)
    assert [system["iterations"] for system in systems] == [2, 2]
    assert [system["iterations_equal_time"] for system in systems] == [3, 2]
    for system in systems:
        assert system["learning_rate"] in trained.config.tuning_rates
        assert system["seconds_per_iteration"] > 0
        assert system["slug"] == drawing.slug(system["name"])
        assert trained.run.has(f"folds/pictures/restored/{system['slug']}.time.npz")
        networks = trained.run.read_json("networks.json")
        assert networks[system["name"]]["n_parameters"] == system["n_parameters"]


def test_only_who_has_time_left_goes_on(trained):
    faster, slower = (
        [trained.run.read_arrays(file(name))["restored"] for name in NAMES]
        for file in (drawing.iterations_file, drawing.time_file)
    )
    assert (faster[0] != slower[0]).any()
    np.testing.assert_array_equal(faster[1], slower[1])
    steps = {name: 0 for name in NAMES}
    for record in trained.run.read_log():
        if record["stage"] in steps:
            steps[record["stage"]] = max(steps[record["stage"]], record["step"])
    assert steps == {NAMES[0]: 3, NAMES[1]: 2}


def test_scores_can_be_made_again_from_the_folder(trained):
    before = trained.run.read_json("scores.json")
    again = RECIPE.evaluate(trained.run, None)
    assert scores_to_json(again) == before == scores_to_json(trained.scores)


def test_the_bundle_is_that_of_the_main_system(trained):
    bundle = load_restoration_bundle(trained.run.path / "bundle")
    assert bundle.spec["name"] == "CNN-LSTM"
    assert "RMSE" in (trained.run.path / "bundle" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("stage", ["tuning", "CNN-CNN with bottleneck"])
def test_what_was_cut_off_goes_on_as_if_it_had_not(
    trained, unscored, digits_folder, tmp_path, stage
):
    run = _start(tmp_path / "run", trained.config)

    def stop(reached):
        if reached == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _train(trained.config, digits_folder, run, on_stage=stop)
    systems = run.read_json(SYSTEMS)
    _train(trained.config, digits_folder, run, resume=True)
    assert run.read_json(SYSTEMS) == systems
    arrays = _arrays(trained.run)
    for name, values in _arrays(run).items():
        np.testing.assert_array_equal(values, arrays[name], err_msg=name)


def test_what_is_cut_off_in_the_last_stretch_goes_on(
    trained, unscored, digits_folder, tmp_path, monkeypatch
):
    """A kill after the checkpoint of equal time and before its pictures are written."""
    run = _start(tmp_path / "run", trained.config)
    write = drawing.write_system

    def stop(run, file, network, judge):
        if file.endswith("time.npz"):
            raise KeyboardInterrupt
        write(run, file, network, judge)

    monkeypatch.setattr(drawing, "write_system", stop)
    with pytest.raises(KeyboardInterrupt):
        _train(trained.config, digits_folder, run)
    monkeypatch.setattr(drawing, "write_system", write)
    _train(trained.config, digits_folder, run, resume=True)
    arrays = _arrays(trained.run)
    for name, values in _arrays(run).items():
        np.testing.assert_array_equal(values, arrays[name], err_msg=name)


def test_stages_on_disk_are_not_trained_again(trained, unscored, digits_folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("again")

    monkeypatch.setattr(course, "fit", refuse)
    monkeypatch.setattr(tuning, "fit", refuse)
    monkeypatch.setattr(drawing, "write_system", refuse)
    monkeypatch.setattr(speed, "perf_counter", refuse)
    _train(trained.config, digits_folder, trained.run, resume=True)


def test_without_given_numbers_the_speeds_decide(
    settings, unscored, digits_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        speed, "measure_speeds", lambda *_, **__: dict(zip(NAMES, (0.1, 0.2), strict=True))
    )
    config = replace(settings, equal_time=())
    run = _start(tmp_path / "run", config)
    _train(config, digits_folder, run)
    found = [system["iterations_equal_time"] for system in run.read_json(SYSTEMS)]
    assert found == [4, 2]


def test_pictures_without_classes_have_no_accuracy(settings, tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(16):
        pixels = rng.integers(0, 256, (9, 11, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    config = replace(settings, n_scored=4)
    run = _start(tmp_path / "run", config)
    scores = _train(config, folder, run)
    assert scores
    assert not [score for score in scores if "accuracy" in score.name]
    assert run.read_arrays(drawing.time_file("CNN-LSTM"))["restored"].shape == (4, 9, 11, 3)
