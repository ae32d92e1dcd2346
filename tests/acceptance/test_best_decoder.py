"""The benchmark of decoders runs, and its ensemble is the mean of its members."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "best_decoder.py"


def run(*words):
    return subprocess.run(
        [sys.executable, BENCHMARK, *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_prints_a_row_for_every_decoder(lab):
    done = run(
        lab / "data", "--seeds", 2, "--steps", 2, "--epochs", 1, "--n-networks", 2, "--plain"
    )
    assert done.returncode == 0, done.stderr  # it compares the joint decoder with the mean itself
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")]
    found = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    expected = {"shrinkage LDA", "one network", "2 networks", "ensemble"}
    assert expected | {"compact_cnn of the quick presets"} <= set(found)
    for name in expected:
        assert all(0 <= float(cell.split(" ")[0]) <= 1 for cell in found[name][:2])
    assert "±" in found["ensemble"][1]
    assert "±" not in found["shrinkage LDA"][1]
    assert float(found["ensemble"][2]) >= 0
