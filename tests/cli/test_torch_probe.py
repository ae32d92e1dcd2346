import sys

import pytest

from phosphene.cli.torch_probe import look, probe_torch


@pytest.fixture
def python(tmp_path):
    """Write a program that stands for the interpreter; return its path."""

    def python(body):
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return python


def test_it_finds_this_torch():
    import torch

    found = look()
    assert found["version"] == str(torch.__version__)
    assert found["threads"] == torch.get_num_threads()
    assert all(device["error"] == "" for device in found["devices"])


def test_its_own_process_answers_the_same():
    found = probe_torch()
    assert found["version"] == look()["version"]
    assert found["threads"] == 1  # OMP_NUM_THREADS of the tests


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("import os; os.abort()", "exit code -6: it said nothing"),
        ("import sys; sys.exit('libfoo.so: cannot open')", "exit code 1: libfoo"),
        ("print('[]')", "exit code 0"),
    ],
)
def test_a_torch_that_takes_its_process_along_is_an_error(python, body, match):
    assert match in probe_torch(python(body))["error"]


def test_a_torch_that_hangs_is_an_error(python):
    assert (
        "within 0.2 s" in probe_torch(python("import time; time.sleep(60)"), seconds=0.2)["error"]
    )


def test_no_interpreter_is_an_error(tmp_path):
    assert "No such file" in probe_torch(str(tmp_path / "none"))["error"]


def test_a_torch_that_raises_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert look()["error"].startswith("ModuleNotFoundError: import of torch")
