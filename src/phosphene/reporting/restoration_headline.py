"""The verdict on restored pictures, from rules that are written here.

The recipe's own system, the last one of the run, is held against each other system of the run by
the paired difference of their RMSE on the missing part (on the whole picture where nothing is
missing), at equal time, or at equal iterations where there is no equal time. The difference has a
95 % interval over test pictures. It is held against the best simple method too: better when its own
interval leaves that method's value above it.

========= ====================================================================================
decoded   it is nearer to the originals than every other system and the best simple method
reversed  at least one of them is nearer
chance    neither: it is level with at least one
unknown   there are no intervals, or nothing to compare with
========= ====================================================================================

Whatever comes out, the first screen says that a restored part is drawn and not recovered.
"""

from collections.abc import Sequence

from phosphene.reporting.contents import Contents
from phosphene.reporting.headline import (
    Headline,
    compare,
    list_alarms,
    list_cautions,
    list_doubts,
)
from phosphene.reporting.number_text import range_text, value_text
from phosphene.reporting.restoration_contents import EQUAL_ITERATIONS, EQUAL_TIME, SECTION
from phosphene.reporting.restoration_tables import ACCURACY, DIFFERENCE, difference_of
from phosphene.score import Score

ERRORS = ("RMSE[missing]", "RMSE[whole]")
"""The first of these that is scored decides."""
LABELS = {
    "decoded": "Better than the others",
    "chance": "Level with another",
    "reversed": "Another is better",
    "unknown": "Cannot tell",
    "pending": "Not decided yet",
    "alarm": "Do not trust",
}
ALONE = {
    **LABELS,
    "decoded": "Better than simple methods",
    "chance": "Level with a simple method",
    "reversed": "A simple method is better",
}
"""The same for a run of one system."""
WARNING = (
    "A restored part is drawn as the network learnt such pictures, not recovered: it looks clean "
    "also where it shows something that never was there."
)
WORDS = {
    "better": "beats",
    "worse": "loses to",
    "level": "is level with",
    "unknown": "was compared with",
}


def main_restoration(scores: Sequence[Score], *, fold: str = "") -> Score | None:
    """Return the error of the run's own system that the headline speaks of (rules above)."""
    for name in ERRORS:
        found = _results(scores, name)
        for wanted in (fold,) if fold else (EQUAL_TIME, EQUAL_ITERATIONS):
            some = [s for s in found if s.fold == wanted]
            if some:
                return some[-1]
    return None


def rivals(scores: Sequence[Score], main: Score) -> list[Score]:
    """Return the paired differences of the own system from each other one."""
    return [
        s
        for s in _results(scores, main.name + DIFFERENCE)
        if s.fold == main.fold and s.method.startswith(f"{main.method} - ")
    ]


def write_restoration_headline(contents: Contents) -> Headline:
    """Apply the rules to a run folder."""
    scores = contents.scores
    main = main_restoration(scores)
    alarms = list_alarms(contents, None, None)
    if main is None:
        level, sentence = "pending", _nothing_yet(contents)
        asides: tuple[str, ...] = ()
    else:
        level = verdict_on(main, scores)
        sentence = _sentence(main, scores, trusted=not alarms)
        asides = (
            *_other_budget(main, scores),
            *_baseline_sentence(main, scores),
            *_accuracy_sentence(main, scores),
        )
    return Headline(
        level="alarm" if alarms else level,
        sentence=sentence,
        asides=asides,
        pictures=WARNING,
        alarms=alarms,
        cautions=(*list_doubts(contents), *list_cautions(scores)),
        labels=LABELS if main is None or rivals(scores, main) else ALONE,
    )


def verdict_on(main: Score, scores: Sequence[Score]) -> str:
    """Return "decoded", "reversed", "chance" or "unknown" (rules above)."""
    verdicts = [difference_of(s) for s in rivals(scores, main)]
    if best := best_simple(main, scores):
        verdicts.append(_against_simple(main, best))
    if "worse" in verdicts:
        return "reversed"
    if "unknown" in verdicts or not verdicts:
        return "unknown"
    return "chance" if "level" in verdicts else "decoded"


def best_simple(main: Score, scores: Sequence[Score]) -> Score | None:
    """Return the baseline with the smallest error."""
    found = [s for s in scores if (s.section, s.name, s.role) == (SECTION, main.name, "baseline")]
    return min(found, key=lambda s: s.value, default=None)


def _against_simple(main: Score, best: Score) -> str:
    if main.low is None or main.high is None:
        return "unknown"
    return {"below": "better", "above": "worse"}.get(compare(main, best.value), "level")


def _results(scores: Sequence[Score], name: str) -> list[Score]:
    return [s for s in scores if (s.section, s.name, s.role) == (SECTION, name, "result")]


