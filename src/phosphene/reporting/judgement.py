"""What the first screen says of generated pictures, from rules that are written here.

The judge of pictures is an instrument that has to be tested first: on real pictures that it never
saw. It can be read when the interval of its accuracy there lies above what guessing gives; else the
first screen warns of it, and says of which class the nearest training picture is instead. That
holds for copies too, so it tells whether the generator does as it is told, and nothing of its art.

Generated pictures are copies when the copied fraction lies above its range under chance, which is
what new real pictures would give.
"""

from collections.abc import Sequence

from phosphene.reporting.contents import Contents
from phosphene.reporting.number_text import percent_text
from phosphene.score import Score

JUDGED = "class consistency"
NEAREST = "nearest picture's class"
PAIRED_WORDS = ("paired", "own picture")


def judge_scores(scores: Sequence[Score]) -> list[Score]:
    """Return the class consistencies of the first fold with pictures, the decoded class first."""
    found = _of_pictures(scores, JUDGED, role="result")
    found = [s for s in found if s.fold == found[0].fold]
    return sorted(found, key=lambda s: "shown" in s.name.lower())


def _of_pictures(scores: Sequence[Score], name: str, *, role: str) -> list[Score]:
    return [s for s in scores if s.section == "pictures" and s.role == role and name in s.name]


def judge_test(scores: Sequence[Score]) -> Score | None:
    """Return how the judge reads real pictures that it never saw."""
    judged = judge_scores(scores)
    return next(
        (
            s
            for s in _of_pictures(scores, JUDGED, role="reference")
            if judged and s.fold == judged[0].fold
        ),
        None,
    )


def can_be_read(test: Score) -> bool:
    """Say whether a judge tells the classes of real pictures apart (rules above)."""
    return test.low is not None and test.chance is not None and test.low > test.chance


def judge_sentences(scores: Sequence[Score]) -> list[str]:
    """Say what the judge sees in generated pictures, and how well it reads real ones."""
    found = judge_scores(scores)
    if not found:
        return []
    chance = found[0].chance
    luck = "" if chance is None else f" ({percent_text(chance)} by coincidence)"
    sentence = (
        "A judge trained on pictures that the generator never saw recognises the decoded class in "
        f"{percent_text(found[0].value)} of the generated pictures{luck}"
    )
    if test := judge_test(scores):
        sentence += (
            f", and the right class in {percent_text(test.value)} of {test.n:,} real pictures that "
            "it never saw"
        )
    return [f"{sentence}; that speaks of the generator, not of the signal."]


def judge_cautions(scores: Sequence[Score]) -> tuple[str, ...]:
    """Warn of a judge that was not shown to tell the classes of real pictures apart."""
    test = judge_test(scores)
    if test is None or can_be_read(test):
        return ()
    caution = (
        f"The judge of pictures is not to be relied on: of {test.n:,} real pictures that it never "
        f"saw it read {percent_text(test.value)} right, which is not surely more than guessing. "
        "Import more pictures of the classes for it with --unseen-images."
    )
    for score in _of_pictures(scores, NEAREST, role="result"):
        if score.fold == test.fold:
            caution += (
                f" {percent_text(score.value)} of the generated pictures lie nearest to a training "
                "picture of the decoded class."
            )
    return (caution,)


def picture_statement(contents: Contents) -> str:
    """Say what generated pictures may be taken to show."""
    if not contents.draws_pictures:
        return "This run reads classes from signals; it draws no pictures."
    on_pairs = [
        s.name
        for s in contents.scores
        if s.section == "pictures" and any(word in s.name.lower() for word in PAIRED_WORDS)
    ]
    if contents.pairing == "paired" and on_pairs:
        return (
            "Each trial's own picture is known: how far a generated picture resembles it, and not "
            f"just its class, is what {', '.join(dict.fromkeys(on_pairs))} measures."
        )
    statement = "Pictures show the decoded class, not the picture that was seen."
    if contents.pairing == "paired":
        return f"{statement} Each trial's own picture is known, but no score compares with it."
    if contents.pairing == "class-only":
        return f"{statement} Which picture each trial showed is not part of the data."
    return statement


def copy_scores(scores: Sequence[Score]) -> list[Score]:
    """Return the scores that tell copies from new pictures, metric by metric."""
    found = [
        s
        for s in scores
        if s.section == "pictures"
        and s.role in ("result", "reference")
        and any(word in s.name.lower() for word in ("copied", "copies", "nearest training"))
    ]
    return sorted(found, key=lambda s: s.name)


def copy_sentence(scores: Sequence[Score]) -> str:
    """Say whether generated pictures are copies (rules above), "" where nothing tells."""
    for score in copy_scores(scores):
        if score.role == "result" and "cop" in score.name.lower() and score.chance_high is not None:
            if score.value > score.chance_high:
                return "Some pictures are copies of training pictures, more than by coincidence."
            return "No more pictures resemble a training picture than new real ones would."
    return ""
