"""The benchmark of drawing windows runs, and says when a bound is broken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "lfp_windows.py"


@pytest.mark.parametrize(
    ("words", "code"), [(("--step-ms", "0.01"), 1), pytest.param((), 0, marks=pytest.mark.slow)]
)
def test_windows_are_drawn_in_bounded_memory_and_time_is_judged(tmp_path, words, code):
    out = tmp_path / "windows.json"
    command = [sys.executable, str(BENCHMARK), "--tiny", "--threads", "1", "--json", str(out)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    memory, *times = json.loads(out.read_text())["rows"]
    assert memory["passed"] is True
    assert memory["note"].startswith("87,187 windows of 22 x 313")
    assert [row["passed"] for row in times] == [None if code == 0 else False] * 2
    assert all(row["value"] > 0 for row in times)