def _nothing_yet(contents: Contents) -> str:
    if contents.finished:
        return "The run ended without scores of restored pictures."
    return "No restored pictures are scored yet; the systems have to be trained first."


def _sentence(main: Score, scores: Sequence[Score], *, trusted: bool) -> str:
    part = "the missing part" if main.name == ERRORS[0] else "whole pictures"
    text = f"{main.method} restores {part} with an RMSE of {value_text(main.value)}"
    if not trusted:
        text = f"This result cannot stand as it is: {main.method}, RMSE {value_text(main.value)}"
    if interval := range_text(main.low, main.high):
        text += f" ({interval})"
    found = rivals(scores, main)
    if found:
        text += f" and, at {main.fold}, {_against(found)}"
    best = best_simple(main, scores)
    if best and _against_simple(main, best) == "worse":
        text += f"; a simple method, {best.method}, is nearer ({value_text(best.value)})"
    return f"{text}."


def _against(found: Sequence[Score]) -> str:
    """Return "beats A (−0.02) and loses to B (+0.03)"."""
    words = [
        f"{WORDS[difference_of(s)]} {s.method.partition(' - ')[2]} "
        f"({_signed(s.value)}, {_signed(s.low)} to {_signed(s.high)})"
        for s in found
    ]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _signed(value: float | None) -> str:
    return "?" if value is None else f"{value:+.3f}".replace("-", "−")


def _other_budget(main: Score, scores: Sequence[Score]) -> list[str]:
    """Say how the systems compare at equal iterations, where the headline is about equal time."""
    if main.fold != EQUAL_TIME:
        return []
    other = main_restoration(scores, fold=EQUAL_ITERATIONS)
    found = [] if other is None else rivals(scores, other)
    if other is None or not found:
        return []
    return [
        f"At {EQUAL_ITERATIONS} its RMSE is {value_text(other.value)}, and it {_against(found)}."
    ]


def _baseline_sentence(main: Score, scores: Sequence[Score]) -> list[str]:
    best = best_simple(main, scores)
    if best is None:
        return []
    return [
        f"{main.method} lies {compare(main, best.value)} the best simple method ({best.method}: "
        f"{value_text(best.value)}); lower is better."
    ]


def _accuracy_sentence(main: Score, scores: Sequence[Score]) -> list[str]:
    found = {
        (s.role, s.method): s
        for s in scores
        if (s.section, s.name) == (SECTION, ACCURACY) and s.fold in (main.fold, "all")
    }
    own = found.get(("result", main.method))
    if own is None:
        return []
    text = f"A classifier trained on clean pictures reads {own.value:.1%} of the restored ones"
    for key, words in (
        (("baseline", "corrupted picture"), "of the corrupted ones"),
        (("reference", "original picture"), "of the originals"),
    ):
        if key in found:
            text += f", {found[key].value:.1%} {words}"
    return [f"{text} as the right class."]


def restoration_tiles(contents: Contents) -> list[tuple[str, str, str]]:
    """Return (number, what it is, small print) for the first screen."""
    scores = contents.scores
    main = main_restoration(scores)
    if main is None:
        return []
    part = main.name.partition("[")[2].rstrip("]")
    where = "missing part" if part == "missing" else "whole picture"
    found = contents.restorations
    budget = f", {main.fold}" if found and len(found.budgets) > 1 else ""
    tiles = [(value_text(main.value), f"RMSE, {where}", f"{main.method}{budget}")]
    others = [s for s in _results(scores, main.name) if s.fold == main.fold and s is not main]
    if best := min(others, key=lambda s: s.value, default=None):
        tiles.append((value_text(best.value), "the best other system", best.method))
    if simple := best_simple(main, scores):
        tiles.append((value_text(simple.value), "the best simple method", simple.method))
    for score in _results(scores, ACCURACY):
        if (score.method, score.fold) == (main.method, main.fold):
            tiles.append((f"{score.value:.1%}", "read as the right class", "restored pictures"))
    tiles.append((f"{main.n:,}", "test pictures", main.split))
    return tiles


def charted_errors(
    scores: Sequence[Score], *, budgets: Sequence[str] = (EQUAL_ITERATIONS, EQUAL_TIME)
) -> list[tuple[str, list[Score]]]:
    """Return (caption, scores) of the headline charts: the error that decides, each budget."""
    charts = []
    for fold in reversed(budgets):
        main = main_restoration(scores, fold=fold)
        if main is None:
            continue
        rows = [s for s in _results(scores, main.name) if s.fold == fold][::-1]
        rows += [
            s for s in scores if (s.section, s.name, s.role) == (SECTION, main.name, "baseline")
        ]
        where = f"{main.name} at {fold}" if rivals(scores, main) else main.name
        charts.append((f"{where}, lower is better", rows))
    return charts
