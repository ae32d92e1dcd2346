import json

import numpy as np
import pytest

import phosphene
from phosphene.run_dir import RunDir


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run")


def test_create_refuses_a_folder_with_files_and_leaves_them(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="--resume"):
        RunDir.create(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
    RunDir.create(tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_create_refuses_a_file(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        RunDir.create(tmp_path / "run")


def test_json_round_trip(run):
    assert not run.has("config.json")
    run.write_json("config.json", {"size": 28, "name": "Fréchet"})
    assert run.has("config.json")
    assert run.read_json("config.json") == {"size": 28, "name": "Fréchet"}


def test_nan_is_refused_and_the_old_file_stays(run):
    run.write_json("scores.json", [1])
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.write_json("scores.json", [float("nan")])
    assert run.read_json("scores.json") == [1]


def test_a_failed_write_leaves_no_file_behind(run):
    def write_half(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run.write_bytes("weights.safetensors", write_half)
    assert list(run.path.iterdir()) == []


def test_written_files_are_readable_like_any_other(run, tmp_path):
    (tmp_path / "plain").write_text("")
    run.write_json("a.json", 1)
    assert (run.path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_missing_file_names_the_folder(run):
    with pytest.raises(FileNotFoundError, match=r"must hold config\.json"):
        run.read_json("config.json")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        RunDir(run.path / "typo").read_json("config.json")


def test_broken_json_is_named(run):
    (run.path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json must hold JSON"):
        run.read_json("config.json")


@pytest.mark.parametrize("name", ["../outside.json", "/tmp/outside.json"])
def test_names_stay_inside(run, name):
    with pytest.raises(ValueError, match="stay inside"):
        run.write_json(name, 1)


def test_arrays_round_trip(run):
    arrays = {"labels": np.arange(3), "trial": np.array(["a1", "b2"]), "n": np.array(4)}
    run.write_arrays("folds/sub-1/decoding.npz", arrays)
    read = run.read_arrays("folds/sub-1/decoding.npz")
    assert set(read) == set(arrays)
    for key, array in arrays.items():
        np.testing.assert_array_equal(read[key], array)


def test_object_arrays_are_refused(run):
    with pytest.raises(ValueError, match="Python objects"):
        run.write_arrays("a.npz", {"trial": np.array(["a", None], dtype=object)})
    assert not run.has("a.npz")


def test_pickles_are_refused_on_reading(run):
    np.savez(run.path / "a.npz", trial=np.array(["a", None], dtype=object))
    with pytest.raises(ValueError, match="Python objects"):
        run.read_arrays("a.npz")


def test_fold_makes_its_folder(run):
    assert run.fold("2").is_dir()
    assert run.fold("2") == run.path / "folds" / "2"


def test_log_appends_and_survives_a_kill_in_the_middle_of_a_line(run):
    assert run.read_log() == []
    run.log({"stage": "encoder", "step": 1})
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"stage": "enc')
    assert [record["step"] for record in run.read_log()] == [1]
    run.log({"stage": "encoder", "step": 2})
    assert [record["step"] for record in run.read_log()] == [1, 2]
    lines = (run.path / "log.jsonl").read_text().splitlines()
    assert [set(json.loads(line)) for line in lines] == [{"time", "stage", "step"}] * 2


@pytest.mark.parametrize("line", ["[1]", '{"loss": NaN}', "{", "[" * 10_000])
def test_log_lines_that_are_no_records_are_named(run, line):
    run.log({"step": 1})
    with (run.path / "log.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=r"log\.jsonl must be a JSON object; line 2 is none"):
        run.read_log()


def test_links_that_lead_out_of_the_run_are_refused(run, tmp_path):
    (tmp_path / "secret.json").write_text("1")
    (run.path / "state.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(ValueError, match="stay inside"):
        run.read_json("state.json")


def test_log_refuses_nan(run):
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.log({"loss": float("nan")})


def test_environment_tells_runs_apart(run):
    run.write_environment(data_hash="ab12", seed=3)
    environment = run.read_json("environment.json")
    assert environment["data_hash"] == "ab12"
    assert environment["seed"] == 3
    assert environment["versions"]["phosphene"] == phosphene.__version__
    assert environment["versions"]["torch"]
    assert environment["n_cpus"] >= 1


def test_what_a_kill_left_is_cleared_away(tmp_path):
    run = RunDir.create(tmp_path / "run")
    run.write_json("folds/a/state.json", {})
    before = sorted(run.path.rglob("*"))
    (run.path / "folds" / "a" / ".null.npz.x1y2.tmp").write_bytes(b"half")
    run.remove_unfinished()
    assert sorted(run.path.rglob("*")) == before
