"""Verdicts and full controls of systems side by side, of the runs that have them."""

from collections.abc import Sequence

from phosphene.reporting.comparison_systems import System
from phosphene.reporting.comparison_tables import Block, Cell, Column, Line
from phosphene.reporting.full_controls import FullControls, read_full_controls
from phosphene.reporting.number_text import value_text

SHOWN = (
    "window_wise",
    "pre_stimulus",
    "clock",
    "noise_input",
    "moved_labels",
    "encoder_nulls",
    "surrogate",
)
"""Controls with a column; the others stand in the report of each run."""


def verdict_block(systems: Sequence[System]) -> Block:
    """Return each system's verdict and the first number of some controls; no columns without any.

    Of several seeds each has a verdict of its own.
    """
    found = {
        run.name: controls
        for system in systems
        for run in system.runs
        if (controls := read_full_controls(run.folder)) is not None
    }
    titles = {c.key: c.title for controls in found.values() for c in controls.controls}
    keys = [key for key in SHOWN if key in titles]
    lines, remarks = [], []
    for system in systems:
        mine = [(run.name, found[run.name]) for run in system.runs if run.name in found]
        cells = (_verdict_cell([each for _, each in mine]), *(_cell(mine, key) for key in keys))
        lines.append(Line(label=system.label, cells=cells))
        remarks += [f"{name}: {sentence}" for name, one in mine for sentence in one.because]
    columns = [Column(key="verdict", title="verdict")] if found else []
    columns += [Column(key=key, title=titles[key]) for key in keys]
    return Block(
        key="verdicts",
        title="Verdicts",
        lead="What `phosphene evaluate --controls full` says of each run, and the first number of "
        "its controls. A window-wise split that finds more than the run's own shows what the "
        "recording tells.",
        columns=tuple(columns),
        lines=tuple(lines),
        remarks=tuple(remarks),
    )


def _verdict_cell(found: Sequence[FullControls]) -> Cell:
    if not found:
        return Cell()
    claims = [one.claim for one in found]
    counts = [(claim, claims.count(claim)) for claim in dict.fromkeys(claims)]
    text = "; ".join(f"{claim} ({n} of {len(claims)} seeds)" for claim, n in counts)
    if len(claims) == 1:
        text = claims[0]
    alarm = any(one.level == "alarm" for one in found)
    return Cell(text=text, state="alarm" if alarm else "", plain={"claims": claims})


def _cell(found: Sequence[tuple[str, FullControls]], key: str) -> Cell:
    controls = [c for _, one in found for c in one.controls if c.key == key]
    if not controls:
        return Cell()
    values = [control.scores[0].value for control in controls]
    failed = any(control.passed is False for control in controls)
    passed = all(control.passed is True for control in controls)
    words = dict.fromkeys(c.outcome for c in controls if c.outcome)
    return Cell(
        text=", ".join(value_text(value) for value in values),
        small=(" / ".join(words),) if words else (),
        state="outside" if failed else "inside" if passed else "",
        plain={"values": values, "failed": failed},
    )
