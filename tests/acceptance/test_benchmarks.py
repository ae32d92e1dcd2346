"""The speed benchmark runs, and at a size of seconds we give the plain port's answers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "eeg2image_speed.py"


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
    assert all(row["value"] > 0 and row["unit"] == "x" for row in rows if row not in same)


@pytest.mark.slow
def test_memory_loading_and_starts_are_measured(tmp_path):
    rows = measure(tmp_path, "memory", "loading", "import", "generate")
    assert len(rows) == 6
    assert all(row["value"] > 0 and row["passed"] is None for row in rows)
