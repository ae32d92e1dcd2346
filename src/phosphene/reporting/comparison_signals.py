"""Systems that make signals from pictures side by side: a row for each system of each run."""

from collections.abc import Sequence
from typing import Any

from phosphene.reporting.comparison_runs import RunResult, check_alike, results
from phosphene.reporting.comparison_systems import System
from phosphene.reporting.comparison_tables import (
    Block,
    Cell,
    Column,
    Line,
    reference_cell,
    score_cell,
)
from phosphene.reporting.signal_headline import NEAREST, RANK, TRUE, metric_of, set_of
from phosphene.score import Score

KEY, REAL, DOMAIN, NETWORK = "signals", "real signals", "[domain]", "classifier"
FIRST = (RANK, NEAREST, TRUE, "Fréchet distance[domain]", "Fréchet distance[raw]")
"""Metrics that stand leftmost; others follow as they were scored."""


def check_signals(runs: Sequence[RunResult]) -> None:
    """Refuse runs whose scores of signals cannot stand in one column.

    They must rest on as many windows and be read with the same classifier of windows. A run without
    that network's hash is not refused: its scores through it are left out.

    Raises
    ------
    ValueError
        Naming two runs, what differs between them, and what to do about it.
    """
    making = [run for run in runs if results(run.scores, KEY)]
    alike = "Train one of them again with"
    check_alike(
        making,
        lambda run: run.settings.get("n_scored"),
        "of equally many windows",
        "windows:",
        f"{alike} the other's --n-scored",
    )
    check_alike(
        [run for run in making if NETWORK in run.digests],
        lambda run: run.digests[NETWORK][:12],
        "read through one classifier of windows",
        "one with the hash",
        f"{alike} the other's split seed and classifier settings",
    )


def signal_block(systems: Sequence[System], *, each_seed: bool) -> Block:
    """Return every score of signals generated for test pictures, and what real ones have.

    A run brings all its systems; each is a row, called by run and system.
    """
    rows = [(s, method) for s in systems for method in _methods(s)]
    making = [run for system in systems for run in system.runs if results(run.scores, KEY)]
    unnamed = [run for run in making if NETWORK not in run.digests] if len(making) > 1 else []
    names = dict.fromkeys(
        metric_of(s) for run in making for s in results(run.scores, KEY) if set_of(s) != "train"
    )

    def pick(run: RunResult, name: str, role: str, method: str = "") -> list[Score]:
        if name.endswith(DOMAIN) and run in unnamed:
            return []
        return [
            s
            for s in run.scores
            if (s.section, s.role, metric_of(s)) == (KEY, role, name) and set_of(s) != "train"
            if method in ("", s.method)
        ]

    columns: list[Column] = []
    cells: list[list[Cell]] = [[] for _ in rows]
    real: list[Cell] = []
    everything = System(label=REAL, runs=tuple(making))
    for name in sorted(names, key=lambda n: FIRST.index(n) if n in FIRST else len(FIRST)):
        measures = [
            system.measure(lambda run, m=method, n=name: pick(run, n, "result", m))
            for system, method in rows
        ]
        lower = any(m is not None and not m.higher_is_better for m in measures)
        small = "lower is better" if lower else ""
        columns.append(Column(key=name, title=name, small=small))
        for row, measure in zip(cells, measures, strict=True):
            row.append(score_cell(measure, each_seed=each_seed))
        measure = everything.measure(lambda run, n=name: pick(run, n, "reference"))
        real.append(reference_cell(measure))
    lines = [
        Line(
            label=f"{system.label}: {method}",
            detail=f"{len(system.runs)} seeds" if len(system.runs) > 1 else "",
            cells=tuple(row),
        )
        for (system, method), row in zip(rows, cells, strict=True)
    ]
    if any(cell.text for cell in real):
        lines.append(Line(label=REAL, cells=tuple(real), reference=True))
    return Block(
        key=KEY,
        title="Signals",
        lead="What signals generated for test pictures are like, and whether they are those of "
        "their picture. Real signals are one half of the showings against the other: distances "
        "have their floor there. The bracket of a score names the network it is read through.",
        columns=tuple(columns),
        lines=tuple(lines),
        remarks=tuple(
            f"Scores read through the classifier of windows are left out of {run.name}, which does "
            "not name its weights."
            for run in unnamed
        ),
    )


def _methods(system: System) -> list[str]:
    """Return the systems that the first run of a row compares."""
    return list(dict.fromkeys(s.method for s in results(system.runs[0].scores, KEY)))


def signal_rows(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return plain values of the rows of signals, none where no run makes signals."""
    return [
        {
            "label": line.label,
            "values": {
                column.key: dict(cell.plain)
                for column, cell in zip(block.columns, line.cells, strict=True)
                if cell.plain
            },
        }
        for block in blocks
        if block.key == KEY
        for line in block.lines
        if not line.reference
    ]
