import json
from dataclasses import replace

import numpy as np
import pytest

from phosphene.score import Score, scores_from_json, scores_to_json

SCORE = Score(name="AUC", value=0.7, low=0.6, high=0.8, n=6, unit="recordings", chance=0.5)


def test_json_round_trip_keeps_every_field():
    scores = [SCORE, replace(SCORE, role="control", chance_low=0.45, chance_high=0.55)]
    assert scores_from_json(json.loads(json.dumps(scores_to_json(scores)))) == scores


def test_numpy_numbers_become_plain_ones():
    score = replace(SCORE, value=np.float64(0.25))
    assert type(score.value) is float


@pytest.mark.parametrize(("value", "inside"), [(0.5, True), (0.45, True), (0.7, False)])
def test_inside_chance_compares_with_the_range(value, inside):
    score = replace(SCORE, value=value, chance_low=0.45, chance_high=0.55)
    assert score.inside_chance() is inside


def test_without_a_chance_range_nothing_is_claimed():
    assert SCORE.inside_chance() is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": float("nan")}, "must be finite"),
        ({"n": 0}, "at least 1"),
        ({"role": "contrl"}, "Did you mean 'control'"),
        ({"section": "picture"}, "Did you mean 'pictures'"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SCORE, **change)


@pytest.mark.parametrize(
    "change", [{"value": "0.5"}, {"value": None}, {"n": 1.5}, {"low": [0.1]}, {"value": 10**400}]
)
def test_reading_refuses_other_types(change):
    record = scores_to_json([SCORE])[0]
    assert scores_from_json([record]) == [SCORE]
    with pytest.raises(ValueError, match=f"`0.{next(iter(change))}` of scores.json must be"):
        scores_from_json([{**record, **change}])


def test_reading_refuses_fields_of_another_version():
    with pytest.raises(ValueError, match="Did you mean 'value'"):
        scores_from_json([{"name": "AUC", "vlaue": 0.5, "n": 3, "unit": "trials"}])
