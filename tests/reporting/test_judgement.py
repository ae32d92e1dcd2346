from dataclasses import replace

import pytest

from phosphene.reporting.judgement import (
    NEAREST,
    can_be_read,
    copy_scores,
    copy_sentence,
    judge_cautions,
    judge_scores,
    judge_sentences,
    judge_test,
)
from phosphene.score import Score

DECODED = Score(
    name="class consistency (decoded)",
    value=0.9,
    low=0.8,
    high=0.95,
    n=1000,
    unit="trials",
    chance=0.5,
    chance_low=0.46,
    chance_high=0.54,
    section="pictures",
    method="generated",
    extractor="judge",
    fold="1",
)
SHOWN = replace(DECODED, name="class consistency (shown)", value=0.7)
REAL = replace(SHOWN, role="reference", method="real pictures", value=1.0, low=0.86, n=24)
COPIED = replace(DECODED, name="copied fraction", value=0.5)


def test_judges_of_the_decoded_class_come_first():
    near = replace(DECODED, name=f"{NEAREST} (decoded)")
    scores = [near, SHOWN, DECODED, replace(DECODED, fold="2"), REAL]
    assert judge_scores(scores) == [DECODED, SHOWN]
    assert judge_test(scores) == REAL


@pytest.mark.parametrize(
    ("low", "chance", "expected"),
    [(0.51, 0.5, True), (0.5, 0.5, False), (0.2, 0.5, False), (None, 0.5, False)],
)
def test_a_judge_is_read_when_it_beats_guessing_on_real_pictures(low, chance, expected):
    assert can_be_read(replace(REAL, low=low, chance=chance)) is expected


def test_the_sentence_says_how_the_judge_reads_real_pictures():
    (sentence,) = judge_sentences([DECODED, SHOWN, REAL])
    assert "the decoded class in 90 % of the generated pictures (50 % by coincidence)" in sentence
    assert "the right class in 100 % of 24 real pictures" in sentence
    assert "real pictures" not in judge_sentences([DECODED])[0]
    assert judge_sentences([REAL]) == []


def test_a_judge_that_cannot_read_real_pictures_is_warned_of():
    blind = replace(REAL, value=0.5, low=0.07, n=4)
    near = replace(DECODED, name=f"{NEAREST} (decoded)", value=0.98)
    assert judge_cautions([DECODED, REAL]) == ()
    (caution,) = judge_cautions([DECODED, blind, near])
    assert "of 4 real pictures that it never saw it read 50 % right" in caution
    assert "--unseen-images" in caution
    assert "98 % of the generated pictures lie nearest to a training picture" in caution
    assert "nearest" not in judge_cautions([DECODED, blind])[0]


def test_copies_are_more_than_new_pictures_would_give():
    assert copy_sentence([COPIED]).startswith("No more")
    assert copy_sentence([replace(COPIED, value=0.6)]).startswith("Some pictures are copies")
    assert copy_sentence([DECODED]) == ""
    assert copy_scores([DECODED, COPIED]) == [COPIED]
