"""Whether the verdict and the printed intervals keep what they promise: `--help` lists the options.

Data sets are drawn whose best possible accuracy is known: Gaussian features of two classes, 300
trials in 6 recordings of 50, each with as many trials of either class. Shrinkage LDA is trained
with one recording left out in turn, scored and judged as a run is. The first table says how often
the verdict is "decodes above chance on held-out recordings": with 200 decoders trained again on
permuted labels, with 10, with none, and, to see what that is good for, if the p-value of permuted
held-out labels were taken as it is. The second says how often the 95 % interval holds what it is an
interval of: the score that decoders trained so reach on average in other recordings, known from
their weights; and how often it holds the score of the six decoders at hand. Recordings are alike,
or differ in their mean by half a standard deviation in every direction and in the size of the
effect by 30 %. Bounds are judged from 300 seeds on. Set OMP_NUM_THREADS=1: small matrices gain
nothing from threads.
"""

import argparse
import json
import math
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr, ndtri

from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.decoding import decoding_scores
from phosphene.evaluation.permutation import HeldoutTest, calibrate, heldout_test
from phosphene.evaluation.probes import Probe, shrinkage_lda
from phosphene.evaluation.retrained_null import joint_linear_null
from phosphene.evaluation.verdict import ALPHA, DECODES, Evidence, Measured, judge

N_RECORDINGS, N_PER_RECORDING = 6, 50
RECORDINGS = np.repeat(np.arange(N_RECORDINGS), N_PER_RECORDING)
FOLDS = [(np.flatnonzero(r != RECORDINGS), np.flatnonzero(r == RECORDINGS)) for r in range(6)]
CEILINGS = (0.5, 0.6, 0.75, 0.9)
DIMENSIONS = (16, 56, 224)
N_RETRAINED, N_FEW = 200, 10
ALARM = 0.05
BOUNDS = {0.5: ALARM, 0.6: 0.65, 0.75: 0.95, 0.9: 0.99}
"""At 16 features: at most so many claims with nothing there, at least so many at other ceilings."""
COVERAGE = (0.93, 0.98)
WAYS = ("200 retrained", "10 retrained", "none retrained", "fixed decisions")
SCORES = ("balanced accuracy", "AUC")
KINDS = {"alike": False, "differ": True}
JUDGED_FROM = 300
OFFSET, SPREAD = 0.5, 0.3
"""How recordings differ: SD of their mean in each direction, SD of the effect about 1."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one data set gave."""

    claims: tuple[bool, ...]
    """Whether each of `WAYS` says that it decodes."""
    values: tuple[float, float]
    ends: tuple[tuple[float, float], tuple[float, float]]
    own: tuple[float, float]
    """What the six decoders reach on average in other recordings."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What all seeds gave."""

    n_features: int
    ceiling: float
    differ: bool
    n_seeds: int
    claims: dict[str, float]
    mean: dict[str, float]
    expected: dict[str, float]
    coverage: dict[str, float]
    coverage_own: dict[str, float]
    width: dict[str, float]


