"""Decoding of each held-out recording, to see whether one of them carries the result."""

from dataclasses import replace

import numpy as np

from phosphene.reporting.contents import Contents, natural_key
from phosphene.reporting.figures.intervals import Chart, Row, axis_for, score_axis, score_row
from phosphene.reporting.headline import main_score
from phosphene.reporting.number_text import count_text, range_text, value_text

MAX_ROWS = 60


def _scored_recordings(contents: Contents) -> Chart | None:
    main = main_score(contents.scores)
    found = [
        s
        for s in contents.scores
        if main and s.fold != "all"
        if (s.name, s.section, s.role, s.method)
        == (main.name, main.section, main.role, main.method)
    ]
    if len(found) < 2:
        return None
    shown = sorted(found, key=lambda s: natural_key(s.fold))[:MAX_ROWS]
    axis = score_axis(shown)
    rows = tuple(
        replace(score_row(s, axis=axis, label=s.fold), detail=count_text(s)) for s in shown
    )
    return Chart(rows=rows, ticks=axis.ticks(), caption=_hidden(len(found)), metric=found[0].name)


def _hidden(n_found: int) -> str:
    return f"{n_found - MAX_ROWS} more recordings are not drawn." if n_found > MAX_ROWS else ""


def balanced_accuracy_interval(
    labels: np.ndarray, decoded: np.ndarray
) -> tuple[float, float, float, float]:
    """Return balanced accuracy, the ends of its 95 % interval, and half its range under chance.

    A normal approximation with one added hit and miss per class, good enough for a picture; the
    scores of the run have exact or resampled intervals. Chance and its variance are those of
    guessing among the classes that occur.
    """
    classes, counts = np.unique(labels, return_counts=True)
    hits = np.array([(decoded[labels == label] == label).sum() for label in classes])
    smooth = (hits + 1) / (counts + 2)
    spread = 1.96 * float(np.sqrt((smooth * (1 - smooth) / counts).sum())) / len(classes)
    guess = 1 / len(classes)
    luck = 1.96 * float(np.sqrt((guess * (1 - guess) / counts).sum())) / len(classes)
    value = float((hits / counts).mean())
    return value, max(0.0, value - spread), min(1.0, value + spread), luck


def recordings_chart(contents: Contents) -> Chart | None:
    """Return one line per held-out recording, None before anything is decoded.

    Recordings that the run has scored are drawn from its scores; others from the decoded trials.
    """
    if scored := _scored_recordings(contents):
        return scored
    pooled = contents.pooled("labels", "probabilities", "recording")
    if pooled is None:
        return None
    labels, probabilities, recording = pooled
    decoded = probabilities.argmax(axis=1)
    numbers = []
    for name in sorted(np.unique(recording).tolist(), key=natural_key):
        chosen = recording == name
        n_classes = len(np.unique(labels[chosen]))
        if n_classes > 1:
            measured = balanced_accuracy_interval(labels[chosen], decoded[chosen])
            numbers.append((str(name), int(chosen.sum()), 1 / n_classes, *measured))
    if not numbers:
        return None
    shown = numbers[:MAX_ROWS]
    ends = [(low, high, chance - luck) for _, _, chance, _, low, high, luck in shown]
    axis = axis_for([value for row in ends for value in row], unit_interval=True)
    rows = tuple(
        Row(
            label=name,
            detail=f"{count:,} trials",
            role="result",
            dot=axis.at(value),
            whisker=axis.span(low, high),
            band=axis.span(chance - luck, chance + luck),
            chance=axis.at(chance),
            text=value_text(value),
            interval=range_text(low, high),
            alarm=False,
        )
        for name, count, chance, value, low, high, luck in shown
    )
    caption = _hidden(len(numbers))
    return Chart(rows=rows, ticks=axis.ticks(), caption=caption, metric="balanced accuracy")
