"""Dot-and-interval charts: positions in percent of a track, drawn by the template with CSS."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from phosphene.reporting.number_text import range_text, value_text
from phosphene.score import Score


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of the track, both in percent of its width."""

    left: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a chart; positions are None where the number is unknown."""

    label: str
    detail: str
    role: str
    dot: float
    whisker: Span | None
    band: Span | None
    """Range under chance."""
    chance: float | None
    text: str
    interval: str
    alarm: bool


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Rows on one axis, with a ceiling if there is one."""

    rows: tuple[Row, ...]
    ticks: tuple[tuple[float, str], ...]
    """Position in percent and what is written there."""
    ceiling: float | None = None
    ceiling_text: str = ""
    caption: str = ""
    metric: str = ""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A range of values laid on a track of 100 percent."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return a position in percent, clipped to the track."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def span(self, low: float | None, high: float | None) -> Span | None:
        """Return a stretch of the track, None where an end is unknown."""
        if low is None or high is None:
            return None
        left = self.at(low)
        return Span(left=left, width=round(max(self.at(high) - left, 0.0), 2))

    def ticks(self, n_ticks: int = 5) -> tuple[tuple[float, str], ...]:
        """Return about `n_ticks` round values with their positions."""
        step = nice_step((self.high - self.low) / n_ticks)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        decimals += round(step * 10**decimals, 6) % 1 > 0  # a step of 2.5 in its last digit
        return tuple(
            (self.at(index * step), f"{index * step:.{decimals}f}".replace("-", "−"))
            for index in range(first, last + 1)
        )


def nice_step(step: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten from `step` upwards."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= step * (1 - 1e-9))


def axis_for(values: Iterable[float | None], *, unit_interval: bool) -> Axis:
    """Return an axis with room around the values, inside [0, 1] for shares."""
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    room = 0.06 * (high - low) or 0.1 * abs(high) or 0.1
    low, high = low - room, high + room
    if unit_interval:
        low, high = max(0.0, low), min(1.0, high)
        if high - low > 0.55:
            low, high = 0.0, 1.0
    return Axis(low=low, high=high)


def is_share(score: Score) -> bool:
    """Say whether a score lies between 0 and 1 by definition, as far as its name tells."""
    name = score.name.lower()
    return any(part in name for part in ("accuracy", "auc", "consisten"))


def score_axis(scores: Sequence[Score]) -> Axis:
    """Return the axis that shows scores with their intervals and chance ranges."""
    values: list[float | None] = []
    for s in scores:
        values += [s.value, s.low, s.high, s.chance, s.chance_low, s.chance_high]
    return axis_for(values, unit_interval=all(is_share(s) for s in scores))


def score_row(score: Score, *, axis: Axis, label: str = "", alarm: bool = False) -> Row:
    """Return one score as a line of a chart; `alarm` makes it stand out."""
    return Row(
        label=label or score.method or score.name,
        detail="" if score.role == "result" else score.role,
        role=score.role,
        dot=axis.at(score.value),
        whisker=axis.span(score.low, score.high),
        band=axis.span(score.chance_low, score.chance_high),
        chance=None if score.chance is None else axis.at(score.chance),
        text=value_text(score.value),
        interval=range_text(score.low, score.high),
        alarm=alarm,
    )


def score_chart(
    scores: Sequence[Score],
    *,
    ceiling: Score | None = None,
    caption: str = "",
    alarming: Sequence[Score] = (),
) -> Chart | None:
    """Return scores of one metric on a common axis, None where there are none.

    Those in `alarming` stand out.
    """
    if not scores:
        return None
    axis = score_axis([*scores, ceiling] if ceiling else scores)
    return Chart(
        rows=tuple(score_row(s, axis=axis, alarm=s in alarming) for s in scores),
        ticks=axis.ticks(),
        ceiling=None if ceiling is None else axis.at(ceiling.value),
        ceiling_text="" if ceiling is None else value_text(ceiling.value),
        caption=caption,
    )
