"""The benchmarks run: at a size of seconds we give the plain port's answers, and without a GPU the
one for GPUs says so."""

import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "eeg2image_speed.py"
GPU_BENCHMARK = BENCHMARK.with_name("gpu_training.py")
ANYWHERE = [
    f"{arithmetic}{extra}"
    for arithmetic in ("fp32", "bf16")
    for extra in ("", " + contiguous maps", " + channels_last weights")
]


@pytest.fixture
def benchmark_modules(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK.parent))
    names = "eeg2image_speed", "plain_eeg2image", "eeg2image_parts", "timing"
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


@pytest.mark.slow
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


@pytest.fixture
def gpu_modules(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK.parent))
    names = "gpu_training", "gpu_settings"
    yield tuple(importlib.import_module(name) for name in names)
    for name in names:
        sys.modules.pop(name)


def train_without_gpu(tmp_path, *words):
    out = tmp_path / "gpu.json"
    done = subprocess.run(
        [sys.executable, str(GPU_BENCHMARK), *words, "--json", str(out)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "so the GPU rows are missing" in done.stdout
    found = json.loads(out.read_text())
    assert "GPU rows are missing" in found["missing"]
    assert len(found["rows"]) == 33
    assert all(f"| {row['setting']}" in done.stdout for row in found["rows"])
    return done.stdout, found


def test_without_a_gpu_nothing_is_timed_and_that_is_said(tmp_path):
    said, found = train_without_gpu(tmp_path)
    assert {row["status"] for row in found["rows"]} == {"needs CUDA"}
    assert all(row["pictures_per_s"] is row["loss"] is None for row in found["rows"])
    assert said.count("needs CUDA") == 33
    assert found["machine"]["device"] is found["best"] is found["flops_per_step"] is None


@pytest.mark.slow
def test_on_a_cpu_the_rows_that_run_anywhere_are_measured(tmp_path):
    words = "--device cpu --size 16 --batch 4 --steps 1 --repetitions 1"
    said, found = train_without_gpu(tmp_path, *words.split())
    measured = {row["setting"]: row for row in found["rows"] if row["status"] == "measured"}
    assert list(measured) == ANYWHERE
    assert {row["status"] for row in found["rows"]} == {"measured", "needs CUDA"}
    for name, row in measured.items():
        assert row["pictures_per_s"] == pytest.approx(4e3 / row["ms_per_step"])
        assert row["peak_share"] is row["peak_bytes"] is None
        plain = measured[name[:4]]["loss"]
        assert row["loss"] == pytest.approx(plain, rel=1e-5 if "fp32" in name else 1e-3)
    rounded, full = measured["bf16"]["loss"], measured["fp32"]["loss"]
    assert 0 < abs(rounded - full) < 0.01 * full
    fastest = max(measured, key=lambda name: measured[name]["pictures_per_s"])
    assert found["best"] == fastest
    assert f"Best setting on this device: {fastest}," in said


def test_flops_are_those_of_the_passes_of_a_step(gpu_modules):
    gpu, settings = gpu_modules
    work = gpu.Work(device=torch.device("cpu"), size=16, batch=4, n_steps=1, n_repetitions=1)
    step = gpu.make_gan(work, settings.Setting(arithmetic="fp32"))
    pictures, features = gpu.make_batch(work)
    forward = []
    for network, first in (step.generator, torch.zeros(4, 128)), (step.discriminator, pictures):
        with gpu.FlopCounterMode(display=False) as counter, torch.no_grad():
            network(first, features)
        forward.append(counter.get_total_flops())
    # Gradients of weights and of maps cost a forward pass each. Generator: two passes, both with
    # either gradient. Discriminator: three passes, two with both gradients, one with that of maps.
    expected = (2 + 4) * forward[0] + (3 + 4 + 1) * forward[1]
    assert gpu.count_flops(work) == pytest.approx(expected, rel=0.05)


def test_the_share_of_the_peak_is_that_of_the_device_and_the_arithmetic(gpu_modules, monkeypatch):
    _, settings = gpu_modules
    device = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100 80GB HBM3")
    peaks = [settings.peak_of(device, name) for name in ("fp32", "tf32", "bf16")]
    assert peaks == [67e12, 494.7e12, 989.4e12]
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100 MIG 1g.10gb")
    assert settings.peak_of(device, "bf16") is None
    assert settings.peak_of(torch.device("cpu"), "fp32") is None


def test_a_row_that_fails_says_why_and_the_others_go_on(gpu_modules, monkeypatch, capsys):
    gpu, _ = gpu_modules

    def measure(setting, work, *, n_flops):
        if setting.name == "fp32":
            raise RuntimeError("out of memory\nmore")
        speed = 3.0 if setting.name == "bf16" else 2.0
        return gpu.Row(setting=setting.name, status="measured", pictures_per_s=speed)

    monkeypatch.setattr(gpu, "measure", measure)
    words = "gpu_training.py --device cpu --size 16 --batch 2"
    monkeypatch.setattr(sys, "argv", words.split())
    assert gpu.main() == 1
    lines = capsys.readouterr().out.splitlines()
    failed = [line for line in lines if "failed: " in line]
    assert len(failed) == 1
    assert failed[0].startswith("| fp32 ")
    assert failed[0].endswith("| failed: RuntimeError: out of memory |")
    assert "Best setting on this device: bf16, 3.0 pictures/s." in lines


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("arithmetic", ["fp32", "bf16"])
def test_a_captured_step_goes_on_as_the_step_would(gpu_modules, arithmetic):
    gpu, settings = gpu_modules
    device = torch.device("cuda", 0)
    work = gpu.Work(device=device, size=16, batch=4, n_steps=1, n_repetitions=1)
    setting = settings.Setting(arithmetic=arithmetic, extra="graph")
    batch = gpu.make_batch(work)
    plain = gpu.PreciseStep(gpu.make_gan(work, setting), setting.precision)
    gan = gpu.make_gan(work, setting)
    captured = gpu.CapturedStep(gan, gpu.PreciseStep(gan, setting.precision), batch=batch)
    for _ in range(gpu.N_WARMUP):
        plain(batch)
    for _ in range(2):
        before = gan.generator.last.weight.detach().clone()
        expected = {name: float(value) for name, value in plain(batch).items()}
        found = {name: float(value) for name, value in captured(batch).items()}
        assert found == pytest.approx(expected, rel=0.03, abs=0.01)
        assert not torch.equal(gan.generator.last.weight, before)
