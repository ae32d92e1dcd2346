"""The benchmark of drawing runs, and at a size of seconds the pictures are the plain module's."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "inference_speed.py"


def test_prepared_generator_draws_the_plain_pictures(tmp_path):
    out = tmp_path / "speed.json"
    words = ["--tiny", "--threads", "1", "--json", str(out)]
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(out.read_text())["rows"]
    assert {row["part"] for row in rows} == {"preparing", "pictures", "forms"}
    assert all(f"| {row['what']}" in done.stdout for row in rows)
    same = [row for row in rows if "difference" in row["what"]]
    assert len(same) == 2
    assert all(row["passed"] is True for row in same)
    assert all(float(row["note"].removeprefix("SD ")) > 0.05 for row in same)
    assert all(row["passed"] is None for row in rows if row not in same)
