"""Learning curves of each stage: the raw log, faint, under its running mean."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Contents
from phosphene.reporting.figures.palette import ACCENT
from phosphene.reporting.figures.themed_svg import new_axes, to_svg

NOT_CURVES = {"time", "step", "epoch", "seed", "lr", "n_steps", "total", "seconds", "left"}
MAX_STAGES, MAX_CURVES, MAX_FOLDS, MAX_POINTS = 10, 4, 12, 240


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One logged quantity of a stage."""

    name: str
    svg: Markup
    last: str
    """Its last running mean, over folds, as text."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One part of the training with its panels."""

    name: str
    n_folds: int
    last_step: int
    panels: tuple[Panel, ...]
    left_out: int
    """Quantities that are in the log and not drawn."""

    @property
    def of_control(self) -> bool:
        """Whether a control was trained here."""
        return self.name.lower().startswith(("null", "permuted", "control"))


def learning_curves(contents: Contents) -> list[Stage]:
    """Draw what log.jsonl holds; an empty list before anything is logged."""
    records: dict[str, list[Mapping[str, Any]]] = {}
    for record in contents.log:
        if "stage" in record and isinstance(record.get("step"), int):
            records.setdefault(str(record["stage"]), []).append(record)
    stages = []
    for number, (name, lines) in enumerate(list(records.items())[:MAX_STAGES]):
        keys = _curve_keys(lines)
        panels = [
            _panel(lines, key, svg_key=f"log{number}x{index}")
            for index, key in enumerate(keys[:MAX_CURVES])
        ]
        stages.append(
            Stage(
                name=name,
                n_folds=len({str(line.get("fold", "")) for line in lines}),
                last_step=max(line["step"] for line in lines),
                panels=tuple(panel for panel in panels if panel),
                left_out=max(0, len(keys) - MAX_CURVES),
            )
        )
    return [stage for stage in stages if stage.panels]


def _curve_keys(lines: list[Mapping[str, Any]]) -> list[str]:
    """Return the logged quantities, losses first, each with more than one value."""
    counts: dict[str, int] = {}
    for line in lines:
        for key, value in line.items():
            if key not in NOT_CURVES and not key.endswith("per_second") and is_number(value):
                counts[key] = counts.get(key, 0) + 1
    keys = sorted(
        (key for key, count in counts.items() if count > 1),
        key=lambda key: "loss" not in key.lower(),
    )
    seen: list[list[Any]] = []
    different = []
    for key in keys:
        values = [line.get(key) for line in lines]
        if values not in seen:  # a loss of one term is logged under both names
            seen.append(values)
            different.append(key)
    return different


def is_number(value: Any) -> bool:
    """Say whether a logged value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _panel(lines: list[Mapping[str, Any]], key: str, *, svg_key: str) -> Panel | None:
    runs: dict[str, dict[int, float]] = {}
    for line in lines:
        if is_number(line.get(key)):
            # A resumed run repeats steps: the later line holds.
            runs.setdefault(str(line.get("fold", "")), {})[line["step"]] = float(line[key])
    curves = [np.array(sorted(run.items())) for run in runs.values() if len(run) > 1]
    if not curves:
        return None
    figure, axes = new_axes(width=310, height=180)
    alpha = 1.0 if len(curves) == 1 else 0.75
    last = []
    for curve in curves[:MAX_FOLDS]:
        steps, values = thin(curve).T
        smooth = running_mean(values, max(1, len(values) // 20))
        last.append(smooth[-1])
        if len(curves) <= 3:
            axes.plot(steps, values, color=ACCENT, alpha=0.28, linewidth=0.9)
        axes.plot(steps, smooth, color=ACCENT, alpha=alpha, linewidth=1.8)
    axes.set_xlabel("step")
    axes.margins(x=0.02)
    low, high = np.percentile(np.concatenate([c[:, 1] for c in curves]), [0.5, 99.5])
    room = 0.08 * (high - low) or 0.1
    axes.set_ylim(low - room, high + room)  # one early spike would flatten the rest
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=5)
    return Panel(
        name=key.replace("_", " "),
        svg=to_svg(figure, key=svg_key, label=f"{key} over steps".replace('"', "")),
        last=f"{np.mean(last):.3g}".replace("-", "−"),
    )


def thin(curve: np.ndarray) -> np.ndarray:
    """Return at most `MAX_POINTS` rows of `(step, value)`, averaging neighbours."""
    if len(curve) <= MAX_POINTS:
        return curve
    reach = -(-len(curve) // MAX_POINTS)
    return np.array([curve[i : i + reach].mean(axis=0) for i in range(0, len(curve), reach)])


def running_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the mean over `reach` neighbours on each side, over fewer at both ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    first, last = np.maximum(index - reach, 0), np.minimum(index + reach + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)
