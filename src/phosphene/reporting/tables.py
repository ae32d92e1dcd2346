"""Tables of a report: scores with their controls beside them, and settings as they were stored."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phosphene.reporting.contents import Contents
from phosphene.reporting.figures.intervals import Row, score_axis, score_row
from phosphene.reporting.headline import must_fail
from phosphene.reporting.number_text import count_text, range_text, value_text
from phosphene.score import Score

SECTION_TITLES = {
    "decoding": "Decoding",
    "pictures": "Pictures",
    "signals": "Signals",
    "restoration": "Restoration",
    "ceiling": "Ceiling",
}
ROLE_ORDER = ("result", "baseline", "control", "reference")


@dataclass(frozen=True, kw_only=True)
class ScoreLine:
    """One row of the table."""

    method: str
    role: str
    value: str
    interval: str
    count: str
    chance: str
    chance_range: str
    inside: bool | None
    """Whether a control that must fail lies in its chance range; None for all others."""
    fold: str
    row: Row
    footnotes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """Scores of one metric, the result first and its controls right below."""

    name: str
    better: str
    fold: str
    """The one fold that all lines are about, else ""."""
    lines: tuple[ScoreLine, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Metrics of one kind."""

    title: str
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """Sections with numbered footnotes, and what all scores have in common."""

    sections: tuple[Section, ...]
    footnotes: tuple[str, ...]
    shared: tuple[tuple[str, str], ...]


def score_table(scores: Sequence[Score], *, single_folds: bool = False) -> ScoreTable | None:
    """Group scores by section and metric; None where there are none.

    Parameters
    ----------
    scores
        In any order; within a metric and role the given order is kept.
    single_folds
        Take what the main table leaves out. That holds the scores over all folds, and those of
        single folds for metrics that are not pooled, as those of pictures.
    """
    pooled = {(s.section, s.name) for s in scores if s.fold == "all"}
    chosen = [
        s for s in scores if (s.fold != "all" and (s.section, s.name) in pooled) is single_folds
    ]
    if not chosen:
        return None
    shared = _shared(chosen)
    footnotes: list[str] = []
    sections = []
    for key, title in SECTION_TITLES.items():
        names = list(dict.fromkeys(s.name for s in chosen if s.section == key))
        metrics = tuple(
            _metric([s for s in chosen if s.section == key and s.name == name], footnotes, shared)
            for name in names
        )
        if metrics:
            sections.append(Section(title=title, metrics=metrics))
    return ScoreTable(
        sections=tuple(sections), footnotes=tuple(footnotes), shared=tuple(shared.items())
    )


EXCESS = "excess over real data"
"""Begins a remark that is no footnote: real data stand right below."""
PROTOCOL = {
    "split": "Split",
    "selected_on": "Checkpoint chosen on",
    "extractor": "Extractor",
    "interval": "Interval",
}


def _shared(scores: Sequence[Score]) -> dict[str, str]:
    """Return the parts of the protocol that all scores with any entry have in common."""
    shared = {}
    for field, title in PROTOCOL.items():
        found = {getattr(score, field) for score in scores} - {"", None}
        if len(found) == 1:
            shared[title] = found.pop()
    return shared


def _metric(scores: list[Score], footnotes: list[str], shared: Mapping[str, str]) -> Metric:
    ordered = sorted(scores, key=lambda s: ROLE_ORDER.index(s.role))
    axis = score_axis(ordered)
    folds = {s.fold for s in ordered}
    common = "" if len(folds) > 1 or folds == {"all"} else ordered[0].fold
    return Metric(
        name=ordered[0].name,
        fold=common,
        better="" if ordered[0].higher_is_better else "lower is better",
        lines=tuple(
            ScoreLine(
                method=s.method or s.name,
                role=s.role,
                value=value_text(s.value),
                interval=range_text(s.low, s.high),
                count=count_text(s),
                chance="" if s.chance is None else value_text(s.chance),
                chance_range=range_text(s.chance_low, s.chance_high),
                inside=s.inside_chance() if must_fail(s) else None,
                fold="" if s.fold in ("all", common) else s.fold,
                row=score_row(s, axis=axis),
                footnotes=tuple(_footnote(text, footnotes) for text in _remarks(s, shared)),
            )
            for s in ordered
        ),
    )


