"""Whether one system is better than another on the same held-out recordings."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from phosphene.evaluation.multiple_comparisons import holm
from phosphene.evaluation.paired import PairedTest, paired_test
from phosphene.reporting.comparison_systems import System
from phosphene.reporting.comparison_tables import Block, Cell, Column, Line
from phosphene.reporting.headline import main_score
from phosphene.reporting.number_text import range_text
from phosphene.score import Score

KEY = "pairs"
MOST_LINES = 15
"""More pairs are corrected for, and those with the best system are shown."""
LEVEL = 0.05


def pair_block(systems: Sequence[System]) -> Block:
    """Test each pair of systems by the score of every held-out recording, p-values after Holm."""
    tests = _tests(systems)
    p_values = holm(np.array([test.p_value for _, _, test in tests]))
    lines, plain = [], zip(tests, p_values.tolist(), strict=True)
    best = _best(systems)
    n_left_out = 0
    for (first, second, test), corrected in plain:
        if len(tests) > MOST_LINES and best not in (first, second):
            n_left_out += 1
            continue
        lines.append(_line(first, second, test, corrected))
    return Block(
        key=KEY,
        title="Differences",
        lead="First minus second, over the recordings that both decoded: corrected t-test "
        "(Nadeau and Bengio), two-sided; p after Holm's correction for all pairs. SD over seeds "
        "says how far another seed alone moves either system.",
        columns=(
            Column(key="difference", title="difference"),
            Column(key="p", title="p"),
            Column(key="p after Holm", title="p, corrected"),
            Column(key="seeds", title="SD over seeds"),
        )
        if lines
        else (),
        lines=tuple(lines),
        remarks=tuple(_remarks(tests, n_left_out)),
    )


def _tests(systems: Sequence[System]) -> list[tuple[System, System, PairedTest]]:
    tables = [_table(system) for system in systems]
    found = []
    for (a, first), (b, second) in combinations(zip(systems, tables, strict=True), 2):
        if not first or not second or _metric(a) != _metric(b):
            continue
        shared = [key for key in first if key in second]
        if len(shared) < 3:
            continue
        test = paired_test(
            np.array([first[key][0] for key in shared]).T,
            np.array([second[key][0] for key in shared]).T,
            n_trials=np.array([first[key][1] for key in shared], dtype=np.float64),
        )
        found.append((a, b, test))
    return found


def _table(system: System) -> dict[str, tuple[list[float], int]]:
    """Return, of each recording that all runs of a system decoded, their scores and its trials."""
    each = [{s.fold: s for s in _by_recording(run.scores)} for run in system.runs]
    keys = [key for key in each[0] if all(key in scores for scores in each)]
    return {key: ([scores[key].value for scores in each], each[0][key].n) for key in keys}


def _by_recording(scores: Sequence[Score]) -> list[Score]:
    main = main_score(scores)
    if main is None:
        return []
    same = (main.section, main.role, main.name, main.method)
    return [
        s
        for s in scores
        if (s.section, s.role, s.name, s.method) == same and s.fold != "all" and s.unit == "trials"
    ]


def _metric(system: System) -> str:
    main = main_score(system.runs[0].scores)
    return main.name if main is not None else ""


def _best(systems: Sequence[System]) -> System | None:
    known = [(s, s.measure(lambda run: _main(run.scores))) for s in systems]
    ranked = [(m.value, s) for s, m in known if m is not None]
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _main(scores: Sequence[Score]) -> list[Score]:
    main = main_score(scores)
    return [main] if main is not None else []


def _line(first: System, second: System, test: PairedTest, corrected: float) -> Line:
    sds = [f"{sd:.3f}" if sd is not None else "one seed" for sd in test.seed_sds]
    gap = Cell(
        text=f"{test.difference:+.3f}".replace("-", "−"),
        small=(range_text(test.low, test.high),),
        plain={"value": test.difference, "low": test.low, "high": test.high},
    )
    return Line(
        label=f"{first.label} − {second.label}",
        detail=f"{_metric(first)}, {test.n_recordings} recordings",
        cells=(
            gap,
            Cell(text=_p_text(test.p_value), plain={"value": test.p_value}),
            Cell(
                text=_p_text(corrected),
                small=("differ" if corrected <= LEVEL else "no difference shown",),
                plain={"value": corrected},
            ),
            Cell(text=" and ".join(sds), plain={"seed_sds": list(test.seed_sds)}),
        ),
    )


def _p_text(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def pair_rows(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return plain values of the differences of systems, none where none were tested."""
    return [
        {
            "label": line.label,
            "about": line.detail,
            **{c.key: dict(cell.plain) for c, cell in zip(block.columns, line.cells, strict=True)},
        }
        for block in blocks
        if block.key == KEY
        for line in block.lines
    ]


def _remarks(tests: Sequence[tuple[System, System, PairedTest]], n_left_out: int) -> list[str]:
    remarks = []
    once = dict.fromkeys(
        s.label for a, b, t in tests for s, n in ((a, t.n_seeds[0]), (b, t.n_seeds[1])) if n == 1
    )
    if once:
        remarks.append(
            f"Trained with one seed: {', '.join(once)}. A difference may be that of two seeds; "
            "train each with several (--seed) and compare all runs."
        )
    if n_left_out:
        remarks.append(f"{n_left_out} pairs without the best system are not shown, but counted.")
    return remarks
