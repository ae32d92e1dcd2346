from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.finding import CheckNotPossibleError
from phosphene.audit.nuisances import level, whole_window
from phosphene.audit.prediction import Prediction
from phosphene.audit.question import (
    MAX_TRIALS,
    N_TESTS,
    corrected,
    finding_of,
    predict_from_stretches,
    predict_from_table,
    severity_of,
    worst_of,
)
from phosphene.audit.randomisation import randomisation_of


def prediction(accuracy, p_value, *, n_classes=2):
    right = np.arange(30)
    return Prediction(accuracy, 1 / n_classes, p_value, 2999, 40, right, n_classes)


@pytest.mark.parametrize(
    ("accuracy", "p_value", "n_classes", "expected"),
    [
        (0.9, 0.0003, 2, "severe"),
        (0.59, 0.0003, 2, "warning"),  # sure, but not large
        (0.9, 0.002, 2, "warning"),  # large, but not sure of eleven
        (0.9, 0.01, 2, None),
        (0.52, 0.0003, 2, None),  # does not matter
        (0.27, 0.0003, 10, "warning"),
        (0.29, 0.0003, 10, "severe"),
    ],
)
def test_severe_is_large_and_sure(accuracy, p_value, n_classes, expected):
    assert severity_of(prediction(accuracy, p_value, n_classes=n_classes)) == expected


def test_nothing_asked_is_nothing_found():
    assert severity_of(None) is None
    assert severity_of(prediction(0.7, 0.0003), large=0.5) == "warning"


def test_p_values_are_corrected_for_every_question():
    assert corrected(prediction(0.9, 0.001)) == pytest.approx(0.001 * N_TESTS)
    assert corrected(prediction(0.5, 0.9)) == 1


def test_the_worst_is_the_severest_then_the_largest():
    found = {"a": prediction(0.95, 0.5), "b": prediction(0.7, 0.0003), "c": prediction(0.65, 1e-4)}
    assert worst_of(found) == ("severe", "b")


def test_a_finding_carries_the_numbers():
    found = {"the window": prediction(0.9, 0.0003), "early": prediction(0.6, 0.2)}
    made = finding_of("class_from_mains", "severe", "t", found, effect="e", remedy="r")
    assert made.evidence["the window: balanced accuracy"] == 0.9
    assert made.evidence["early: p, corrected"] == 1
    assert made.evidence["chance"] == 0.5
    assert made.n_trials == 30
    assert made.trials == tuple(range(20))


def test_samples_that_are_not_finite_are_left_out(make_source):
    source = make_source()
    epochs = source.epochs_with_margin.copy()
    epochs[5] = np.nan
    source = replace(source, epochs_with_margin=epochs)
    rng = np.random.default_rng(0)
    found = predict_from_stretches(source, None, [whole_window(source), None], level, rng)
    assert list(found) == ["the window"]
    assert found["the window"].n_rows == len(source) - 1
    assert predict_from_stretches(source, None, [None], level, rng) == {}
    epochs[:] = np.nan
    with pytest.raises(CheckNotPossibleError, match="finite"):
        predict_from_stretches(source, None, [whole_window(source)], level, rng)


def test_many_trials_are_drawn_from(make_source):
    source = make_source(n_recordings=2, n_trials=1505, n_times=4, margin=0, n_chans=1, step=4)
    rng = np.random.default_rng(0)
    features = source.labels[:, None] + rng.normal(size=(len(source), 1))
    found = predict_from_table(source, None, features, randomisation_of(source), rng)
    assert found.n_rows == MAX_TRIALS < len(source)
    assert found.accuracy > 0.6


def test_one_class_answers_no_question(make_source):
    source = make_source(labels=np.zeros(120))
    with pytest.raises(CheckNotPossibleError, match="one class"):
        predict_from_stretches(
            source, None, [whole_window(source)], level, np.random.default_rng(0)
        )
