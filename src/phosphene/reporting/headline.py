"""The verdict of a report, from rules that are written here and nowhere else.

Decoding, with the 95 % interval of the main score and the 95 % range of its value under chance:

========== ==============================================================================
decoded    the interval's low end lies above the range's high end
chance     the interval and the range share at least one value
reversed   the interval's high end lies below the range's low end: labels or signs are mixed up
unknown    an end is missing
========== ==============================================================================

The main score is balanced accuracy over all folds, else AUC, else the first result for decoding.
Against the baseline, a score is "above" or "below" when its interval leaves the baseline's value
out, else "level with" it. What is said of pictures follows the rules of `judgement`.

A control must fail when what it is scored against was taken away: every control of decoding; among
pictures shuffled features, and any control scored against the class that was shown. Noise in place
of a signal still gives a clean picture of whatever class was decoded from it, and a generator that
is told the class draws it: those are comparisons, not tests. Of generated signals every control
that has a range under chance must fail: noise, and showings with random phases.

Whatever the verdict, the headline is an alarm when

- a control that must fail lies above its range under chance, by more than the luck of checking
  several controls explains (the range widened as Bonferroni's rule asks for normal values),
- the main interval lies above the ceiling,
- the split leaks, or test data chose a checkpoint.

Controls that leave their range by less, or downwards, are cautions: they stand on the first screen
and leave the verdict as it is. Of each metric the controls over all folds count, those of single
folds where none is pooled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

from phosphene.reporting.contents import Contents
from phosphene.reporting.judgement import judge_cautions, judge_sentences, picture_statement
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
    cautions: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=lambda: LABELS)
    """What each level is called."""

    @property
    def label(self) -> str:
        """Return the verdict in two or three words."""
        return self.labels[self.level]


def verdict(score: Score) -> str:
    """Return "decoded", "chance", "reversed" or "unknown" for one score (rules above)."""
    low, high, luck_low, luck_high = score.low, score.high, score.chance_low, score.chance_high
    if low is None or high is None or luck_low is None or luck_high is None:
        return "unknown"
    if not score.higher_is_better:
        low, high, luck_low, luck_high = -high, -low, -luck_high, -luck_low
    if low > luck_high:
        return "decoded"
    return "reversed" if high < luck_low else "chance"


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
    alarms = list_alarms(contents, main, ceiling)
    if main is None:
        level, sentence = "pending", _nothing_yet(contents)
        asides: tuple[str, ...] = ()
    else:
        level = verdict(main)
        sentence = _decoding_sentence(main, ceiling, trusted=not alarms)
        asides = (
            _detail_sentence(main, ceiling),
            *_baseline_sentence(main, contents.scores),
            *judge_sentences(contents.scores),
        )
    return Headline(
        level="alarm" if alarms else level,
        sentence=sentence,
        asides=asides,
        pictures=picture_statement(contents),
        alarms=alarms,
        cautions=(
            *list_doubts(contents),
            *judge_cautions(contents.scores),
            *list_cautions(contents.scores),
        ),
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


def best_baseline(main: Score, scores: Sequence[Score]) -> Score | None:
    """Return the linear baseline of a score, else its best other baseline."""
    baselines = same_metric(main, scores, role="baseline")
    linear = [s for s in baselines if "lda" in s.method.lower()]
    found = linear or baselines
    return max(found, key=lambda s: s.value if s.higher_is_better else -s.value, default=None)


def _baseline_sentence(main: Score, scores: Sequence[Score]) -> list[str]:
    best = best_baseline(main, scores)
    if best is None or (verdict(main) != "decoded" and verdict(best) != "decoded"):
        return []  # two draws from chance have no order worth a sentence
    method, name = main.method or "The main method", best.method or "unnamed"
    return [
        f"{method} lies {compare(main, best.value)} the baseline ({name}: "
        f"{value_text(best.value)})."
    ]


def must_fail(score: Score) -> bool:
    """Say whether a control has to lie in its range under chance (rules above)."""
    if score.role != "control" or score.inside_chance() is None:
        return False
    name, method = score.name.lower(), score.method.lower()
    if score.section in ("decoding", "signals"):
        return True
    if "label" in method and "permuted" not in method:
        return False
    return "shuffled" in method or "permuted" in method or "shown" in name


def outside_controls(scores: Sequence[Score]) -> list[Score]:
    """Return the pooled controls, or those of folds, that leave their range under chance."""
    return [s for s in _checked_controls(scores) if s.inside_chance() is False]


def _checked_controls(scores: Sequence[Score]) -> list[Score]:
    """Return the controls that must fail: of each metric those over all folds, else all."""
    controls = [s for s in scores if must_fail(s)]
    pooled = {(s.section, s.name) for s in controls if s.fold == "all"}
    return [s for s in controls if s.fold == "all" or (s.section, s.name) not in pooled]


def alarming_controls(scores: Sequence[Score]) -> list[Score]:
    """Return the controls so far above chance that luck does not explain it (rules above)."""
    n_checked = len(_checked_controls(scores))
    return [s for s in outside_controls(scores) if _excess(s) > _luck_of_several(n_checked)]


def _excess(score: Score) -> float:
    """Return how far a control lies above chance, in half widths of its range."""
    chance, high = score.chance, score.chance_high
    if chance is None or high is None or score.value <= high:
        return 0.0
    return (score.value - chance) / max(high - chance, 1e-12)


def _luck_of_several(n_checked: int) -> float:
    """Return the half width at which one of several normal values lies outside in 5 % of cases."""
    normal = NormalDist()
    return normal.inv_cdf(1 - 0.025 / max(1, n_checked)) / normal.inv_cdf(0.975)


def list_doubts(contents: Contents) -> tuple[str, ...]:
    """Return what the split could not rule out."""
    doubt = contents.split.get("doubt")
    return (f"A leak cannot be excluded: {doubt}.",) if doubt else ()


def list_cautions(scores: Sequence[Score]) -> tuple[str, ...]:
    """Return the controls that leave their range by no more than luck does."""
    alarming = alarming_controls(scores)
    mild = [s for s in outside_controls(scores) if s not in alarming]
    if not mild:
        return ()
    n_checked = len(_checked_controls(scores))
    return (
        *(f"{_control_words(score)}." for score in mild),
        f"Of the {n_checked} controls checked, about one in twenty leaves its 95 % range by luck, "
        "and then just so; many or far outside would mean that split or scoring are wrong.",
    )


def list_alarms(contents: Contents, main: Score | None, ceiling: Score | None) -> tuple[str, ...]:
    """Return what makes results untrustworthy, a sentence or two each (rules above)."""
    alarms = [
        f"{_control_words(score)}. Do not trust the results beside it."
        for score in alarming_controls(contents.scores)
    ]
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


def _control_words(score: Score) -> str:
    above = score.chance_high is not None and score.value > score.chance_high
    what = (score.method or "A control").strip()
    verb = "decode" if score.section == "decoding" else "score"
    fold = "" if score.fold == "all" else f", fold {score.fold}"
    expected = range_text(score.chance_low, score.chance_high)
    return (
        f"{what[:1].upper()}{what[1:]} {verb} {'above' if above else 'below'} chance: "
        f"{score.name} {value_text(score.value)}{fold}, expected {expected}"
    )
