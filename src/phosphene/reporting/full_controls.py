"""What `phosphene evaluate --controls full` left in a run folder, ready to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from phosphene._checks.structure import check_structure
from phosphene.reporting.figures.intervals import Chart, score_chart
from phosphene.reporting.number_text import count_text, range_text, value_text
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_from_json

FILE = "controls.json"
REMEDY = "do the controls again with `phosphene evaluate --controls full`."
_STORED = {
    "verdict": {"claim": str, "because": [str]},
    "controls": [
        {
            "key": str,
            "title": str,
            "what": str,
            "decoder": str,
            "expected": str,
            "outcome": str,
            "passed": (None, bool),
            "p_value": (None, float),
            "scores": [{}],
            "details": {},
            "note": str,
        }
    ],
    "not_run": [{"title": str, "why": str}],
}
DECODES = "decodes above chance on held-out recordings"
BECAUSE_OF_THE_RECORDING = "explained by the recording, not by the picture"
OTHER_CLASSES = "recording_index"
"""Control that decodes something else than the class: chance is another there."""
LEVELS = {DECODES: "decoded", BECAUSE_OF_THE_RECORDING: "alarm"}
"""How each claim is marked; others are neither good nor bad."""


@dataclass(frozen=True, kw_only=True)
class ShownControl:
    """One control as it stands on the page."""

    key: str
    title: str
    what: str
    decoder: str
    expected: str
    outcome: str
    passed: bool | None
    p_value: str
    scores: tuple[Score, ...]
    lines: tuple[tuple[str, str, str, str, str, str], ...]
    """Name, method, value, interval, range under chance, and n of each score."""
    curve: tuple[tuple[str, str], ...]
    """Points of a curve: what it is drawn over, and the value there."""
    across: str
    note: str


@dataclass(frozen=True, kw_only=True)
class FullControls:
    """The verdict, what it rests on, and what could not be done."""

    claim: str
    because: tuple[str, ...]
    level: str
    """"decoded", "alarm" or "chance", as headlines have it."""
    controls: tuple[ShownControl, ...]
    not_run: tuple[tuple[str, str], ...]
    chart: Chart | None
    """The first number of each control that decodes."""

    @property
    def alarming(self) -> tuple[str, ...]:
        """Return the titles of the controls that had to be at chance and are above."""
        return tuple(one.title for one in self.controls if one.passed is False)


def read_full_controls(run: RunDir) -> FullControls | None:
    """Read controls.json, None where a run has none; what it cannot hold is refused."""
    if not run.has(FILE):
        return None
    content = run.read_json(FILE)
    check_structure(content, _STORED, where=f"{run.path}/{FILE}", remedy=REMEDY)
    controls = tuple(_shown(record) for record in content["controls"] if record["scores"])
    verdict = content["verdict"]
    return FullControls(
        claim=verdict["claim"],
        because=tuple(sentence[:1].upper() + sentence[1:] for sentence in verdict["because"]),
        level=LEVELS.get(verdict["claim"], "chance"),
        controls=controls,
        not_run=tuple((one["title"], one["why"]) for one in content["not_run"]),
        chart=_chart(controls),
    )


def _shown(record: Mapping[str, Any]) -> ShownControl:
    scores = tuple(scores_from_json(record["scores"]))
    across, curve = _curve(record["details"])
    p_value = record["p_value"]
    return ShownControl(
        key=record["key"],
        title=record["title"],
        what=record["what"],
        decoder=record["decoder"],
        expected=record["expected"],
        outcome=record["outcome"],
        passed=record["passed"],
        p_value="" if p_value is None else f"{p_value:.3g}",
        scores=scores,
        lines=tuple(
            (
                score.name,
                score.method,
                value_text(score.value),
                range_text(score.low, score.high),
                range_text(score.chance_low, score.chance_high),
                count_text(score),
            )
            for score in scores
        ),
        curve=curve,
        across=across,
        note=record["note"],
    )


def _curve(details: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return what a curve is drawn over and its points, none for what is no curve."""
    points, across = details.get("curve"), details.get("horizontal")
    if not isinstance(points, list) or not isinstance(across, str):
        return "", ()
    found = []
    for point in points:
        if not isinstance(point, Mapping) or not isinstance(point.get("value"), (int, float)):
            return "", ()
        place = next((str(v) for k, v in point.items() if k in ("trials", "filter")), "")
        text = value_text(float(point["value"]))
        if isinstance(point.get("window_wise"), (int, float)):
            text += f" (window-wise {value_text(float(point['window_wise']))})"
        found.append((place, text))
    return across, tuple(found)


def _chart(controls: Sequence[ShownControl]) -> Chart | None:
    """Return the first balanced accuracy of each control that decodes the class."""
    rows, alarming = [], []
    for control in controls:
        score = replace(control.scores[0], method=control.title)
        if score.name == "balanced accuracy" and control.key != OTHER_CLASSES:
            rows.append(score)
            alarming += [score] if control.passed is False else []
    if not rows:
        return None
    return score_chart(rows, caption="Full controls: balanced accuracy", alarming=alarming)
