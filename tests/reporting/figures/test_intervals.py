from dataclasses import replace

import pytest

from phosphene.reporting.figures.intervals import (
    Axis,
    axis_for,
    is_share,
    nice_step,
    score_axis,
    score_chart,
    score_row,
)
from phosphene.score import Score

SCORE = Score(
    name="AUC",
    value=0.7,
    low=0.65,
    high=0.75,
    n=9,
    unit="trials",
    chance=0.5,
    chance_low=0.45,
    chance_high=0.55,
    method="ours",
)


def test_values_are_laid_out_in_percent_and_clipped():
    axis = Axis(low=0.0, high=2.0)
    assert axis.at(0.5) == 25
    assert axis.at(9.0) == 100
    span = axis.span(0.5, 1.5)
    assert (span.left, span.width) == (25, 50)
    assert axis.span(None, 1.0) is None


@pytest.mark.parametrize(
    ("step", "nice"), [(0.11, 0.2), (0.2, 0.2), (0.21, 0.25), (3.0, 5.0), (60.0, 100.0)]
)
def test_steps_are_round(step, nice):
    assert nice_step(step) == pytest.approx(nice)


def test_ticks_say_what_they_stand_for():
    ticks = Axis(low=0.0, high=1.25).ticks()
    assert [text for _, text in ticks] == ["0.00", "0.25", "0.50", "0.75", "1.00", "1.25"]
    assert [text for _, text in Axis(low=0.0, high=12.5).ticks()][1] == "2.5"


def test_ticks_are_round_and_inside():
    ticks = Axis(low=0.43, high=0.78).ticks()
    assert [text for _, text in ticks] == ["0.5", "0.6", "0.7"]
    assert all(0 <= at <= 100 for at, _ in ticks)


def test_shares_stay_between_zero_and_one():
    assert is_share(SCORE)
    assert not is_share(replace(SCORE, name="IS[domain]"))
    assert axis_for([0.1, 0.95], unit_interval=True) == Axis(low=0.0, high=1.0)
    assert axis_for([5.0, 5.0], unit_interval=False).low < 5
    assert score_axis([SCORE]).low == pytest.approx(0.45 - 0.06 * 0.3)


def test_a_row_shows_interval_and_chance():
    row = score_row(SCORE, axis=Axis(low=0.0, high=1.0))
    assert (row.label, row.detail, row.dot, row.chance) == ("ours", "", 70, 50)
    assert row.whisker.left == 65
    assert row.band.width == 10
    assert row.interval == "0.650 to 0.750"
    bare = score_row(Score(name="AUC", value=0.7, n=1, unit="x"), axis=Axis(low=0.0, high=1.0))
    assert bare.whisker is bare.band is bare.chance is None


def test_alarming_scores_stand_out():
    control = replace(SCORE, role="control")
    chart = score_chart([SCORE, control], ceiling=replace(SCORE, value=0.9), alarming=[control])
    assert [row.alarm for row in chart.rows] == [False, True]
    assert chart.ceiling_text == "0.900"
    assert score_chart([]) is None
