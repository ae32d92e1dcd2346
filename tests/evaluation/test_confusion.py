import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from phosphene.evaluation.confusion import (
    confusion_matrix,
    count_pairs,
    expected_recall,
    mean_recall,
    recall_interval,
)
from phosphene.evaluation.intervals import binomial_interval


def test_rows_are_shown_and_columns_decoded():
    found = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), n_classes=3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    labels, decoded = rng.integers(0, 5, (2, 300))
    table = confusion_matrix(labels, decoded, n_classes=5)
    assert (table == sklearn_confusion_matrix(labels, decoded)).all()
    assert mean_recall(table) == pytest.approx(balanced_accuracy_score(labels, decoded))


def test_many_permutations_at_once_give_what_each_gives_alone():
    rng = np.random.default_rng(0)
    labels, decoded = rng.integers(0, 9, (30, 12)), rng.integers(0, 9, 12)
    tables = count_pairs(labels, decoded, n_classes=9)
    for row, table, recall in zip(labels, tables, mean_recall(tables), strict=True):
        np.testing.assert_array_equal(table, confusion_matrix(row, decoded, n_classes=9))
        assert recall == mean_recall(table)


def test_refuses_class_out_of_range():
    with pytest.raises(ValueError, match=r"0 \.\. 2"):
        confusion_matrix(np.array([0, 1]), np.array([0, 3]), n_classes=3)


def test_expected_recall_is_one_over_classes_when_recordings_are_balanced():
    rng = np.random.default_rng(0)
    labels, decoded = np.tile(np.arange(4), 25), rng.integers(0, 4, 100)
    tables = np.stack([confusion_matrix(labels, decoded, n_classes=4)] * 2)
    assert expected_recall(tables) == pytest.approx(0.25)


def test_expected_recall_sees_that_recordings_differ_in_classes():
    # recording 0 is mostly class 0 and decoded as 0, recording 1 the other way round: no decoding,
    # yet 0.8 * 0.8 + 0.2 * 0.2 hits... of class 0: (8 * 10 + 2 * 0) / 10 of 10 trials = 0.8
    tables = np.array([[[8, 0], [2, 0]], [[0, 2], [0, 8]]])
    assert expected_recall(tables) == pytest.approx(0.8)


def test_interval_is_binomial_when_classes_are_equally_frequent():
    table = np.array([[7, 3], [1, 9]])
    assert recall_interval(table) == pytest.approx(binomial_interval(16, 20))


def test_interval_is_wider_when_a_class_is_rare():
    low, high = recall_interval(np.array([[90, 0], [5, 5]]))
    balanced_low, balanced_high = recall_interval(np.array([[50, 0], [25, 25]]))
    assert high - low > balanced_high - balanced_low
