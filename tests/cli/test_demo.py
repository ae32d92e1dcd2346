import json
import shutil
from dataclasses import dataclass, replace

import pytest

from phosphene.cli import demo
from phosphene.cli.main import main
from phosphene.run_dir import RunDir


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """The data set of a tiny demo, made once."""
    from phosphene.cli.data_simulate import simulate_dataset

    folder = tmp_path_factory.mktemp("simulated")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):  # of lead fields
            patch.setenv(name, str(folder))
        return simulate_dataset(TINY, out=folder / "data")


TINY = replace(demo.SIMULATION, n_trials=80, n_subjects=2, n_recordings=2)


@pytest.fixture
def tiny(fake, simulated, monkeypatch):
    """A demo of few trials and a recipe that only records how it was called."""

    @dataclass(frozen=True, kw_only=True)
    class Config:
        n_steps: int = 2
        seed: int = 0

    calls = []

    def simulate(simulation, *, out, progress):
        calls.append(simulation)
        shutil.copytree(simulated.path, out)
        return simulated

    fake.simulated = calls
    recipe = replace(fake.recipe, presets={"demo": Config})
    monkeypatch.setattr("phosphene.recipes.find_recipes", lambda: {"fake_2020": recipe})
    monkeypatch.setattr(demo, "RECIPE", "fake_2020")
    monkeypatch.setattr(demo, "SIMULATION", TINY)
    monkeypatch.setattr("phosphene.cli.data_simulate.simulate_dataset", simulate)
    return fake


def test_simulates_trains_and_says_where_the_report_is(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    assert tiny.simulated == [TINY]
    ((config, resume),) = tiny.trained
    assert (config.seed, resume) == (0, False)
    run = RunDir(tmp_path / "phosphene-demo" / "run")
    assert run.read_json("config.json")["preset"] == "demo"
    lines = capsys.readouterr().out.splitlines()
    report = "phosphene-demo/run/report.html"
    assert any(line.startswith(f"report     {report} is ready") for line in lines)
    assert any("AUC" in line for line in lines)
    assert f"report     {report}" in lines
    assert lines[-1].startswith("next       phosphene data inspect YOUR_RECORDINGS")


def test_names_generate_where_there_is_a_bundle(tiny, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "d")]) == 0
    assert "phosphene generate" not in capsys.readouterr().out
    RunDir(tmp_path / "d" / "run").write_json("bundle/spec.json", {})
    assert main(["demo", "--out", str(tmp_path / "d")]) == 0
    assert f"phosphene generate {tmp_path}/d/run/bundle --signals" in capsys.readouterr().out


def test_a_finished_demo_is_not_run_again(tiny, tmp_path, capsys):
    words = ["demo", "--out", str(tmp_path / "d")]
    assert main(words) == 0
    capsys.readouterr()
    assert main(words) == 0
    assert len(tiny.trained) == len(tiny.simulated) == 1
    out = capsys.readouterr().out
    assert "is finished; it was not run again" in out
    assert "report.html" in out


def test_goes_on_after_an_interruption(tiny, tmp_path, capsys):
    words = ["demo", "--out", str(tmp_path / "d"), "--seed", "0"]
    tiny.fail = KeyboardInterrupt()
    assert main(words) == 130
    assert "call `phosphene demo` again" in capsys.readouterr().err
    tiny.fail = None
    assert main(words) == 0
    assert [resume for _, resume in tiny.trained] == [False, True]
    assert len(tiny.simulated) == 1
    assert "is there already" in capsys.readouterr().out


def test_another_seed_is_refused(tiny, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "d")]) == 0
    assert main(["demo", "--out", str(tmp_path / "d"), "--seed", "3"]) == 1
    error = capsys.readouterr().err
    assert "has the seed 0, not 3" in error
    assert "with --seed 0, or choose another --out" in error
    assert len(tiny.trained) == 1


def test_seed_reaches_simulation_and_training(tiny, tmp_path):
    assert main(["demo", "--out", str(tmp_path / "d"), "--seed", "3"]) == 0
    assert tiny.simulated[0].seed == 3
    assert tiny.trained[0][0].seed == 3


def test_another_data_set_is_refused(tiny, tmp_path, capsys):
    (tmp_path / "d" / "data").mkdir(parents=True)
    assert main(["demo", "--out", str(tmp_path / "d")]) == 1
    assert "must be a data set of the demo" in capsys.readouterr().err
    made = TINY.to_json() | {"n_trials": 81}
    (tmp_path / "d" / "data" / "info.json").write_text(json.dumps({"simulation": made}))
    assert main(["demo", "--out", str(tmp_path / "d")]) == 1
    assert "`n_trials` is 81, not 80" in capsys.readouterr().err
    assert tiny.trained == []


def test_a_file_in_the_way_is_refused(tiny, tmp_path, capsys):
    (tmp_path / "d").write_text("mine")
    assert main(["demo", "--out", str(tmp_path / "d")]) == 1
    assert "must be a folder" in capsys.readouterr().err
    assert (tmp_path / "d").read_text() == "mine"


def test_the_settings_of_the_demo_exist():
    from phosphene.recipes import get_recipe

    assert get_recipe(demo.RECIPE).config(demo.PRESET).seed == 0
    assert demo.SIMULATION.ceiling == 0.92
    assert demo.SIMULATION.n_trials == 10_000


@pytest.mark.slow
def test_walks_the_real_recipe(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "PRESET", "smoke")
    monkeypatch.setattr(demo, "SIMULATION", replace(TINY, n_trials=200))
    assert main(["demo", "--out", str(tmp_path / "d")]) == 0
    assert "it says what can be decoded" in capsys.readouterr().out
    bundle, data = tmp_path / "d" / "run", tmp_path / "d" / "data"
    words = ["--signals", str(data), "--n-trials", "2", "--out", str(tmp_path / "pictures")]
    assert main(["generate", str(bundle), *words]) == 0
