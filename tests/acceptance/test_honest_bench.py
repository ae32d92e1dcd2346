"""The benchmark of verdict and intervals runs; at a small size nothing is far from its bound."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "honest_bench.py"


def measure(tmp_path, *words):
    out = tmp_path / "honest.json"
    command = [sys.executable, str(BENCHMARK), "--json", str(out), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text())["cells"], done.stdout


def test_a_plain_effect_is_found_and_both_tables_are_printed(tmp_path):
    cells, text = measure(tmp_path, "--seeds", "4", "--features", "16", "--ceilings", "0.9")
    assert [cell["differ"] for cell in cells] == [False, True]
    assert cells[0]["claims"]["200 retrained"] == 1
    assert "| alike | 16 | 0.9 |" in text
    assert "Coverage of 95 % intervals" in text
    assert 0.87 < cells[0]["expected"]["balanced accuracy"] < 0.9


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_is_claimed_where_there_is_nothing_and_intervals_cover(tmp_path):
    words = ("--seeds", "120", "--features", "16", "--ceilings", "0.5", "0.6", "0.75")
    cells, _ = measure(tmp_path, *words, "--recordings", "alike")
    nothing, weak, plain = cells
    assert nothing["claims"]["200 retrained"] <= 0.1  # 5 % and two standard errors
    assert nothing["claims"]["fixed decisions"] > nothing["claims"]["200 retrained"]
    assert weak["claims"]["200 retrained"] > 0.55
    assert plain["claims"]["200 retrained"] > 0.95
    for cell in cells:
        assert all(covered > 0.89 for covered in cell["coverage"].values())
