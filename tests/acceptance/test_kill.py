"""Runs that end by `kill -9` go on to the same result."""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "benchmarks" / "kill_and_resume.py"
COMMAND = [sys.executable, "-m", "phosphene.cli.main"]
SMOKE = ["train", "eeg2image_2023", "smoke", "--null-folds", "0", "--judge-steps", "8"]


@pytest.mark.slow
def test_trainings_killed_at_random_moments_end_in_the_same_bits():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--kills", "4", "--seed", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "4 of 4"
    assert done.stdout.count("gan") == done.stdout.count("encoder") == 2


def test_the_comparison_sees_one_bit():
    spec = importlib.util.spec_from_file_location("kill_and_resume", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def state(value=0.0, step=3, n_draws=1):
        rng = torch.Generator().manual_seed(0)
        torch.rand(n_draws, generator=rng)
        return {"net": {"w": torch.tensor([1.0, value])}, "steps": [step], "rng": rng.get_state()}

    assert script.differences(state(), state()) == []
    assert script.differences(state(), state(value=-0.0)) == ["state.net.w"]
    assert script.differences(state(float("nan")), state(float("nan"))) == []
    assert script.differences(state(), state(step=4)) == ["state.steps.0"]
    assert script.differences(state(), state(n_draws=2)) == ["state.rng"]
    assert script.differences(state(), {**state(), "more": 1}) == ["state"]


@pytest.fixture(scope="module")
def environment():
    hidden = ("LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, environment):
    """A data set, a finished run on it, and the seconds that it took."""
    root = tmp_path_factory.mktemp("kill")
    words = ["--montage", "muse", "--n-trials", "160", "--n-subjects", "2", "--n-recordings", "2"]
    simulate = [*COMMAND, "data", "simulate", "--out", str(root / "data"), *words]
    subprocess.run(simulate, check=True, env=environment, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    train(root, "whole", environment)
    return root, time.monotonic() - began


def train(root, name, environment, *words, wait=True):
    """Train with the smoke preset; return the process."""
    process = subprocess.Popen(
        [*COMMAND, *SMOKE, "--data", str(root / "data"), "--out", str(root / name), *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if not wait else None,
    )
    if wait:
        assert process.wait(timeout=250) == 0
    return process


def scores_of(root, name):
    return json.loads((root / name / "scores.json").read_text())


@pytest.mark.slow
def test_a_command_killed_again_and_again_gives_the_same_scores(undisturbed, environment):
    root, seconds = undisturbed
    rng = random.Random(0)
    n_killed = 0
    for _ in range(5):
        process = train(root, "killed", environment, "--resume", wait=False)
        try:
            process.communicate(timeout=rng.uniform(0.2, 0.7) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            n_killed += 1
        else:
            break
    assert n_killed >= 2
    train(root, "killed", environment, "--resume")
    assert scores_of(root, "killed") == scores_of(root, "whole")
    assert not list((root / "killed").rglob("*.tmp"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the other process")
def test_two_processes_end_together_and_one_takes_over(undisturbed, environment):
    root, _ = undisturbed
    first = train(root, "two", environment, "--devices", "2", wait=False)
    log = root / "two" / "log.jsonl"
    deadline = time.monotonic() + 120
    while not log.exists():
        assert first.poll() is None, first.stderr.read()
        assert time.monotonic() < deadline, "no training step in 120 s"
        time.sleep(0.02)
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
    assert len(children) == 1
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=60)  # the other one has closed its end of the pipe, so it is gone
    train(root, "two", environment, "--resume")
    whole, taken_over = scores_of(root, "whole"), scores_of(root, "two")
    assert [score["name"] for score in taken_over] == [score["name"] for score in whole]
    for mine, one in zip(taken_over, whole, strict=True):
        assert mine["value"] == pytest.approx(one["value"], abs=0.01), mine["method"]
