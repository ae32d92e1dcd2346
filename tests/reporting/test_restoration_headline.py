from dataclasses import replace

import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.restoration_headline import (
    WARNING,
    charted_errors,
    main_restoration,
    restoration_tiles,
    verdict_on,
    write_restoration_headline,
)
from phosphene.score import Score

OWN = Score(
    name="RMSE[missing]",
    value=0.2,
    low=0.19,
    high=0.21,
    n=1000,
    unit="pictures",
    section="restoration",
    method="ours",
    fold="equal time",
    higher_is_better=False,
)
SIMPLE = replace(OWN, value=0.3, method="mean picture", role="baseline", fold="all")


def gap(other, value, *, fold="equal time", name="RMSE[missing] difference", wide=0.01):
    ends = (
        {"low": None, "high": None} if wide is None else {"low": value - wide, "high": value + wide}
    )
    return replace(OWN, name=name, method=f"ours - {other}", value=value, fold=fold, **ends)


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([-0.05, -0.02], "decoded"),
        ([-0.05, 0.005], "chance"),
        ([-0.05, 0.02], "reversed"),
        ([0.005, 0.02], "reversed"),
    ],
)
def test_every_other_system_counts(gaps, expected):
    found = [gap(f"system {number}", value) for number, value in enumerate(gaps)]
    assert verdict_on(OWN, [OWN, *found]) == expected


def test_differences_without_intervals_decide_nothing():
    assert verdict_on(OWN, [OWN, gap("a", -0.1, wide=None)]) == "unknown"
    assert verdict_on(OWN, [OWN, gap("a", -0.1, wide=None), gap("b", 0.1)]) == "reversed"


@pytest.mark.parametrize(
    ("value", "expected"), [(0.3, "decoded"), (0.205, "chance"), (0.1, "reversed")]
)
def test_the_best_simple_method_counts_like_a_system(value, expected):
    worse = replace(SIMPLE, value=0.5, method="corrupted picture")
    simple = [worse, replace(SIMPLE, value=value)]
    assert verdict_on(OWN, [OWN, *simple]) == expected
    assert verdict_on(OWN, [OWN, *simple, gap("other", -0.05)]) == expected
    assert verdict_on(OWN, [OWN]) == "unknown"
    blurred = replace(OWN, low=None, high=None)
    assert verdict_on(blurred, [blurred, *simple]) == "unknown"


def test_the_missing_part_at_equal_time_decides_and_else_what_there_is():
    early = replace(OWN, fold="equal iterations")
    whole = replace(OWN, name="RMSE[whole]")
    other = replace(OWN, method="other")
    assert main_restoration([other, early, whole, OWN]) is OWN
    assert main_restoration([early, whole]) is early
    assert main_restoration([whole, SIMPLE]) is whole
    assert main_restoration([early, OWN], fold="equal iterations") is early
    assert main_restoration([SIMPLE]) is None


def test_differences_at_another_budget_do_not_decide():
    found = [OWN, gap("a", -0.05), gap("a", 0.05, fold="equal iterations")]
    assert verdict_on(OWN, found) == "decoded"


def test_the_first_screen_tells_both_budgets_the_baseline_and_the_classifier(make_restoration_run):
    contents = read_contents(make_restoration_run())
    headline = write_restoration_headline(contents)
    assert headline.label == "Better than the others"
    assert headline.sentence == (
        "CNN-LSTM restores the missing part with an RMSE of 0.200 (0.190 to 0.210) and, at equal "
        "time, beats CNN-CNN with bottleneck (−0.080, −0.090 to −0.070)."
    )
    assert headline.pictures == WARNING
    text = " ".join(headline.asides)
    assert "At equal iterations its RMSE is 0.200, and it beats CNN-CNN with bottleneck" in text
    assert "lies below the best simple method (corrupted picture: 0.400)" in text
    assert "reads 90.0% of the restored ones, 30.0% of the corrupted ones, 97.0%" in text
    tiles = restoration_tiles(contents)
    assert [tile[0] for tile in tiles] == ["0.200", "0.280", "0.400", "90.0%", "40"]
    (caption, rows), (later, _) = charted_errors(contents.scores)
    assert "at equal time" in caption
    assert "at equal iterations" in later
    assert [row.method for row in rows][:2] == ["CNN-LSTM", "CNN-CNN with bottleneck"]


def test_a_worse_system_is_said_to_be_worse(make_restoration_run):
    headline = write_restoration_headline(read_contents(make_restoration_run(gain=0.1)))
    assert headline.label == "Another is better"
    assert "loses to CNN-CNN with bottleneck (+0.080" in headline.sentence


def test_a_simple_method_that_is_better_is_named_first(make_restoration_run):
    contents = read_contents(make_restoration_run())
    better = replace(SIMPLE, value=0.1, method="nearest training picture")
    headline = write_restoration_headline(replace(contents, scores=(*contents.scores, better)))
    assert headline.label == "Another is better"
    assert "a simple method, nearest training picture, is nearer (0.100)." in headline.sentence


def test_one_system_alone_is_not_said_to_beat_others(make_restoration_run):
    contents = read_contents(make_restoration_run())
    alone = tuple(s for s in contents.scores if not s.method.startswith(("CNN-CNN", "CNN-LSTM -")))
    headline = write_restoration_headline(replace(contents, scores=alone))
    assert headline.label == "Better than simple methods"
    assert headline.sentence.endswith("RMSE of 0.200 (0.190 to 0.210).")
    assert charted_errors(alone)[0][0] == "RMSE[missing], lower is better"


def test_without_equal_time_equal_iterations_decide(make_restoration_run):
    contents = read_contents(make_restoration_run(equal_time=False))
    headline = write_restoration_headline(contents)
    assert "at equal iterations, beats" in headline.sentence
    assert not any("At equal iterations" in aside for aside in headline.asides)


def test_before_there_are_scores_nothing_is_decided(make_restoration_run):
    contents = read_contents(make_restoration_run(finished=False))
    headline = write_restoration_headline(contents)
    assert headline.label == "Not decided yet"
    assert restoration_tiles(contents) == []
    assert charted_errors(contents.scores) == []


def test_a_leak_is_an_alarm(make_restoration_run):
    contents = read_contents(make_restoration_run())
    leaky = replace(contents, split={**contents.split, "leak_reason": "to try"})
    headline = write_restoration_headline(leaky)
    assert headline.label == "Do not trust"
    assert headline.sentence.startswith("This result cannot stand as it is")
