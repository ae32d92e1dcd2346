import json

import pytest

from phosphene.cli.main import main
from phosphene.run_dir import RunDir


@pytest.fixture
def run(fake, tmp_path):
    run = RunDir(tmp_path)
    run.write_json("config.json", {"recipe": "fake_2020"})
    run.write_json("state.json", {"stage": "scores", "finished": True})
    return run


def test_writes_and_prints_the_scores(run, capsys):
    assert main(["evaluate", str(run.path)]) == 0
    assert "0.600–0.800" in capsys.readouterr().out
    assert [score["value"] for score in run.read_json("scores.json")] == [0.7, 0.5]


def test_json_is_all_there_is_on_stdout(run, capsys):
    assert main(["evaluate", str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == run.read_json("scores.json")


def test_refuses_an_unfinished_run(run, capsys):
    run.write_json("state.json", {"stage": "encoder", "finished": False})
    assert main(["evaluate", str(run.path)]) == 1
    assert "--resume" in capsys.readouterr().err
    assert not run.has("scores.json")


def test_full_controls_need_the_data(run, capsys):
    assert main(["evaluate", str(run.path), "--controls", "full"]) == 1
    assert "Name it with --data" in capsys.readouterr().err


def test_data_without_controls_are_refused(run, capsys):
    assert main(["evaluate", str(run.path), "--data", str(run.path)]) == 1
    assert "Add --controls full" in capsys.readouterr().err


def test_full_controls_are_called_with_the_options(run, fake, monkeypatch, capsys, tmp_path):
    from phosphene.experiment.controls import course

    called = {}

    def run_controls(folder, **options):
        called.update(options, folder=folder.path)
        verdict = {"claim": "cannot be judged", "because": []}
        return {"controls": [], "not_run": [], "verdict": verdict}

    monkeypatch.setattr(course, "run_controls", run_controls)
    words = ["--controls", "full", "--data", str(tmp_path), "--minutes", "3", "--nulls", "4"]
    assert main(["evaluate", str(run.path), *words, "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert "verdict  cannot be judged" in said
    assert f"next    phosphene report {run.path}" in said
    assert (called["folder"], called["data"], called["jobs"]) == (run.path, tmp_path, 2)
    assert (called["effort"].minutes, called["effort"].n_nulls) == (3, 4)
    assert called["plan_of"] is None


def test_full_controls_of_runs_that_make_signals_are_refused(run, fake, capsys):
    object.__setattr__(fake.recipe, "task", "picture to signal")
    words = ["--controls", "full", "--data", str(run.path)]
    assert main(["evaluate", str(run.path), *words]) == 1
    assert "runs that read classes from signals" in capsys.readouterr().err
