import importlib
import sys
from functools import partial

import pytest

from phosphene.experiment.controls.workers import work_off
from phosphene.run_dir import RunDir

WORK = """
import os

import numpy as np

from phosphene.experiment.controls.control import ControlNotPossibleError, Task
from phosphene.run_dir import RunDir


def refuse():
    raise ControlNotPossibleError("it cannot be")


def fail():
    raise KeyError("a defect")


def end():
    os._exit(3)


def threads():
    return {"threads": np.array(int(os.environ["OMP_NUM_THREADS"]))}


def open_tasks():
    made = {
        "one": lambda: {"x": np.arange(3)},
        "two": lambda: {"x": np.arange(4)},
        "refused": refuse,
        "failed": fail,
        "ended": end,
        "threads": threads,
    }
    return {name: Task(name=name, make=make) for name, make in made.items()}


def keep(path, name, arrays):
    RunDir(path).write_arrays(f"{name}.npz", arrays)
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A module that other processes can import, as they cannot a test."""
    (tmp_path / "work_to_share.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("work_to_share")
    del sys.modules["work_to_share"]


def test_work_that_fails_does_not_stop_the_rest(tmp_path, work):
    heard = []
    answers = work_off(
        ["refused", "one", "failed", "two"],
        open_tasks=work.open_tasks,
        keep=partial(work.keep, tmp_path),
        jobs=1,
        on_done=heard.append,
    )
    reasons = {answer.name: answer.reason for answer in answers}
    assert heard == answers
    assert reasons["one"] == reasons["two"] == ""
    assert reasons["refused"] == "it cannot be"
    assert reasons["failed"].startswith("it failed with KeyError in fail")
    assert RunDir(tmp_path).read_arrays("two.npz")["x"].tolist() == [0, 1, 2, 3]


@pytest.mark.slow
def test_processes_share_the_work_and_one_that_ends_is_named(tmp_path, work):
    answers = work_off(
        ["ended", "one", "two", "threads", "failed"],
        open_tasks=work.open_tasks,
        keep=partial(work.keep, tmp_path),
        jobs=2,
        on_done=lambda answer: None,
    )
    reasons = {answer.name: answer.reason for answer in answers}
    assert set(reasons) == {"ended", "one", "two", "threads", "failed"}
    assert "ended by itself with code 3" in reasons["ended"]
    assert reasons["one"] == reasons["two"] == reasons["threads"] == ""
    assert RunDir(tmp_path).read_arrays("threads.npz")["threads"] == 1
