"""Inception Score of each class, generated beside real (EEG2Image, table 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from phosphene.reporting.figures.intervals import Row, score_axis, score_row
from phosphene.reporting.number_text import range_text, value_text
from phosphene.score import Score

PREFIX, ALL = "IS of class ", "all classes"


@dataclass(frozen=True, kw_only=True)
class ClassLine:
    """One class; texts are "" where no real pictures were scored."""

    name: str
    value: str
    interval: str
    n: int
    real: str
    real_interval: str
    n_real: str
    row: Row | None
    """Place of the generated pictures; None for all classes, which would press the others flat."""
    real_at: float | None
    """Place of the real pictures on the track, in percent."""


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """The classes of one fold through one extractor, and all of them together."""

    extractor: str
    fold: str
    lines: tuple[ClassLine, ...]
    ticks: tuple[tuple[float, str], ...]
    caveat: str
    scores: tuple[Score, ...]
    """The scores of single classes that are shown, so that no other table has to repeat them."""


def class_scores(scores: Sequence[Score]) -> tuple[ClassScores, ...]:
    """Return one table per fold and extractor, none where no single class was scored."""
    results = [s for s in scores if s.role == "result" and _class_of(s)]
    keys = dict.fromkeys((s.fold, s.extractor or "") for s in results)
    return tuple(_table(scores, fold, extractor) for fold, extractor in keys)


def _class_of(score: Score) -> str:
    """Return the class whose pictures were scored, "" for other scores."""
    if score.section != "pictures" or not score.name.startswith(PREFIX):
        return ""
    return score.name.removeprefix(PREFIX).removesuffix(f"[{score.extractor}]")


def _table(scores: Sequence[Score], fold: str, extractor: str) -> ClassScores:
    here = [s for s in scores if s.fold == fold and (s.extractor or "") == extractor]
    found = {role: [s for s in here if s.role == role] for role in ("result", "reference")}
    of_class = [s for s in found["result"] if _class_of(s)]
    whole = [s for s in found["result"] if s.name == f"IS[{extractor}]"][:1]
    real = {s.name: s for s in found["reference"]}
    pairs = [(s, real.get(s.name)) for s in (*of_class, *whole)]
    single = [s for pair in pairs for s in pair if s is not None and _class_of(s)]
    axis = score_axis(single)
    return ClassScores(
        extractor=extractor,
        fold="" if fold == "all" else fold,
        lines=tuple(
            ClassLine(
                name=_class_of(made) or ALL,
                value=value_text(made.value),
                interval=range_text(made.low, made.high),
                n=made.n,
                real="" if other is None else value_text(other.value),
                real_interval="" if other is None else range_text(other.low, other.high),
                n_real="" if other is None else f"{other.n:,}",
                row=score_row(made, axis=axis) if _class_of(made) else None,
                real_at=None if other is None else axis.at(other.value),
            )
            for made, other in pairs
        ),
        ticks=axis.ticks(),
        caveat=of_class[0].note,
        scores=tuple(single),
    )