def _remarks(score: Score, shared: Mapping[str, str]) -> list[str]:
    """Return the score's note, and its protocol where it is not that of all scores."""
    own = [
        f"{title}: {getattr(score, field)}."
        for field, title in PROTOCOL.items()
        if title not in shared and getattr(score, field)
    ]
    notes = [score.note]
    if score.section == "signals":  # several remarks of which others have the same
        notes = [note for note in score.note.split("; ") if not note.startswith(EXCESS)]
    return [text for text in (*notes, " ".join(own)) if text]


def _footnote(text: str, footnotes: list[str]) -> int:
    if text not in footnotes:
        footnotes.append(text)
    return footnotes.index(text) + 1


def flatten(tree: Mapping[str, Any], *, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as (dotted name, text) pairs; long lists are cut."""
    pairs = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
            value = {str(number): item for number, item in enumerate(value, 1)}
        if isinstance(value, Mapping) and value:
            pairs += flatten(value, prefix=f"{name}.")
        else:
            pairs.append((name, _text(value)))
    return pairs


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        shown = ", ".join(_text(item) for item in value[:12])
        return shown + (f", … ({len(value)} in all)" if len(value) > 12 else "")
    text = str(value)
    return text if len(text) <= 200 else text[:199] + "…"


NOT_SHOWN = {"info", "columns", "format_version", "per_recording", "per_session", "files"}
"""Parts of dataset.json that are too long to be read as a list."""


def settings_tables(contents: Contents) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return titled tables: settings, versions and machine, data, split."""
    config = contents.config.get("config")
    settings = flatten(config) if isinstance(config, Mapping) else []
    info = contents.dataset.get("info")
    data = {**(info if isinstance(info, Mapping) else {}), **contents.dataset}
    data = {key: value for key, value in data.items() if key not in NOT_SHOWN}
    tables = [
        ("Settings", settings),
        ("Data", flatten(data)[:60]),
        ("Split", _split_lines(contents.split)),
        ("Versions and machine", flatten(contents.environment)),
    ]
    return [(title, lines) for title, lines in tables if lines]


def _split_lines(split: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = [
        (name, _text(split[key]))
        for key, name in (
            ("unit", "kept apart"),
            ("seed", "seed"),
            ("sha256", "hash"),
            ("leak_reason", "leak allowed because"),
            ("doubt", "leak cannot be excluded because"),
        )
        if split.get(key) is not None
    ]
    for fold in split.get("folds", [])[:40]:
        sizes = f"{len(fold.get('train', ())):,} to train, {len(fold.get('test', ())):,} to test"
        if fold.get("val"):
            sizes += f", {len(fold['val']):,} to choose the step"
        lines.append((f"fold {fold.get('key', '')}", sizes))
    pictures = dict(split.get("pictures") or {})
    if "shown_in_both" in pictures:
        lines.append(("pictures shown in training and test", f"{pictures.pop('shown_in_both'):,}"))
    for user, ids in pictures.items():
        lines.append((f"pictures for the {user}", f"{len(ids):,}"))
    return lines


def command(contents: Contents) -> str:
    """Return the shell command that repeats the run, "" where config.json does not say.

    `command`, a list of words, wins where config.json has it; else recipe, preset and data are put
    together.
    """
    config = contents.config
    if isinstance(config.get("command"), (list, tuple)):
        return shlex.join(str(word) for word in config["command"])
    if not config.get("recipe"):
        return ""
    words = ["phosphene", "train", str(config["recipe"])]
    words += [str(config["preset"])] if config.get("preset") else []
    words += ["--data", str(config["data"])] if config.get("data") else []
    return shlex.join(words)
