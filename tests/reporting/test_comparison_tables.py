import pytest

from phosphene.reporting.comparison_systems import Measure, Measured
from phosphene.reporting.comparison_tables import (
    Cell,
    cost_cell,
    cost_text,
    reference_cell,
    score_cell,
)


def _measure(*values, chance=(None, None)):
    low, high = chance
    luck = {"chance_low": low, "chance_high": high}
    each = [
        Measured(run=f"r{i}", seed=i, value=v, low=v - 0.1, high=v + 0.1, **luck)
        for i, v in enumerate(values)
    ]
    return Measure(each=tuple(each))


def test_a_score_stands_above_its_interval_and_chance():
    cell = score_cell(_measure(0.7, chance=(0.4, 0.6)))
    assert (cell.text, cell.small) == ("0.700", ("0.600 to 0.800", "chance 0.400 to 0.600"))
    assert cell.plain["value"] == 0.7
    assert cell.plain["each"][0]["run"] == "r0"


def test_seeds_stand_as_range_or_one_by_one():
    assert score_cell(_measure(0.6, 0.8)).small == ("0.600 to 0.800",)
    assert score_cell(_measure(0.6, 0.8), each_seed=True).small == ("0.600, 0.800",)


def test_a_reference_has_no_chance():
    assert reference_cell(_measure(0.7, chance=(0.4, 0.6))).small == ("0.600 to 0.800",)


@pytest.mark.parametrize("make", [score_cell, reference_cell, cost_cell])
def test_what_is_unknown_stays_empty(make):
    assert make(None) == Cell()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567.0, "1,234,567"), (2.0, "2"), (471.4, "471"), (81.27, "81.3"), (0.0123, "0.0123")],
)
def test_costs_are_written_short(value, text):
    assert cost_text(value) == text


def test_costs_of_seeds_that_agree_are_written_once():
    assert cost_cell(_measure(2.0, 2.0)).small == ()
    assert cost_cell(_measure(30.0, 32.0)).small == ("30 to 32",)
