import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.recordings import balanced_accuracy_interval, recordings_chart


def test_a_rare_class_counts_as_much_as_a_frequent_one():
    labels = np.array([0] * 90 + [1] * 10)
    value, low, high, luck = balanced_accuracy_interval(labels, np.zeros(100, int))
    assert value == 0.5
    assert low < 0.5 < high
    assert luck == pytest.approx(1.96 * np.sqrt(0.25 / 90 + 0.25 / 10) / 2)


def test_intervals_cover_the_truth():
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    inside = 0
    for _ in range(300):
        decoded = np.where(rng.random(120) < 0.6, labels, (labels + 1) % 3)
        _, low, high, _ = balanced_accuracy_interval(labels, decoded)
        inside += low <= 0.6 <= high
    assert inside > 0.92 * 300


def test_scores_of_recordings_are_drawn_in_natural_order(finished_run):
    chart = recordings_chart(read_contents(finished_run))
    assert [row.label[-1] for row in chart.rows] == list("12345")
    assert chart.metric == "balanced accuracy"


def test_without_scores_the_trials_are_counted(make_run):
    run = make_run(classes=("a", "b"), n_recordings=11, n_trials=440)
    run.write_json("scores.json", [])
    chart = recordings_chart(read_contents(run))
    assert len(chart.rows) == 11
    assert chart.rows[1].label.endswith("_2")
    assert chart.rows[0].detail == "40 trials"


def test_nothing_decoded_gives_no_chart(make_run):
    assert recordings_chart(read_contents(make_run(stage="started"))) is None
