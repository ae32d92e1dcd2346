"""The speed benchmark runs, and at a size of seconds we give the plain port's answers."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "eeg2image_speed.py"


@pytest.fixture
def benchmark_modules(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK.parent))
    names = "eeg2image_speed", "plain_eeg2image", "timing"
    yield tuple(importlib.import_module(name) for name in names)[:2]
    for name in names:
        sys.modules.pop(name)


def measure(tmp_path, *parts):
    out = tmp_path / "speed.json"
    words = ["--tiny", "--threads", "1", "--json", str(out), "--only", *parts]
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(out.read_text())["rows"]
    assert {row["part"] for row in rows} == set(parts)
    assert all(f"| {row['what']}" in done.stdout for row in rows)
    return rows


def test_networks_and_losses_equal_the_plain_port(tmp_path):
    rows = measure(tmp_path, "triplet", "encoder", "gan")
    same = [row for row in rows if "difference" in row["what"]]
    assert len(same) == 7
    assert all(row["passed"] is True for row in same)
    faster = [row for row in rows if row not in same]
    assert all(row["value"] > 0 and row["unit"] == "x" for row in faster)
    for part in ("triplet", "encoder"):
        found = [row["what"] for row in faster if row["part"] == part]
        assert len(found) == 2
        assert "1 thread:" in found[0]
        assert "2 threads:" in found[1]


def test_the_port_keeps_no_triplets_for_the_gradient(benchmark_modules):
    _, plain = benchmark_modules
    n, kept = 24, []
    features = torch.randn(n, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def keep(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        plain.plain_triplet_loss(features, torch.arange(n) % 3).backward()
    assert max(kept) == n**2


def test_loading_and_steps_take_turns(benchmark_modules, monkeypatch):
    speed, _ = benchmark_modules
    clock, calls = [0.0], []

    def spend(name, amount):
        calls.append(name)
        clock[0] += amount

    def step(_):  # slow at first, as a machine that is busy for a while
        spend("step", 0.5 if calls.count("step") < 3 else 0.1)

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    row = speed.loading_row("any", step, lambda number: spend(number, 0.005), 7, speed.PUBLISHED)
    loads = [call for call in calls if call != "step"]
    assert loads == list(range(len(loads)))
    turns = "".join("s" if call == "step" else "." for call in calls)
    assert turns == ".s" + 7 * ("." * 20 + "s")
    assert row.value == pytest.approx(100 / 21)
    assert row.passed is False


def test_both_ways_to_the_first_picture_have_a_bound(benchmark_modules, monkeypatch):
    speed, _ = benchmark_modules

    def generate(command):
        folder = Path(command[-1]) / "pictures"
        folder.mkdir(parents=True)
        (folder / "one.png").touch()

    sources = {"data set": Path("data"), "raw recording": Path("recording.csv")}
    monkeypatch.setattr(speed, "write_signals", lambda folder, size: sources)
    monkeypatch.setattr(speed, "answer", generate)
    rows = list(speed.measure_generate(speed.PUBLISHED))
    assert len(rows) == 2
    assert all(row.passed is True and row.bound == 2.5 for row in rows)


@pytest.mark.slow
def test_memory_loading_and_starts_are_measured(tmp_path):
    rows = measure(tmp_path, "memory", "loading", "import", "generate")
    assert len(rows) == 6
    assert all(row["value"] > 0 and row["passed"] is None for row in rows)
