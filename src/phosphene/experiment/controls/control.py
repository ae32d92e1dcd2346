"""What a control is: what it computes, what it is expected to give, and what it found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from phosphene._checks import check_option
from phosphene.evaluation.verdict import Measured
from phosphene.score import Score, scores_to_json

if TYPE_CHECKING:
    from phosphene.experiment.controls.material import Material

Arrays = dict[str, np.ndarray]
Made = Callable[[str], Arrays]
"""Returns the arrays of a task by its name."""

CHANCE = "chance"
RESULT = "like the result"
OPEN = "may exceed chance"
EXPECTED = (CHANCE, RESULT, OPEN)


class ControlNotPossibleError(ValueError):
    """The data or the run do not allow a control; the text says why, in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A piece of work whose arrays are kept as RUN/controls/NAME.npz."""

    name: str
    make: Callable[[], Arrays]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a control measured."""

    scores: Sequence[Score]
    """The number to look at first."""
    measured: Measured | None = None
    """The same for the verdict, with the p-value where one is known."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values: points of a curve, values of nulls."""
    note: str = ""
    expected: str | None = None
    """What an honest run gives with these data, where it is not what the control says."""


def no_tasks(material: "Material") -> list[Task]:
    """Return no work, for controls that need the run's own arrays alone."""
    del material
    return []


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control."""

    key: str
    """Name in controls.json."""
    title: str
    what: str
    """What is replaced or left out, in one sentence."""
    decoder: str
    """What decodes, and whether it is trained again."""
    expected: str
    """One of `EXPECTED`: what the score of an honest run is."""
    report: Callable[["Material", Made], Found]
    """Scores it from the run's arrays and those of its tasks."""
    tasks: Callable[["Material"], list[Task]] = no_tasks
    """Lists its work, or raises `ControlNotPossibleError`; two controls may share a task."""

    def __post_init__(self) -> None:
        check_option("expected", self.expected, EXPECTED)


def control_to_json(control: Control, found: Found, *, seconds: float) -> dict[str, Any]:
    """Return what controls.json says of a control.

    ``outcome`` is "above chance", "at chance" or "below chance" by the first score's range under
    chance, empty where it has none; ``passed`` is None where the score may lie anywhere.
    """
    first = found.scores[0]
    outcome = chance_words(first)
    p_value = None if found.measured is None else found.measured.p_value
    expected = found.expected or control.expected
    return {
        "key": control.key,
        "title": control.title,
        "what": control.what,
        "decoder": control.decoder,
        "expected": expected,
        "outcome": outcome,
        "passed": outcome != "above chance" if expected == CHANCE and outcome else None,
        "p_value": p_value,
        "scores": scores_to_json(found.scores),
        "details": dict(found.details),
        "note": found.note,
        "seconds": round(seconds, 2),
    }


def chance_words(score: Score) -> str:
    """Say where a score lies in its range under chance; empty where it has none."""
    if score.chance_low is None or score.chance_high is None:
        return ""
    if score.value > score.chance_high:
        return "above chance"
    return "below chance" if score.value < score.chance_low else "at chance"
