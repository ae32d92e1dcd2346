"""The verdict on signals that were generated for pictures, from rules that are written here.

With the 95 % interval of the main score and the 95 % range of its value under chance, as `headline`
has it: a system's signals are "specific" when the interval lies above the range, "not specific"
when they meet. The main score is the rank of the own picture among held-out ones
("picture specificity (rank)"), of the last result that is given pictures: the system that the run
leaves as its bundle, the pre-trained GAN of the thesis. No score chooses it.

Whatever comes out, the first screen says that a generated signal is a draw from a model. How near
it comes to real signals is the Fréchet distance beside that between two halves of real showings.
Controls and leaks make an alarm by the rules of `headline`.
"""

from collections.abc import Sequence

from phosphene.reporting.contents import Contents
from phosphene.reporting.headline import (
    Headline,
    list_alarms,
    list_cautions,
    list_doubts,
    same_metric,
    verdict,
)
from phosphene.reporting.number_text import count_text, range_text, value_text
from phosphene.score import Score

RANK, NEAREST = "picture specificity (rank)", "picture specificity (nearest)"
TRUE, DISTANCE = "true response, own part", "Fréchet distance["
LABELS = {
    "decoded": "Specific to the picture",
    "chance": "Not specific to the picture",
    "reversed": "Below chance",
    "unknown": "Cannot tell",
    "pending": "Not decided yet",
    "alarm": "Do not trust",
}
WARNING = (
    "A generated signal is a draw from a model, not a recording: it shows what the model expects a "
    "probe like this one to record, and never what an animal's cortex did."
)
OPENINGS = {
    "decoded": "resemble the responses to their own picture more than those to others",
    "chance": "cannot be told to belong to their own picture",
    "reversed": "resemble the responses to other pictures more than those to their own",
    "unknown": "were compared with responses, but there is no interval or no chance range",
}


SETS = {"train": ", training pictures", "test": ", test pictures"}
"""Ends of the names of scores, by the pictures that they are about."""


def set_of(score: Score) -> str:
    """Return "train" or "test", the pictures that a score of signals is about, "" if unnamed."""
    return next((name for name, end in SETS.items() if score.name.endswith(end)), "")


def metric_of(score: Score) -> str:
    """Return the name of a score without the pictures that it is about."""
    return score.name.removesuffix(SETS.get(set_of(score), ""))


def main_signal_score(scores: Sequence[Score], name: str = RANK) -> Score | None:
    """Return the result of this metric that the headline speaks of (rules above)."""
    found = [
        s
        for s in scores
        if s.section == "signals" and s.role == "result" and s.name.startswith(name)
        if set_of(s) != "train"
    ]
    informed = [s for s in found if "without pictures" not in s.method]
    return next(iter(informed[::-1] or found[::-1]), None)


def real_counterpart(score: Score, scores: Sequence[Score]) -> Score | None:
    """Return what real data have of a score's metric: the other half of their showings."""
    return next((s for s in same_metric(score, scores, role="reference")), None)


def write_signal_headline(contents: Contents) -> Headline:
    """Apply the rules to a run folder."""
    main = main_signal_score(contents.scores)
    alarms = list_alarms(contents, None, None)
    if main is None:
        level, sentence = "pending", _nothing_yet(contents)
        asides: tuple[str, ...] = tuple(_distance_sentence(contents.scores))
    else:
        level = verdict(main)
        sentence = _specificity_sentence(main, trusted=not alarms)
        asides = (
            _detail_sentence(main, contents.scores),
            *_distance_sentence(contents.scores),
            *_truth_sentence(contents.scores),
        )
    return Headline(
        level="alarm" if alarms else level,
        sentence=sentence,
        asides=asides,
        pictures=WARNING,
        alarms=alarms,
        cautions=(*list_doubts(contents), *list_cautions(contents.scores)),
        labels=LABELS,
    )


def _nothing_yet(contents: Contents) -> str:
    if contents.finished:
        return "The run ended without comparing generated signals with responses to pictures."
    return "No signals are scored yet; a system has to be trained first."


def _specificity_sentence(main: Score, *, trusted: bool) -> str:
    opening = f"Signals that {_named(main)} makes for held-out pictures {OPENINGS[verdict(main)]}"
    text = opening if trusted else "This result cannot stand as it is"
    text += f": {metric_of(main)} {value_text(main.value)}"
    if interval := range_text(main.low, main.high):
        text += f" ({interval})"
    if main.chance is not None:
        text += f", chance {value_text(main.chance)}"
    return text + "."


def _named(score: Score) -> str:
    method = score.method or "the system"
    return f"the {method}" if "GAN" in method else method


def _detail_sentence(main: Score, scores: Sequence[Score]) -> str:
    text = f"From {count_text(main)}"
    if main.split:
        text += f" ({main.split})"
    if main.chance_low is not None and main.chance_high is not None:
        luck = range_text(main.chance_low, main.chance_high)
        text += f"; by luck alone, 95 % of results are {luck}"
    if real := real_counterpart(main, scores):
        text += f"; real showings of the same pictures have {value_text(real.value)}"
    return text + "."


def _distance_sentence(scores: Sequence[Score]) -> list[str]:
    score = main_signal_score(scores, DISTANCE)
    if score is None:
        return []
    text = f"{metric_of(score)} of {_named(score)} from real signals: {value_text(score.value)}"
    if interval := range_text(score.low, score.high):
        text += f" ({interval})"
    floor = real_counterpart(score, scores)
    if floor is None:
        return [f"{text}; without the distance between halves of real data it says little."]
    return [
        f"{text}; the floor, between two halves of real showings, is {value_text(floor.value)}."
    ]


def _truth_sentence(scores: Sequence[Score]) -> list[str]:
    score = main_signal_score(scores, TRUE)
    if score is None:
        return []
    text = (
        "The recordings are simulated and the true responses known: mean generated responses "
        f"correlate with them by {value_text(score.value)}"
    )
    if interval := range_text(score.low, score.high):
        text += f" ({interval})"
    text += ", what all pictures share taken off"
    if real := real_counterpart(score, scores):
        text += f"; means of real showings reach {value_text(real.value)}"
    return [f"{text}."]


def signal_tiles(contents: Contents) -> list[tuple[str, str, str]]:
    """Return (number, what it is, small print) for the first screen."""
    found = []
    scores = contents.scores
    for name, what in (
        (RANK, "rank of the own picture"),
        (NEAREST, "own picture nearest"),
        (DISTANCE, "Fréchet distance"),
        (TRUE, "with the true response"),
    ):
        score = main_signal_score(scores, name)
        if score is None:
            continue
        if name in (RANK, NEAREST):
            small = "" if score.chance is None else f"chance {value_text(score.chance)}"
        else:
            real = real_counterpart(score, scores)
            small = "" if real is None else f"real data {value_text(real.value)}"
        found.append((value_text(score.value), what, small))
    if main := main_signal_score(scores):
        found.append((f"{main.n:,}", "held-out pictures", main.method))
    return found[:4] if len(found) > 4 else found


def charted(scores: Sequence[Score]) -> list[list[Score]]:
    """Return the scores of the headline charts: the rank, and the first Fréchet distance."""
    charts = []
    for name in (RANK, DISTANCE):
        main = main_signal_score(scores, name)
        if main is not None:
            rows = [main, *(s for s in same_metric(main, scores, role="result") if s is not main)]
            for role in ("baseline", "control", "reference"):
                rows += same_metric(main, scores, role=role)
            charts.append(rows)
    return charts
