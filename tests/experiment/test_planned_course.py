import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from phosphene.experiment import course, planned_course
from phosphene.recipes.eeg2image_2023.config import Config
from phosphene.run_dir import RunDir
from phosphene.training.devices import ALONE, Devices
from phosphene.training.progress import SilentProgress


@pytest.fixture
def given(monkeypatch):
    """What the experiment is called with, under the name of the function."""
    calls = {}

    def call(name):
        def keep(*places, **names):
            calls[name] = (places, names)
            return []

        return keep

    for name in ("train", "evaluate"):
        monkeypatch.setattr(course, name, call(name))
    return calls


def test_training_goes_by_the_plan_of_the_settings(given, smoke, tmp_path):
    run, progress, devices = RunDir(tmp_path), SilentProgress(), Devices()
    scores = planned_course.train(
        smoke, make_plan=lambda settings: ("plan of", settings), data=Path("data"), run=run,
        resume=True, on_stage=print, progress=progress, devices=devices,
    )  # fmt: skip
    assert scores == []
    places, names = given["train"]
    assert places == (("plan of", smoke), smoke)
    assert names == {
        "data": Path("data"), "run": run, "on_stage": print, "progress": progress,
        "devices": devices,
    }  # fmt: skip


def test_training_is_alone_where_no_devices_are_given(given, smoke, tmp_path):
    planned_course.train(smoke, make_plan=str, data=Path("data"), run=RunDir(tmp_path))
    assert given["train"][1]["devices"] is ALONE


def test_scoring_again_goes_by_the_settings_of_the_run(given, smoke, start_run, tmp_path):
    settings = replace(smoke, augment=("color", "cutout"), seed=5)
    run, progress = start_run(tmp_path / "run", settings), SilentProgress()
    planned_course.evaluate(
        run, progress, make_plan=lambda settings: ("plan of", settings), settings_class=Config
    )
    assert given["evaluate"] == (
        (("plan of", settings), settings),
        {"run": run, "progress": progress},
    )


def test_stored_settings_are_those_trained_with(smoke, start_run, tmp_path):
    settings = replace(smoke, augment=(), n_folds=None, decode_folds=None, null_folds=None)
    stored = planned_course.stored_settings(start_run(tmp_path / "run", settings), Config)
    assert stored == settings
    assert stored.augment == ()


def test_stored_settings_of_another_recipe_are_refused(smoke, start_run, tmp_path):
    run = start_run(tmp_path / "run", smoke)
    stored = run.read_json("config.json")
    stored["config"]["fusion"] = "multiply"
    run.write_json("config.json", stored)
    with pytest.raises(TypeError, match="fusion"):
        planned_course.stored_settings(run, Config)


def test_nothing_loads_torch_before_it_is_called():
    code = (
        "import sys; from phosphene.experiment import planned_course;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
