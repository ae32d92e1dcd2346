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
