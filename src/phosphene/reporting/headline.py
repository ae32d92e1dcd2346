"""The verdict of a report, from rules that are written here and nowhere else.

Decoding, with the 95 % interval of the main score and the 95 % range of its value under chance:

========== ==============================================================================
decoded    the interval's low end lies above the range's high end
chance     the interval and the range share at least one value
reversed   the interval's high end lies below the range's low end: labels or signs are mixed up
unknown    an end is missing
========== ==============================================================================

The main score is balanced accuracy over all folds, else AUC, else the first result for decoding.
Against the baseline or the ceiling, a score is "above" or "below" when its interval leaves their
value out, else "level with" it. Whatever the verdict, the headline is an alarm when

- a control lies outside of its range under chance,
- the main interval lies above the ceiling,
- the split leaks, or test data chose a checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from phosphene.reporting.contents import Contents
from phosphene.reporting.number_text import count_text, percent_text, range_text, value_text
from phosphene.score import Score

LABELS = {
    "decoded": "Decoded",
    "chance": "Not decoded",
    "reversed": "Below chance",
    "unknown": "Cannot tell",
    "pending": "Not decided yet",
    "alarm": "Do not trust",
}


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What the first screen says."""

    level: str
    """A key of `LABELS`."""
    sentence: str
    asides: tuple[str, ...]
    """What the numbers rest on, the baseline, the judge of pictures: a sentence each."""
    pictures: str
    """What generated pictures may be taken to show."""
    alarms: tuple[str, ...]

    @property
    def label(self) -> str:
        """Return the verdict in two or three words."""
        return LABELS[self.level]


def verdict(score: Score) -> str:
    """Return "decoded", "chance", "reversed" or "unknown" for one score (rules above)."""
    ends = (score.low, score.high, score.chance_low, score.chance_high)
    if any(end is None for end in ends):
        return "unknown"
    low, high, chance_low, chance_high = ends
    if not score.higher_is_better:
        low, high, chance_low, chance_high = -high, -low, -chance_high, -chance_low
    if low > chance_high:
        return "decoded"
    return "reversed" if high < chance_low else "chance"


def main_score(scores: Sequence[Score]) -> Score | None:
    """Return the decoding score that the headline speaks of."""
    results = [s for s in scores if s.section == "decoding" and s.role == "result"]
    pooled = [s for s in results if s.fold == "all"]
    for candidates in (pooled, results):
        for name in ("balanced accuracy", "auc", ""):
            for score in candidates:
                if name in score.name.lower():
                    return score
    return None


def ceiling_score(contents: Contents) -> Score | None:
    """Return the best possible accuracy, from the scores or from the data set."""
    for score in contents.scores:
        if score.section == "ceiling":
            return score
    known = contents.ceiling
    if known.get("accuracy") is None:
        return None
    return Score(
        name="best possible accuracy",
        value=known["accuracy"],
        low=known.get("low"),
        high=known.get("high"),
        n=int(known.get("n") or 1),
        unit="trials",
        chance=known.get("chance"),
        section="ceiling",
        role="reference",
        method=str(known.get("method", "")),
    )


def same_metric(score: Score, others: Sequence[Score], *, role: str) -> list[Score]:
    """Return the scores of a role that measure what `score` measures, on the same folds."""
    return [
        other
        for other in others
        if (other.role, other.name, other.section, other.fold)
        == (role, score.name, score.section, score.fold)
    ]


def write_headline(contents: Contents) -> Headline:
    """Apply the rules to a run folder."""
    main = main_score(contents.scores)
    ceiling = ceiling_score(contents)
    alarms = _alarms(contents, main, ceiling)
    if main is None:
        level, sentence = "pending", _nothing_yet(contents)
        asides: tuple[str, ...] = ()
    else:
        level = verdict(main)
        sentence = _decoding_sentence(main, ceiling, trusted=not alarms)
        asides = (
            _detail_sentence(main, ceiling),
            *_baseline_sentence(main, contents.scores),
            *_judge_sentence(contents.scores),
        )
    return Headline(
        level="alarm" if alarms else level,
        sentence=sentence,
        asides=asides,
        pictures=_picture_statement(contents),
        alarms=alarms,
    )


def _nothing_yet(contents: Contents) -> str:
    if contents.finished:
        return "The run ended without a decoding score."
    return "There is no decoding score yet; the encoder has to be trained and tested first."


OPENINGS = {
    "decoded": "The class of held-out trials can be read from the signal",
    "chance": "The class of held-out trials could not be read from the signal",
    "reversed": "Held-out trials are decoded worse than by guessing",
    "unknown": "Held-out trials were decoded, but there is no interval or no chance range",
}


