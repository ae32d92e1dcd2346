import numpy as np
import pytest

from phosphene.evaluation.units import (
    check_labels,
    check_probabilities,
    group_numbers,
    independent_unit,
    runs_of_labels,
)


def test_numbers_groups_in_sorted_order():
    assert group_numbers("recordings", ["b", "a", "b"], 3).tolist() == [1, 0, 1]
    assert group_numbers("recordings", [10, 9, 10], 3).tolist() == [0, 1, 0]  # as text


def test_refuses_groups_of_another_length():
    with pytest.raises(ValueError, match="each of 3 rows"):
        group_numbers("recordings", ["a", "b"], 3)


@pytest.mark.parametrize(
    ("labels", "n_classes", "message"),
    [
        ([0, 0], 1, "at least 2 classes"),
        ([0, 2], 2, r"0 \.\. 1"),
        ([-1, 0], 2, "number the classes from 0"),
        ([], 2, "no rows"),
        ([0, 2], 4, "class 1, 3 of 4"),
    ],
)
def test_refuses_labels(labels, n_classes, message):
    with pytest.raises(ValueError, match=message):
        check_labels(np.array(labels, dtype=np.int64), n_classes)


def test_missing_class_may_be_allowed():
    check_labels(np.array([0, 2]), 4, complete=False)


@pytest.mark.parametrize(
    ("rows", "message"),
    [([[0.5, 0.6]], "sums of 1.1"), ([[1.5, -0.5]], "minimum of -0.5"), ([[np.nan, 1]], "finite")],
)
def test_refuses_rows_that_are_not_probabilities(rows, message):
    check_probabilities(np.array([[0.2, 0.8], [1, 0]], dtype=np.float32))
    with pytest.raises(ValueError, match=message):
        check_probabilities(np.array(rows))


def test_runs_end_with_the_recording():
    labels = np.array([0, 0, 1, 1, 1, 0])
    runs = runs_of_labels(labels, np.array([0, 0, 0, 1, 1, 1]))
    assert runs.tolist() == [0, 0, 1, 2, 2, 3]


def test_random_order_is_randomised_by_trial():
    labels = np.random.default_rng(0).integers(0, 4, 200)
    unit, reason = independent_unit(labels, recordings=np.arange(200) // 100, blocks=[""] * 200)
    assert unit == "trial"
    assert "alternate" in reason


def test_strict_alternation_is_randomised_by_trial():
    assert independent_unit(np.arange(100) % 2, recordings=[0] * 100)[0] == "trial"


def test_blocks_in_random_order_are_still_trials_when_classes_mix_inside():
    labels = np.random.default_rng(1).integers(0, 2, 100)
    assert independent_unit(labels, recordings=[0] * 100, blocks=np.arange(100) // 10)[0] == "trial"


def test_one_class_per_block_is_blocked():
    labels = np.repeat([0, 1, 2, 0, 1, 2], 3)
    unit, reason = independent_unit(labels, recordings=[0] * 18, blocks=np.repeat(range(6), 3))
    assert (unit, reason) == ("block", "each of the 6 blocks shows one class only.")


def test_one_class_per_recording_is_blocked():
    unit, reason = independent_unit(np.repeat([0, 1], 5), recordings=np.repeat(["a", "b"], 5))
    assert unit == "block"
    assert "2 recordings" in reason


def test_long_runs_are_blocked_without_a_block_column():
    labels = np.repeat([0, 1, 2, 1, 0, 2, 1, 2, 0, 1], 20)
    unit, reason = independent_unit(labels, recordings=[0] * 200)
    assert unit == "block"
    assert "10 runs" in reason


def test_a_block_per_trial_says_nothing():
    labels = np.random.default_rng(2).integers(0, 2, 100)
    assert independent_unit(labels, recordings=[0] * 100, blocks=range(100))[0] == "trial"


def test_random_orders_are_rarely_taken_for_blocked():
    rng = np.random.default_rng(3)
    found = [
        independent_unit(rng.integers(0, 2, 60), recordings=np.arange(60) // 20)[0]
        for _ in range(300)
    ]
    assert found.count("block") == 0
