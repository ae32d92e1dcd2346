import numpy as np
import pytest

from phosphene.evaluation.intervals import binomial_interval
from phosphene.evaluation.pictures import class_consistency


def score(judged, expected, **kwargs):
    kwargs = {"target": "decoded", "n_classes": 3, "method": "x", "extractor": "domain"} | kwargs
    return class_consistency(np.array(judged), np.array(expected), **kwargs)


def test_value_chance_and_interval_by_hand():
    found = score([0, 0, 1, 2], [0, 1, 1, 1])
    assert found.value == 2 / 4
    assert found.chance == pytest.approx((2 * 1 + 1 * 3 + 1 * 0) / 16)
    assert (found.low, found.high) == pytest.approx(binomial_interval(2, 4))
    assert found.name == "class consistency (decoded)"


def test_chance_range_is_that_of_permutations():
    rng = np.random.default_rng(0)
    judged, expected = rng.integers(0, 3, (2, 300))
    found = score(judged, expected)
    assert found.inside_chance()
    assert found.chance_low < found.chance < found.chance_high
    assert found.chance_high - found.chance_low == pytest.approx(4 * np.sqrt(2 / 9 / 300), rel=0.15)


def test_one_class_only_has_no_room_above_chance():
    found = score([1] * 10, [1] * 10)
    assert (found.value, found.chance, found.chance_low) == (1, 1, 1)
    assert found.inside_chance()


def test_chance_knows_that_recordings_differ():
    judged = expected = np.repeat([0, 1], 20)
    found = score(judged, expected, target="shown", recordings=judged)
    assert found.chance == 1  # each recording holds one class: no evidence at all


def test_refuses_unknown_target():
    with pytest.raises(ValueError, match="Did you mean 'shown'"):
        score([0], [0], target="show")
