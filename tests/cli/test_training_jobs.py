from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace

import pytest

from phosphene.cli import training_jobs
from phosphene.cli.series import shares_nothing, train_series
from phosphene.cli.training_jobs import Account, Planned, train_side_by_side
from phosphene.recipe import Recipe
from phosphene.run_dir import RunDir


@dataclass(frozen=True, kw_only=True)
class Config:
    seed: int = 0


def _planned(folder, *, key="fake_2020", seed=0):
    recipe = Recipe(
        key=key, title="", task="signal to picture", paper="", url="", wants="",
        presets={"quick": Config}, published={}, train=list, evaluate=list, module_folder=Path(),
    )  # fmt: skip
    config = replace(Config(), seed=seed)
    return Planned(recipe=recipe, preset="quick", config=config, folder=folder)


@pytest.fixture
def data(tmp_path):
    RunDir(tmp_path / "data").write_json("info.json", {"data_hash": "d1" * 8})
    return tmp_path / "data"


@pytest.fixture
def trainings(monkeypatch, write_result):
    """Replace training by a function that writes a run; `fail` maps folders to errors."""
    seen = SimpleNamespace(names=[], resumed=[], fail={}, seconds=0.0)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(training_jobs, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def train_recipe(recipe, preset, *, config, data, out, resume, progress):
        seen.names.append(out.name)
        seen.resumed.append(resume)
        clock.now += seen.seconds
        if error := seen.fail.get(out.name):
            raise error
        write_result(out, recipe=recipe.key, seed=config.seed)

    monkeypatch.setattr("phosphene.cli.train.train_recipe", train_recipe)
    return seen


def test_finished_runs_are_kept_and_begun_ones_resumed(
    tmp_path, data, trainings, write_result, capsys
):
    plans = [_planned(tmp_path / name, seed=k) for k, name in enumerate("abc")]
    write_result(tmp_path / "a")
    write_result(tmp_path / "b", state={"finished": False})
    assert train_series(plans, data=data) == []
    assert (trainings.names, trainings.resumed) == (["b", "c"], [True, False])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "run 1 of 3  a is finished already"
    assert lines[1] == "run 2 of 3  b: 1 done, 2 to do"


def test_each_line_estimates_what_is_left_from_runs_of_its_kind(tmp_path, data, trainings, capsys):
    plans = [_planned(tmp_path / name, key=f"{name[0]}_2020") for name in ("a0", "b0", "a1", "b1")]
    trainings.seconds = 600.0
    train_series(plans, data=data)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("0 done, 4 to do")
    assert lines[1].endswith("1 done, 3 to do, about 30 min")
    assert lines[3].endswith("3 done, 1 to do, about 10 min")


def test_one_failure_is_named_and_does_not_end_the_others(tmp_path, data, trainings, capsys):
    plans = [_planned(tmp_path / name) for name in "abc"]
    trainings.fail = {"a": ValueError("it needs pictures."), "b": KeyError("colour")}
    failures = train_series(plans, data=data)
    assert failures == [("a", "it needs pictures."), ("b", "unexpected KeyError: 'colour'")]
    assert trainings.names == ["a", "b", "c"]
    assert "run 1 of 3  a: it needs pictures." in capsys.readouterr().err


def test_ctrl_c_ends_the_series(tmp_path, data, trainings):
    trainings.fail = {"a": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        train_series([_planned(tmp_path / name) for name in "ab"], data=data)
    assert trainings.names == ["a"]


@pytest.fixture
def processes(monkeypatch, write_result):
    """Replace processes by entries whose end the test decides: `answers` maps folders to it."""
    seen = SimpleNamespace(begun=[], sources=[], most=0, answers={}, alive=0, terminated=[])

    def start(one, *, data, source, jobs):
        answer, tell = Pipe(duplex=False)
        seen.begun.append(one.folder.name)
        seen.sources.append(source and source.folder.name)
        seen.alive += 1
        seen.most = max(seen.most, seen.alive)
        ends = seen.answers.get(one.folder.name, "finished")
        if ends == "finished":
            write_result(one.folder)
        if ends != "killed":
            tell.send(None if ends == "finished" else ends)
        tell.close()
        process = SimpleNamespace(
            exitcode=-9,
            join=lambda: setattr(seen, "alive", seen.alive - 1),
            terminate=partial(seen.terminated.append, one.folder.name),
        )
        return training_jobs._Running(planned=one, process=process, answer=answer, began=0.0)

    monkeypatch.setattr(training_jobs, "_start", start)
    return seen


def _side_by_side(plans, data, *, shares=shares_nothing, jobs=2):
    account = Account(plans)
    train_side_by_side(plans, data=data, shares=shares, account=account, jobs=jobs)
    return account.failures


def test_as_many_runs_are_trained_at_a_time_as_there_are_jobs(tmp_path, data, processes, capsys):
    plans = [_planned(tmp_path / name) for name in "abcde"]
    assert _side_by_side(plans, data) == []
    assert (processes.begun, processes.most) == (list("abcde"), 2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "run 2 of 5  b: 1 done, 4 to do"  # a had written its result already


def test_a_run_waits_for_the_one_that_it_copies_from(tmp_path, data, processes):
    plans = [_planned(tmp_path / f"{name}{seed}", seed=seed) for seed in (0, 1) for name in "ab"]
    processes.answers["a0"] = "no."
    assert _side_by_side(
        plans, data, shares=lambda one, other: one.config.seed == other.config.seed, jobs=4
    ) == [("a0", "no.")]
    assert processes.begun == ["a0", "a1", "b1", "b0"] or processes.begun == [
        "a0",
        "a1",
        "b0",
        "b1",
    ]
    assert dict(zip(processes.begun, processes.sources, strict=True)) == {
        "a0": None, "a1": None, "b0": None, "b1": "a1",
    }  # fmt: skip


def test_a_process_that_dies_is_a_failure_of_its_run_alone(tmp_path, data, processes):
    processes.answers = {"a": "killed", "b": "it needs pictures."}
    failures = dict(_side_by_side([_planned(tmp_path / name) for name in "abc"], data))
    assert set(failures) == {"a", "b"}
    assert "ended with code -9" in failures["a"]
    assert failures["b"] == "it needs pictures."


def test_what_is_running_ends_with_the_series(tmp_path, data, processes, monkeypatch):
    def interrupt(connections):
        raise KeyboardInterrupt

    monkeypatch.setattr(training_jobs, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _side_by_side([_planned(tmp_path / name) for name in "abc"], data)
    assert processes.terminated == ["a", "b"]


def test_fewer_than_one_job_is_refused(tmp_path, data):
    with pytest.raises(ValueError, match="--jobs"):
        train_series([_planned(tmp_path / "a")], data=data, jobs=0)


@pytest.mark.slow
def test_side_by_side_gives_the_scores_of_one_after_the_other(tmp_path, data_folder):
    from phosphene.recipes import get_recipe

    def plans(folder):
        return [
            Planned(
                recipe=recipe, preset="smoke", config=recipe.config("smoke"), folder=folder / key
            )
            for key in ("eeg2image_2023", "acgan_2017")
            for recipe in [get_recipe(key)]
        ]

    data = data_folder
    assert train_series(plans(tmp_path / "two"), data=data, jobs=2) == []
    assert train_series(plans(tmp_path / "one"), data=data) == []
    for two, one in zip(plans(tmp_path / "two"), plans(tmp_path / "one"), strict=True):
        scores = [RunDir(each.folder).read_json("scores.json") for each in (two, one)]
        assert scores[0] == scores[1]
