"""Figure 6 of the restoration paper: the loss of each system and its log trend line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from phosphene.reporting.contents import Contents
from phosphene.reporting.figures.learning_curves import is_number, thin
from phosphene.reporting.figures.palette import LIGHT, MUTED, css_color
from phosphene.reporting.figures.themed_svg import new_axes, to_svg

KEYS = ("loss", "error", "rmse")
"""Logged quantities, the first of which is drawn that a system has."""
SIZE = (900, 340)


@dataclass(frozen=True, kw_only=True)
class Trend:
    """``level + slope * ln(iteration)``, fitted to a loss by least squares."""

    name: str
    color: str
    """As CSS has it."""
    key: str
    """What was logged."""
    level: float
    slope: float
    last_step: int

    @property
    def text(self) -> str:
        """Return the line as a formula."""
        sign = "−" if self.slope < 0 else "+"
        level = f"{self.level:.4f}".replace("-", "−")
        return f"{level} {sign} {abs(self.slope):.4f} ln(iteration)"

    @property
    def per_doubling(self) -> str:
        """Return what the line says twice as many iterations change."""
        return f"{self.slope * np.log(2):+.4f}".replace("-", "−")


@dataclass(frozen=True, kw_only=True)
class LossTrends:
    """The losses of all systems in one frame."""

    svg: Markup
    trends: tuple[Trend, ...]
    iterations: int
    """Where all systems have equally many; a dotted line marks it."""
    goes_on: bool
    """Whether some systems were trained on for equal time."""


def loss_trends(contents: Contents) -> LossTrends | None:
    """Draw what log.jsonl holds of the systems; None before anything is logged.

    As in the paper the line is fitted to all that is logged, the steep beginning too.
    """
    systems = list(contents.restorations.systems) if contents.restorations else []
    curves = {}
    for number, system in enumerate(systems):
        key, curve = _curve([r for r in contents.log if r.get("stage") == system.name])
        if curve is not None:
            curves[system.name] = (key, curve, LIGHT[number % len(LIGHT)])
    if not curves:
        return None
    figure, axes = new_axes(width=SIZE[0], height=SIZE[1])
    trends = []
    for name, (key, curve, color) in curves.items():
        steps, values = curve.T
        drawn = thin(curve)
        axes.plot(drawn[:, 0], drawn[:, 1], color=color, alpha=0.3, linewidth=1.0)
        slope, level = np.polyfit(np.log(steps), values, 1)
        at = np.geomspace(steps[0], steps[-1], 200)
        axes.plot(at, level + slope * np.log(at), color=color, linewidth=2.2)
        trends.append(
            Trend(
                name=name,
                color=css_color(color),
                key=key,
                level=float(level),
                slope=float(slope),
                last_step=int(steps[-1]),
            )
        )
    iterations = systems[0].iterations
    goes_on = any(trend.last_step > iterations for trend in trends)
    if goes_on:
        axes.axvline(iterations, color=MUTED, linewidth=1.0, linestyle=":")
    every = np.concatenate([curve[:, 1] for _, curve, _ in curves.values()])
    low, high = np.percentile(every, [0.5, 99.5])
    room = 0.08 * (high - low) or 0.1
    axes.set_ylim(low - room, high + room)  # the first steps would flatten the rest
    axes.set_xlabel("iteration")
    axes.margins(x=0.02)
    return LossTrends(
        svg=to_svg(figure, key="losses", label="loss of each system over iterations"),
        trends=tuple(trends),
        iterations=iterations,
        goes_on=goes_on,
    )


def _curve(records: Sequence[Mapping[str, Any]]) -> tuple[str, np.ndarray | None]:
    """Return (step, value) rows of the first quantity that is logged often enough."""
    for key in KEYS:
        found = {  # a resumed run repeats steps: the later line holds
            record["step"]: float(record[key])
            for record in records
            if is_number(record.get("step")) and record["step"] > 0 and is_number(record.get(key))
        }
        if len(found) > 2:
            return key, np.array(sorted(found.items()), dtype=np.float64)
    return "", None