def draw(n_features: int, ceiling: float, *, differ: bool, seed: int) -> tuple:
    """Return features, labels and the vector from the middle to the mean of class 1."""
    rng = np.random.default_rng([n_features, round(1000 * ceiling), differ, seed])
    halves = np.repeat([0, 1], N_PER_RECORDING // 2)
    labels = np.concatenate([rng.permutation(halves) for _ in range(N_RECORDINGS)])
    arrow = rng.standard_normal(n_features)
    arrow *= ndtri(ceiling) / np.linalg.norm(arrow)
    rows = rng.standard_normal((len(labels), n_features))
    size = np.ones(N_RECORDINGS)
    if differ:
        rows += OFFSET * rng.standard_normal((N_RECORDINGS, n_features))[RECORDINGS]
        size += SPREAD * rng.standard_normal(N_RECORDINGS)
    return rows + ((2 * labels - 1) * size[RECORDINGS])[:, None] * arrow, labels, arrow


def truth(probe: Probe, arrow: np.ndarray, *, differ: bool) -> tuple[float, float]:
    """Return the accuracy and the AUC inside recordings of a decoder in recordings never seen."""
    weight, bias = probe.model.coef_[0], float(probe.model.intercept_[0])
    length, reach = float(np.linalg.norm(weight)), float(weight @ arrow)
    varied = (SPREAD * reach) ** 2 if differ else 0.0
    moved = (OFFSET * length) ** 2 if differ else 0.0
    spread = math.sqrt(length**2 + moved + varied)
    accuracy = (ndtr((reach + bias) / spread) + ndtr((reach - bias) / spread)) / 2
    return float(accuracy), float(ndtr(2 * reach / math.sqrt(2 * length**2 + 4 * varied)))


def measure(n_features: int, ceiling: float, *, differ: bool, seed: int) -> Trial:
    """Draw a data set, cross-validate, judge."""
    rows, labels, arrow = draw(n_features, ceiling, differ=differ, seed=seed)
    epochs = rows[:, :, None]
    probabilities, own = np.empty((len(labels), 2)), []
    for train, test in FOLDS:
        probe = shrinkage_lda(epochs[train], labels[train], n_classes=2)
        probabilities[test] = probe.predict_proba(epochs[test])
        own.append(truth(probe, arrow, differ=differ))
    scores = decoding_scores(
        probabilities, labels, recordings=RECORDINGS, method="LDA", n_permutations=1, seed=seed
    )
    test = heldout_test(probabilities, labels, recordings=RECORDINGS, n_permutations=300, seed=seed)
    nulls = joint_linear_null(
        rows,
        labels,
        folds=FOLDS,
        permute=label_permuter(labels, recordings=RECORDINGS),
        recordings=RECORDINGS,
        n_classes=2,
        n_permutations=N_RETRAINED,
        seed=seed,
    )
    p_values = [calibrate(test, some.tolist()) for some in (nulls, nulls[:N_FEW], nulls[:0])]
    claims = tuple(claims_decoding(test, p) for p in (*p_values, test.p_value))
    accuracy, auc = scores
    return Trial(
        claims=claims,
        values=(accuracy.value, auc.value),
        ends=((accuracy.low or 0.0, accuracy.high or 1.0), (auc.low or 0.0, auc.high or 1.0)),
        own=tuple(np.mean(own, axis=0).tolist()),
    )


def claims_decoding(test: HeldoutTest, p_value: float) -> bool:
    """Return whether the verdict is that the class is decoded."""
    score = Measured(name="AUC", value=test.value, chance=test.mean, p_value=p_value)
    evidence = Evidence(
        score=score,
        unit="trial",
        n_units=test.n_units,
        n_recordings=N_RECORDINGS,
        n_arrangements=test.n_arrangements,
    )
    return judge(evidence).claim == DECODES


def summarise(found: list[Trial], n_features: int, ceiling: float, *, differ: bool) -> Cell:
    """Return shares over seeds."""
    ends = np.array([trial.ends for trial in found])  # (seed, score, end)
    own = np.array([trial.own for trial in found])
    expected = own.mean(axis=0)  # over trainings too

    def covered(target: np.ndarray) -> dict[str, float]:
        inside = (ends[..., 0] <= target) & (target <= ends[..., 1])
        return dict(zip(SCORES, inside.mean(axis=0).tolist(), strict=True))

    def named(values: np.ndarray) -> dict[str, float]:
        return dict(zip(SCORES, values.tolist(), strict=True))

    claims = np.array([trial.claims for trial in found]).mean(axis=0)
    return Cell(
        n_features=n_features,
        ceiling=ceiling,
        differ=differ,
        n_seeds=len(found),
        claims=dict(zip(WAYS, claims.tolist(), strict=True)),
        mean=named(np.array([trial.values for trial in found]).mean(axis=0)),
        expected=named(expected),
        coverage=covered(expected),
        coverage_own=covered(own),
        width=named((ends[..., 1] - ends[..., 0]).mean(axis=0)),
    )


def measure_chunk(task: tuple[int, float, bool, range]) -> list[Trial]:
    """Measure some seeds of a cell, in a process of its own."""
    n_features, ceiling, differ, seeds = task
    return [measure(n_features, ceiling, differ=differ, seed=seed) for seed in seeds]


def broken_bounds(cells: list[Cell]) -> Iterator[str]:
    """Say which bounds are broken; fewer than 300 seeds break none."""
    for cell in cells:
        if cell.n_seeds < JUDGED_FROM:
            continue
        share, where = cell.claims[WAYS[0]], f"{cell.n_features} features, ceiling {cell.ceiling}"
        if cell.ceiling == 0.5 and share > ALARM:
            yield f"{where}: {share:.1%} claims of decoding where there is nothing"
        if cell.n_features == 16 and not cell.differ and share < BOUNDS[cell.ceiling] > ALARM:
            yield f"{where}: {share:.1%} claims, at least {BOUNDS[cell.ceiling]:.0%} are wanted"
        for score, covered in cell.coverage.items():
            if not COVERAGE[0] <= covered <= COVERAGE[1]:
                yield f"{where}, {score}: intervals cover {covered:.1%}"


def write_json(cells: list[Cell], file: Path, *, seconds: float, jobs: int) -> None:
    """Write cells, the bounds they break and what they were measured with."""
    machine = {"python": platform.python_version(), "numpy": np.__version__}
    about = {"seconds": seconds, "jobs": jobs, "cpus": os.cpu_count(), **machine}
    found = {"cells": [asdict(cell) for cell in cells], "broken": list(broken_bounds(cells))}
    file.write_text(json.dumps({"about": about, **found}, indent=2) + "\n", encoding="utf-8")


def print_tables(cells: list[Cell]) -> None:
    """Print how often the verdict claims decoding, then how often intervals cover."""
    n = cells[0].n_seeds
    error = 196 * math.sqrt(ALPHA * (1 - ALPHA) / n)
    print(f"\nClaims of decoding, % of {n} data sets ({100 * ALPHA:g} ± {error:.1f} by luck)\n")
    print("| recordings | features | ceiling | AUC | " + " | ".join(WAYS) + " |")
    print("|---" * (4 + len(WAYS)) + "|")
    for cell in cells:
        shares = " | ".join(f"{100 * cell.claims[way]:.1f}" for way in WAYS)
        print(f"| {_where(cell)} | {cell.mean['AUC']:.3f} | {shares} |")
    print(
        "\nCoverage of 95 % intervals, %: of the expected score (of the decoders at hand), width\n"
    )
    print("| recordings | features | ceiling | " + " | | | ".join(SCORES) + " | | |")
    print("|---" * 9 + "|")
    for cell in cells:
        parts = " | ".join(
            f"{100 * cell.coverage[s]:.1f} | ({100 * cell.coverage_own[s]:.1f}) | "
            f"{cell.width[s]:.3f}"
            for s in SCORES
        )
        print(f"| {_where(cell)} | {parts} |")


def _where(cell: Cell) -> str:
    return f"{'differ' if cell.differ else 'alike'} | {cell.n_features} | {cell.ceiling:g}"


def main() -> int:
    """Measure all cells; 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="data sets per cell (300)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first of them (0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--features", type=int, nargs="+", default=list(DIMENSIONS))
    parser.add_argument("--ceilings", type=float, nargs="+", default=list(CEILINGS))
    parser.add_argument("--recordings", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--json", type=Path, help="file to write the cells to")
    options = parser.parse_args()
    started = time.perf_counter()
    kinds = [
        (n_features, ceiling, KINDS[name])
        for name in options.recordings
        for n_features in options.features
        for ceiling in options.ceilings
    ]
    size = max(1, math.ceil(options.seeds / max(1, options.jobs * 2)))
    first, end = options.first_seed, options.first_seed + options.seeds
    chunks = [range(i, min(i + size, end)) for i in range(first, end, size)]
    cells = []
    with ProcessPoolExecutor(options.jobs) as pool:
        futures = [[pool.submit(measure_chunk, (*kind, c)) for c in chunks] for kind in kinds]
        for (n_features, ceiling, differ), parts in zip(kinds, futures, strict=True):
            found = [trial for part in parts for trial in part.result()]
            cells.append(summarise(found, n_features, ceiling, differ=differ))
            seconds = time.perf_counter() - started
            print(f"{len(cells)} of {len(kinds)}, {seconds:.0f} s", file=sys.stderr, flush=True)
            if options.json:  # after each cell, so that a stop loses little
                write_json(cells, options.json, seconds=seconds, jobs=options.jobs)
    print_tables(cells)
    broken = list(broken_bounds(cells))
    print("\n" + "\n".join(f"BROKEN: {line}" for line in broken))
    print(f"{time.perf_counter() - started:.0f} s, {options.jobs} processes")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
