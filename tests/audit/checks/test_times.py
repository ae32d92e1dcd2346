from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.times import (
    check_time_stamps,
    check_trial_index,
    predict_from_previous,
)
from phosphene.audit.finding import CheckNotPossibleError


def made(check, source):
    return check(source, None, np.random.default_rng(0))


def test_a_random_order_tells_nothing(make_source):
    source = make_source(n_trials=50, n_classes=3)
    assert made(check_time_stamps, source) == []
    assert made(check_trial_index, source) == []


def test_pauses_that_differ_are_found(make_source):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(160) % 2)
    waits = 1 + 0.3 * labels + rng.normal(0, 0.05, 160)
    onset = np.concatenate([np.cumsum(waits[rows]) for rows in np.arange(160).reshape(4, 40)])
    source = make_source(labels=labels, n_trials=40, onset=onset)
    (finding,) = made(check_time_stamps, source)
    assert (finding.kind, finding.severity) == ("class_from_time_stamps", "severe")
    assert finding.evidence["onsets: balanced accuracy"] > 0.9
    assert finding.n_trials > 140


@pytest.mark.parametrize("period", [2, 3])
def test_a_repeating_pattern_is_found(make_source, period):
    labels = np.tile(np.arange(30) % period, 4)
    (finding,) = made(check_trial_index, make_source(labels=labels, n_classes=period))
    assert (finding.kind, finding.severity) == ("class_from_trial_index", "severe")
    assert finding.evidence["place: balanced accuracy"] > 0.95


def test_a_class_that_never_follows_itself_is_found(make_source):
    """An oddball: the rare class is never shown twice in a row; the place says nothing."""
    rng = np.random.default_rng(1)
    labels = np.zeros((4, 100), dtype=np.int64)
    for row in labels:
        while row.sum() < 20:
            place = rng.integers(1, 99)
            if not row[place - 1 : place + 2].any():
                row[place] = 1
    (finding,) = made(check_trial_index, make_source(labels=labels.ravel(), n_trials=100))
    assert finding.severity == "warning"
    assert finding.title.startswith("the class of the trial before")
    assert finding.evidence["class before: balanced accuracy"] == pytest.approx(0.625, abs=0.02)


def test_the_class_before_is_counted_without_the_trial_itself():
    labels = np.array([0, 1, 0, 1, 0, 1, 1])
    rng = np.random.default_rng(0)
    found = predict_from_previous(
        labels,
        np.arange(7),
        np.array([0, 0, 0, 0, 0, 0, 1]),
        permute=lambda rng: labels[rng.permutation(7)],
        rng=rng,
    )
    assert found.accuracy == 1  # 0 after 1 twice, 1 after 0 three times
    assert found.n_rows == 5
    assert found.right.tolist() == [1, 2, 3, 4, 5]
    assert found.p_value < 0.15


def test_data_without_times_or_classes_say_so(make_source):
    source = make_source()
    unknown = replace(source, table=source.table.assign(onset=0.0), raw_ranges_known=False)
    for check in (check_time_stamps, check_trial_index):
        with pytest.raises(CheckNotPossibleError, match="trials took place"):
            made(check, unknown)
        with pytest.raises(CheckNotPossibleError, match="one class"):
            made(check, make_source(labels=np.zeros(120)))
        with pytest.raises(CheckNotPossibleError, match="each recording holds one class"):
            made(check, make_source(labels=np.repeat([0, 1, 0, 1], 30)))
