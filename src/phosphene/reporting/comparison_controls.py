"""Whether the controls of each system failed, as controls must."""

from collections.abc import Sequence

from phosphene.reporting.comparison_runs import RunResult
from phosphene.reporting.comparison_systems import System
from phosphene.reporting.comparison_tables import Block, Cell, Column, Line
from phosphene.reporting.headline import alarming_controls, must_fail
from phosphene.reporting.number_text import range_text, value_text
from phosphene.score import Score

KINDS = ("permuted labels", "noise input", "shuffled features", "noise", "phase-randomised")
WHOLE = ("noise", "phase-randomised")
"""Kinds that are signals by themselves, and no variant of a method."""


def control_block(systems: Sequence[System]) -> Block:
    """Return for each kind of control how many of those that must fail lie in their range."""
    kinds = [k for k in KINDS if any(_of_kind(r, k) for s in systems for r in s.runs)]
    remarks: list[str] = []
    lines = []
    for system in systems:
        cells = tuple(_cell(system, kind) for kind in kinds)
        lines.append(Line(label=system.label, cells=cells, detail=_seeds(system)))
        for run in system.runs:
            alarming = alarming_controls(run.scores)
            for kind in kinds:
                remarks += [
                    f"{run.name}: {_words(s)}{'; do not trust this run' if s in alarming else ''}."
                    for s in _of_kind(run, kind)
                    if s.inside_chance() is False
                ]
    return Block(
        key="controls",
        title="Controls",
        lead="Each control takes away what it is scored against, and must lie in the range of "
        "chance. About one in twenty leaves its 95 % range by luck, and then just so.",
        columns=tuple(Column(key=kind, title=kind) for kind in kinds),
        lines=tuple(lines),
        remarks=tuple(remarks),
    )


def _of_kind(run: RunResult, kind: str) -> list[Score]:
    """Return the controls of a kind that must fail: of each metric those over all folds, or all."""
    found = [
        s
        for s in run.scores
        if must_fail(s)
        if (s.method == kind if kind in WHOLE else s.method.startswith(kind))
    ]
    pooled = {(s.section, s.name) for s in found if s.fold == "all"}
    return [s for s in found if s.fold == "all" or (s.section, s.name) not in pooled]


def _cell(system: System, kind: str) -> Cell:
    checked = [(run, s) for run in system.runs for s in _of_kind(run, kind)]
    if not checked:
        return Cell()
    n_inside = sum(bool(s.inside_chance()) for _, s in checked)
    alarm = any(s in alarming_controls(run.scores) for run, s in checked)
    state = "alarm" if alarm else "inside" if n_inside == len(checked) else "outside"
    return Cell(
        text="inside" if state == "inside" else "outside",
        small=(f"{n_inside} of {len(checked)} inside",),
        state=state,
        plain={"state": state, "n_inside": n_inside, "n_checked": len(checked)},
    )


def _words(score: Score) -> str:
    fold = "" if score.fold == "all" else f", fold {score.fold}"
    expected = range_text(score.chance_low, score.chance_high)
    return f"{score.method}, {score.name}{fold}: {value_text(score.value)}, expected {expected}"


def _seeds(system: System) -> str:
    return f"{len(system.runs)} seeds" if len(system.runs) > 1 else ""
