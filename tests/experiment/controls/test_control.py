import pytest

from phosphene.evaluation.verdict import Measured
from phosphene.experiment.controls.control import (
    CHANCE,
    OPEN,
    Control,
    Found,
    chance_words,
    control_to_json,
)
from phosphene.score import Score


def score(value, *, low=0.4, high=0.6):
    return Score(
        name="balanced accuracy", value=value, n=6, unit="recordings", chance_low=low,
        chance_high=high,
    )  # fmt: skip


def control(expected=CHANCE):
    return Control(
        key="any", title="Any", what="Nothing.", decoder="none", expected=expected,
        report=lambda material, made: Found(scores=[]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "words", "passed"),
    [(0.7, "above chance", False), (0.5, "at chance", True), (0.3, "below chance", True)],
)
def test_a_control_that_must_fail_passes_unless_it_is_above_chance(value, words, passed):
    assert chance_words(score(value)) == words
    record = control_to_json(control(), Found(scores=[score(value)]), seconds=1.0)
    assert (record["outcome"], record["passed"]) == (words, passed)
    free = control_to_json(control(OPEN), Found(scores=[score(value)]), seconds=1.0)
    assert (free["outcome"], free["passed"]) == (words, None)


def test_data_may_change_what_is_expected():
    found = Found(scores=[score(0.7)], expected=OPEN)
    record = control_to_json(control(), found, seconds=1.0)
    assert (record["expected"], record["passed"]) == (OPEN, None)


def test_without_a_range_there_is_no_outcome():
    found = Found(
        scores=[score(0.7, low=None, high=None)],
        measured=Measured(name="any", value=0.7, chance=0.5, p_value=0.01),
    )
    record = control_to_json(control(), found, seconds=1.0)
    assert (record["outcome"], record["passed"], record["p_value"]) == ("", None, 0.01)


def test_refuses_what_cannot_be_expected():
    with pytest.raises(ValueError, match="expected"):
        control("success")
