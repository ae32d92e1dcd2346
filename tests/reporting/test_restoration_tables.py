from dataclasses import replace

import pytest

from phosphene.reporting.restoration_contents import TrainedSystem
from phosphene.reporting.restoration_tables import (
    ACCURACY,
    clock,
    difference_of,
    differences,
    required_times,
    restoration_table,
    time_sentences,
    tuning_table,
)
from phosphene.score import Score

ERROR = Score(
    name="RMSE[missing]",
    value=0.25,
    low=0.24,
    high=0.26,
    n=1000,
    unit="pictures",
    section="restoration",
    method="CNN-LSTM",
    fold="equal time",
    higher_is_better=False,
)
OTHER = replace(ERROR, value=0.2, method="CNN-CNN with bottleneck")
HITS = replace(ERROR, name=ACCURACY, value=0.9, higher_is_better=True)
FILTER = replace(ERROR, value=0.4, method="total variation", role="baseline", fold="all", n=50)
MEAN = replace(FILTER, value=0.3, method="mean picture", n=1000)
ORIGINAL = replace(HITS, value=0.98, method="original picture", role="reference", fold="all")


def system(name, *, seconds=None, rate=0.001, **tuning):
    return TrainedSystem(
        name=name,
        slug=name.lower(),
        iterations=4000,
        iterations_equal_time=8000,
        seconds_per_iteration=seconds,
        n_parameters=1234,
        learning_rate=rate,
        tuning=tuning,
    )


def test_rows_are_systems_at_each_budget_then_what_stands_beside():
    again = [replace(s, fold="equal iterations") for s in (ERROR, OTHER)]
    table = restoration_table([ERROR, OTHER, HITS, ORIGINAL, FILTER, MEAN, *again])
    assert table.metrics == (("RMSE", "missing"), ("accuracy", "of the classifier"))
    assert table.count == "1,000 pictures"
    assert [(g.title, [line.method for line in g.lines]) for g in table.groups] == [
        ("at equal iterations", ["CNN-LSTM", "CNN-CNN with bottleneck"]),
        ("at equal time", ["CNN-LSTM", "CNN-CNN with bottleneck"]),
        ("beside them", ["mean picture", "total variation", "original picture"]),
    ]
    first, second = table.groups[1].lines
    assert (first.cells[0].value, first.cells[0].interval) == ("0.250", "0.240 to 0.260")
    assert [line.cells[0].best for line in (first, second)] == [False, True]  # lower is better
    assert (first.cells[1].value, second.cells[1].value) == ("0.900", "")
    best = [[cell.best for cell in line.cells] for line in table.groups[2].lines]
    assert best == [[True, False], [False, False], [False, False]]
    assert [line.count for line in table.groups[2].lines] == ["", "50 pictures", ""]


def test_of_equals_none_is_best():
    table = restoration_table([ERROR, replace(ERROR, method="other")])
    assert [line.cells[0].best for line in table.groups[0].lines] == [False, False]


def test_without_scores_there_is_no_table():
    decoding = Score(name="RMSE[missing]", value=0.5, n=3, unit="trials")
    assert restoration_table([]) is None
    assert restoration_table([decoding]) is None


@pytest.mark.parametrize(
    ("low", "high", "higher", "expected"),
    [
        (-0.3, -0.1, False, "better"),
        (0.1, 0.3, False, "worse"),
        (-0.1, 0.1, False, "level"),
        (0.1, 0.3, True, "better"),
        (-0.3, -0.1, True, "worse"),
        (None, None, False, "unknown"),
    ],
)
def test_an_interval_without_zero_decides(low, high, higher, expected):
    assert difference_of(replace(ERROR, low=low, high=high, higher_is_better=higher)) == expected


def test_differences_name_both_systems():
    gap = replace(
        ERROR,
        name="RMSE[missing] difference",
        method="CNN-LSTM - CNN-CNN with bottleneck",
        value=0.05,
        low=0.04,
        high=0.06,
    )
    hits = replace(gap, name=f"{ACCURACY} difference", higher_is_better=True)
    first, second = differences([hits, ERROR, gap])
    assert (first.first, first.second) == ("CNN-LSTM", "CNN-CNN with bottleneck")
    assert (first.metric, first.fold) == ("RMSE[missing]", "equal time")
    assert (first.value, first.interval) == ("+0.0500", "+0.0400 to +0.0600")
    assert (first.verdict, second.verdict) == ("worse", "better")
    table = restoration_table([ERROR, gap])
    assert [len(group.lines) for group in table.groups] == [1]


def test_required_times_stand_beside_those_of_the_paper():
    systems = [
        system("CNN-CNN without bottleneck", seconds=0.02),
        system("CNN-LSTM", seconds=0.05),
        system("ours", seconds=0.04),
        system("later"),
    ]
    first, second, third, last = required_times(systems, batch=100)
    assert (first.required, first.paper) == ("2:46:40", "4:19:52")
    assert (second.required, second.paper) == ("6:56:40", "6:58:24")
    assert (first.ratio, second.ratio, third.ratio) == ("1.00", "2.50", "2.00")
    assert (first.paper_ratio, second.paper_ratio, third.paper) == ("1.00", "1.61", "")
    assert (first.per_iteration, first.pictures_per_s) == ("20.0 ms", "5,000")
    assert (last.per_iteration, last.required, last.ratio) == ("", "", "")
    assert (first.iterations, first.equal_time) == ("4,000", "8,000")
    (sentence,) = time_sentences(systems)
    assert "CNN-LSTM takes 2.50 times as long as one of CNN-CNN without bottleneck" in sentence
    assert "in the paper 1.6 times" in sentence
    assert time_sentences(systems[:1]) == []


def test_without_the_papers_baseline_ratios_are_to_the_first():
    lines = required_times([system("A", seconds=0.1), system("B", seconds=0.2)])
    assert [(line.ratio, line.pictures_per_s) for line in lines] == [("1.00", ""), ("2.00", "")]
    assert [line.ratio for line in required_times([system("A")])] == [""]


@pytest.mark.parametrize(("seconds", "text"), [(15_592, "4:19:52"), (59.6, "0:01:00")])
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_trials_stand_by_rising_rate_with_the_chosen_one_marked():
    trials = {"losses": {"0.003": [0.25, 0.27], "0.0003": [0.3, None], "0.001": [0.2, 0.2]}}
    table = tuning_table([system("A", steps=400, runs=2, n_validation=2000, **trials), system("B")])
    assert table.rates == ("0.0003", "0.001", "0.003")
    (name, cells), (_, none) = table.lines
    assert name == "A"
    assert cells == (
        ("diverged", False),
        ("0.2000 (0.2000 to 0.2000)", True),
        ("0.2600 (0.2500 to 0.2700)", False),
    )
    assert {text for text, _ in none} == {""}
    assert (table.steps, table.runs, table.n_validation) == (400, 2, 2000)
    assert tuning_table([system("A")]) is None
    assert tuning_table([system("A", losses={"x": [1.0], "-1": [2.0]})]) is None
