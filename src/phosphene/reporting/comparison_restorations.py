"""Systems that restore pictures side by side: a row for each system of each run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from phosphene.reporting.comparison_runs import RunResult, check_alike, results
from phosphene.reporting.comparison_systems import System
from phosphene.reporting.comparison_tables import (
    Block,
    Cell,
    Column,
    Line,
    cost_cell,
    reference_cell,
    score_cell,
)
from phosphene.reporting.restoration_contents import (
    EQUAL_ITERATIONS,
    EQUAL_TIME,
    SECTION,
    TrainedSystem,
    read_systems,
)
from phosphene.reporting.restoration_tables import ACCURACY, DIFFERENCE
from phosphene.score import Score

NETWORK = "classifier"
COMPARED = ("RMSE[missing]", "RMSE[visible]", "RMSE[whole]", ACCURACY, "SSIM[missing]")
"""Metrics from left to right; reports have the rest."""
SETTINGS = {
    "corruption": "--corruption",
    "split_seed": "--split-seed",
    "n_scored": "--n-scored",
    "image_size": "--image-size",
}
"""What fixes the corrupted test pictures beside data and split, and its option."""
NUMBERS: dict[str, Callable[[TrainedSystem], int | float | None]] = {
    "parameters": lambda system: system.n_parameters,
    "ms per iteration": lambda system: (
        None if system.seconds_per_iteration is None else 1000 * system.seconds_per_iteration
    ),
    "iterations": lambda system: system.iterations,
    "iterations, equal time": lambda system: system.iterations_equal_time,
}


def check_restorations(runs: Sequence[RunResult]) -> None:
    """Refuse runs whose scores of restored pictures cannot stand in one column.

    They must restore the same pictures, corrupted alike, and ask the same classifier. A run without
    that network's hash is not refused: its accuracies are left out.

    Raises
    ------
    ValueError
        Naming two runs, what differs between them, and what to do about it.
    """
    making = [run for run in runs if results(run.scores, SECTION)]
    alike = "Train one of them again with the other's"
    for name, option in SETTINGS.items():
        check_alike(
            making,
            lambda run, name=name: run.settings.get(name),
            "of the same corrupted pictures",
            f"the {name.replace('_', ' ')}",
            f"{alike} {option}",
        )
    check_alike(
        [run for run in making if NETWORK in run.digests],
        lambda run: run.digests[NETWORK][:12],
        "read through one classifier",
        "one with the hash",
        f"{alike} split seed and --classifier-steps",
    )


def restoration_block(systems: Sequence[System], *, each_seed: bool) -> Block:
    """Return scores of restored test pictures, at equal time and at equal iterations.

    A run brings all its systems; each is a row, called by run and system.
    """
    rows = [(s, method) for s in systems for method in _methods(s)]
    making = [run for system in systems for run in system.runs if results(run.scores, SECTION)]
    unnamed = [run for run in making if NETWORK not in run.digests] if len(making) > 1 else []
    trained = {run.folder.path: {s.name: s for s in read_systems(run.folder)} for run in making}
    simple = list(dict.fromkeys(s.method for run in making for s in _beside(run)))
    columns: list[Column] = []
    cells: list[list[Cell]] = [[] for _ in rows]
    beside: list[list[Cell]] = [[] for _ in simple]
    everything = System(label="simple methods", runs=tuple(making))
    for name, fold in _columns(making):
        left_out = unnamed if name == ACCURACY else []

        def pick(
            run: RunResult, method: str, name: str = name, fold: str = fold, out: Any = left_out
        ) -> list[Score]:
            if run in out:
                return []
            own = (SECTION, "result", name, fold, method)
            return [s for s in run.scores if (s.section, s.role, s.name, s.fold, s.method) == own]

        measures = [s.measure(lambda run, m=method: pick(run, m)) for s, method in rows]
        lower = any(m is not None and not m.higher_is_better for m in measures)
        small = "lower is better" if lower else ""
        columns.append(Column(key=f"{name}, {fold}", title=f"{name} at {fold}", small=small))
        for row, measure in zip(cells, measures, strict=True):
            row.append(score_cell(measure, each_seed=each_seed))
        for row, method in zip(beside, simple, strict=True):
            measure = everything.measure(
                lambda run, m=method, n=name, out=left_out: [
                    s for s in _beside(run) if (s.name, s.method) == (n, m) and run not in out
                ]
            )
            row.append(reference_cell(measure))
    for title, number in NUMBERS.items():
        measures = [
            s.number(
                lambda run, m=method, f=number: _number(trained.get(run.folder.path, {}), m, f)
            )
            for s, method in rows
        ]
        if any(measures):
            columns.append(Column(key=title, title=title))
            for row, measure in zip(cells, measures, strict=True):
                row.append(cost_cell(measure))
            for row in beside:
                row.append(Cell())
    lines = [
        Line(
            label=f"{system.label}: {method}",
            detail=f"{len(system.runs)} seeds" if len(system.runs) > 1 else "",
            cells=tuple(row),
        )
        for (system, method), row in zip(rows, cells, strict=True)
    ]
    lines += [
        Line(label=method, cells=tuple(row), reference=True)
        for method, row in zip(simple, beside, strict=True)
    ]
    return Block(
        key=SECTION,
        title="Restoration",
        lead="How near restored pictures are to the originals, and whether a classifier of clean "
        "pictures reads them as what they were. Time is equal within a run, where all systems have "
        "that of its slowest; between runs compare at equal iterations, or look at how many there "
        "were and how long one takes.",
        columns=tuple(columns),
        lines=tuple(lines),
        remarks=tuple(
            f"The accuracy of the classifier is left out of {run.name}, which does not name its "
            "weights."
            for run in unnamed
        ),
    )


def _columns(runs: Sequence[RunResult]) -> list[tuple[str, str]]:
    """Return the metrics at equal time, then at equal iterations, as far as they are scored."""
    found = {(s.name, s.fold) for run in runs for s in results(run.scores, SECTION)}
    return [
        (name, fold)
        for fold in (EQUAL_TIME, EQUAL_ITERATIONS)
        for name in COMPARED
        if (name, fold) in found
    ]


def _methods(system: System) -> list[str]:
    """Return the systems that the first run of a row compares."""
    scores = results(system.runs[0].scores, SECTION)
    return list(dict.fromkeys(s.method for s in scores if not s.name.endswith(DIFFERENCE)))


def _beside(run: RunResult) -> list[Score]:
    """Return the scores of simple methods and of the originals."""
    return [s for s in run.scores if s.section == SECTION and s.role in ("baseline", "reference")]


def _number(
    trained: Mapping[str, TrainedSystem],
    method: str,
    number: Callable[[TrainedSystem], int | float | None],
) -> float | None:
    found = trained.get(method)
    value = None if found is None else number(found)
    return None if value is None else float(value)


def restoration_rows(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return plain values of the rows of restoration, none where no run restores pictures."""
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
        if block.key == SECTION
        for line in block.lines
        if not line.reference
    ]