def _decoding_sentence(main: Score, ceiling: Score | None, *, trusted: bool) -> str:
    opening = OPENINGS[verdict(main)] if trusted else "This result cannot stand as it is"
    text = f"{opening}: {main.name} {value_text(main.value)}"
    if interval := range_text(main.low, main.high):
        text += f" ({interval})"
    if main.chance is not None:
        text += f", chance {value_text(main.chance)}"
    if ceiling is not None and _is_accuracy(main):
        text += f", best possible {value_text(ceiling.value)}"
    return text + "."


def _detail_sentence(main: Score, ceiling: Score | None) -> str:
    where = "" if main.fold == "all" else f" of fold {main.fold} alone"
    text = f"From {count_text(main)}{where}"
    if main.split:
        text += f" ({main.split})"
    if main.chance_low is not None and main.chance_high is not None:
        luck = range_text(main.chance_low, main.chance_high)
        text += f"; by luck alone, 95 % of results are {luck}"
    if ceiling is not None and _is_accuracy(main):
        share = percent_text(main.value / ceiling.value)
        text += f"; {share} of the best that any decoder can reach"
    return text + "."


def _is_accuracy(score: Score) -> bool:
    return "accuracy" in score.name.lower() and "k-means" not in score.name.lower()


def compare(score: Score, value: float) -> str:
    """Return "above", "below" or "level with" a value (rules above)."""
    if score.low is not None and score.low > value:
        return "above"
    if score.high is not None and score.high < value:
        return "below"
    return "level with"


def _baseline_sentence(main: Score, scores: Sequence[Score]) -> list[str]:
    baselines = same_metric(main, scores, role="baseline")
    if not baselines:
        return []
    best = max(baselines, key=lambda s: s.value if s.higher_is_better else -s.value)
    name = best.method or "the baseline"
    method = main.method or "The main method"
    return [
        f"{method} lies {compare(main, best.value)} the linear baseline ({name}: "
        f"{value_text(best.value)})."
    ]


def judge_scores(scores: Sequence[Score]) -> list[Score]:
    """Return the class consistencies of generated pictures, the decoded class first."""
    found = [
        s
        for s in scores
        if s.section == "pictures" and s.role == "result" and "consisten" in s.name.lower()
    ]
    return sorted(found, key=lambda s: "shown" in f"{s.name} {s.method}".lower())


def _judge_sentence(scores: Sequence[Score]) -> list[str]:
    found = judge_scores(scores)
    if not found:
        return []
    return [
        "A judge trained on pictures that the generator never saw recognises the decoded class in "
        f"{percent_text(found[0].value)} of the generated pictures."
    ]


def _picture_statement(contents: Contents) -> str:
    if contents.pairing == "paired":
        return (
            "Each trial's own picture is known. Whether a generated picture resembles its own, and "
            "not just its class, is what scores on pairs say; class scores do not."
        )
    reason = (
        "; which picture a trial showed is not recorded" if contents.pairing == "class-only" else ""
    )
    return f"Pictures show the decoded class, not the picture that was seen{reason}."


def outside_controls(scores: Sequence[Score]) -> list[Score]:
    """Return the controls that lie outside of their range under chance."""
    return [s for s in scores if s.role == "control" and s.inside_chance() is False]


def _alarms(contents: Contents, main: Score | None, ceiling: Score | None) -> tuple[str, ...]:
    alarms = [_control_alarm(score) for score in outside_controls(contents.scores)]
    checked = [s for s in contents.scores if s.role == "control" and s.inside_chance() is not None]
    if alarms and len(checked) > 1:
        alarms.append(
            f"{len(checked)} controls were checked. About one in twenty leaves its 95 % range by "
            "luck, but then only just: read how far it lies outside."
        )
    if main and ceiling and main.low is not None and _is_accuracy(main):
        limit = ceiling.value if ceiling.high is None else ceiling.high
        if main.low > limit:
            alarms.append(
                f"Decoding ({value_text(main.value)}) lies above the best that any decoder can "
                f"reach ({value_text(limit)}): something besides the signal gives the class away."
            )
    if leak := contents.split.get("leak_reason"):
        alarms.append(f"Training and test trials overlap, allowed with the reason: {leak}")
    chosen = sorted({s.selected_on for s in contents.scores if "test" in s.selected_on.lower()})
    alarms += [f"A checkpoint was chosen on {what}: its scores are too good." for what in chosen]
    return tuple(alarms)


def _control_alarm(score: Score) -> str:
    above = score.chance_high is not None and score.value > score.chance_high
    side = "above" if above else "below"
    what = (score.method or "A control").strip()
    verb = "decode" if score.section == "decoding" else "score"
    fold = "" if score.fold == "all" else f", fold {score.fold}"
    expected = range_text(score.chance_low, score.chance_high)
    return (
        f"{what[:1].upper()}{what[1:]} {verb} {side} chance: {score.name} "
        f"{value_text(score.value)}{fold}, expected {expected}. Do not trust the results beside it."
    )
