import pytest

from phosphene.reporting.number_text import (
    count_text,
    percent_text,
    range_text,
    signal_scale,
    squared_unit,
    value_text,
)
from phosphene.score import Score


@pytest.mark.parametrize(
    ("value", "text"), [(0.8934, "0.893"), (-0.5, "−0.500"), (23.44, "23.4"), (6250.0, "6,250")]
)
def test_large_numbers_lose_decimals(value, text):
    assert value_text(value) == text


def test_a_range_with_an_unknown_end_is_not_written():
    assert range_text(0.1, 0.25) == "0.100 to 0.250"
    assert range_text(None, 0.25) == ""


def test_almost_all_is_not_written_as_all():
    assert percent_text(0.999) == "99 %"
    assert percent_text(1.0) == "100 %"
    assert percent_text(0.944) == "94 %"


def test_counts_name_their_unit():
    assert count_text(Score(name="AUC", value=0.5, n=2000, unit="trials")) == "2,000 trials"


@pytest.mark.parametrize(
    ("unit", "scale", "squared"),
    [("V", (1e6, "µV"), "µV²"), (None, (1e6, "µV"), "µV²"), ("a.u.", (1.0, "a.u."), "(a.u.)²")],
)
def test_volts_are_drawn_as_microvolts_and_other_units_as_they_are(unit, scale, squared):
    assert signal_scale(unit) == scale
    assert squared_unit(scale[1]) == squared
