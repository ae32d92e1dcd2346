"""Time and memory of `phosphene audit` on a pickle of windows as large as those published.

Makes a ThoughtViz pickle (14 channels, windows of 32 samples, cut with overlap from recordings of
about 10 s of one class each, window-wise shuffled into both halves), audits it in a process of its
own, and prints seconds and peak memory. Fails (exit code 1) above the limits, or when the audit
does not name the overlap or miscounts the recordings. Processor seconds of all threads are judged,
because an idle machine needs no more; seconds of the clock stand beside them, longer where others
work on the machine.

    python benchmarks/audit_speed.py [--windows 45000] [--seconds 60] [--gigabytes 2] [--json FILE]
"""

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_CHANS, N_TIMES, N_CLASSES, STEP = 14, 32, 10, 6
WINDOWS_PER_RECORDING = 196  # about 10 s at 128 Hz


def write_pickle(path: Path, n_windows: int, *, scaled: bool, seed: int = 0) -> int:
    """Write the pickle and return the number of recordings behind it."""
    rng = np.random.default_rng(seed)
    n_recordings = -(-n_windows // WINDOWS_PER_RECORDING)
    length = STEP * (WINDOWS_PER_RECORDING - 1) + N_TIMES
    windows, labels = [], []
    for number in range(n_recordings):
        signal = 4200 + 5 * np.cumsum(rng.standard_normal((N_CHANS, length)), axis=1)
        cut = np.lib.stride_tricks.sliding_window_view(signal, N_TIMES, axis=1)[:, ::STEP]
        windows.append(cut.transpose(1, 0, 2))
        labels += [number % N_CLASSES] * cut.shape[1]
    x = np.concatenate(windows)[:n_windows].astype(np.float32)
    if scaled:
        x -= x.mean(axis=2, keepdims=True)
        x /= x.std(axis=2, keepdims=True)
    y = np.eye(N_CLASSES, dtype=np.float32)[np.array(labels[:n_windows])]
    order = rng.permutation(n_windows)
    test, train = np.split(order, [n_windows // 8])
    content = {
        "x_train": x[train][..., None].astype(np.float64),
        "y_train": y[train],
        "x_test": x[test][..., None].astype(np.float64),
        "y_test": y[test],
    }
    with path.open("wb") as file:
        pickle.dump(content, file, protocol=2)
    return n_recordings


def audit(path: Path) -> tuple[float, float, float, dict]:
    """Run the command; return wall and processor seconds, gigabytes at the peak, and the report."""
    command = [sys.executable, "-m", "phosphene.cli.main", "audit", str(path), "--json"]
    report = path.with_suffix(".json")
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with report.open("w") as out:
        subprocess.run(command, check=True, stdout=out, env={**os.environ, "OMP_NUM_THREADS": "2"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = time.perf_counter() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1e6, json.loads(report.read_text())


def main() -> int:
    """Run both pickles and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--windows", type=int, default=45_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for scaled in (False, True):
            path = Path(folder) / ("scaled.pkl" if scaled else "plain.pkl")
            n_recordings = write_pickle(path, options.windows, scaled=scaled)
            wall, cpu, gigabytes, report = audit(path)
            found = {f["kind"]: f for f in report["findings"]}
            overlap = found.get("overlap_in_samples", {"severity": "missing"})["severity"]
            counted = found.get("few_independent_recordings", {"evidence": {}})["evidence"]
            rows.append(
                {
                    "windows": "scaled one by one" if scaled else "as cut",
                    "n_windows": options.windows,
                    "clock_seconds": round(wall, 1),
                    "processor_seconds": round(cpu, 1),
                    "gigabytes": round(gigabytes, 2),
                    "overlap": overlap,
                    "recordings": n_recordings,
                    "stretches_found": counted.get("stretches", 0),
                }
            )
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    good = all(
        row["processor_seconds"] <= options.seconds
        and row["gigabytes"] <= options.gigabytes
        and row["overlap"] == "severe"
        and row["recordings"] == row["stretches_found"]
        for row in rows
    )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))
    print("PASS" if good else "FAIL")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
