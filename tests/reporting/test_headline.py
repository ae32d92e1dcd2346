from dataclasses import replace

import pytest

from phosphene.reporting.contents import Contents
from phosphene.reporting.headline import (
    alarming_controls,
    best_baseline,
    ceiling_score,
    compare,
    main_score,
    must_fail,
    outside_controls,
    verdict,
    write_headline,
)
from phosphene.score import Score

MAIN = Score(
    name="balanced accuracy",
    value=0.6,
    low=0.57,
    high=0.63,
    n=1000,
    unit="trials",
    chance=0.5,
    chance_low=0.46,
    chance_high=0.54,
    method="ours",
)
CONTROL = replace(MAIN, value=0.51, role="control", method="permuted labels")


def contents(*scores, **fields):
    empty = {
        "name": "run",
        "config": {},
        "environment": {},
        "split": {},
        "state": {"finished": True},
        "dataset": {},
        "scores": scores,
        "log": (),
        "folds": (),
        "evoked": None,
        "spectrum": None,
        "classes": ("a", "b"),
    }
    return Contents(**{**empty, **fields})


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.55, 0.7, "decoded"),
        (0.54, 0.7, "chance"),  # touching is not above
        (0.48, 0.52, "chance"),
        (0.3, 0.45, "reversed"),
        (None, 0.7, "unknown"),
    ],
)
def test_verdict_compares_the_interval_with_the_chance_range(low, high, expected):
    assert verdict(replace(MAIN, low=low, high=high)) == expected


def test_verdict_turns_around_where_lower_is_better():
    score = replace(MAIN, low=0.3, high=0.4, higher_is_better=False)
    assert verdict(score) == "decoded"


def test_main_score_is_balanced_accuracy_over_all_folds():
    auc = replace(MAIN, name="AUC")
    fold = replace(MAIN, fold="1")
    assert main_score([auc, CONTROL, fold, MAIN]) is MAIN
    assert main_score([auc, fold]) is auc
    assert main_score([CONTROL]) is None


def test_ceiling_comes_from_the_scores_or_from_the_data_set():
    dataset = {"ceiling": {"accuracy": 0.93, "low": 0.92, "high": 0.94, "n": 100, "chance": 0.1}}
    assert ceiling_score(contents(dataset=dataset)).value == 0.93
    stored = replace(MAIN, section="ceiling", value=0.9)
    assert ceiling_score(contents(stored, dataset=dataset)) is stored
    assert ceiling_score(contents()) is None


def test_decoded_headline_names_value_chance_and_ceiling():
    headline = write_headline(contents(MAIN, CONTROL, dataset={"ceiling": {"accuracy": 0.8}}))
    assert headline.level == "decoded"
    assert "balanced accuracy 0.600 (0.570 to 0.630), chance 0.500" in headline.sentence
    assert "best possible 0.800" in headline.sentence
    assert "75 % of the best" in " ".join(headline.asides)
    assert headline.alarms == ()


@pytest.mark.parametrize("finished", [True, False])
def test_without_scores_nothing_is_decided(finished):
    headline = write_headline(contents(state={"finished": finished}))
    assert headline.level == "pending"
    assert ("ended" in headline.sentence) is finished


def test_a_control_far_above_chance_overturns_the_verdict():
    headline = write_headline(contents(MAIN, replace(CONTROL, value=0.6)))
    assert headline.level == "alarm"
    assert headline.label == "Do not trust"
    assert "can be read" not in headline.sentence
    assert "Permuted labels decode above chance" in headline.alarms[0]


def test_a_control_just_outside_or_below_is_a_caution():
    others = [replace(CONTROL, name=f"metric {number}") for number in range(9)]
    slightly = replace(CONTROL, value=0.545)
    headline = write_headline(contents(MAIN, slightly, *others))
    assert headline.level == "decoded"
    assert "above chance" in headline.cautions[0]
    assert "10 controls" in headline.cautions[-1]
    below = write_headline(contents(MAIN, replace(CONTROL, value=0.3)))
    assert below.level == "decoded"
    assert "below chance" in below.cautions[0]


def test_a_single_control_gets_no_allowance_for_several():
    slightly = replace(CONTROL, value=0.545)
    assert alarming_controls([slightly]) == [slightly]
    assert alarming_controls([slightly, replace(CONTROL, name="AUC")]) == []


def test_pooled_controls_stand_for_those_of_folds():
    fold = replace(CONTROL, value=0.7, fold="1")
    assert outside_controls([CONTROL, fold]) == []
    assert outside_controls([fold]) == [fold]


@pytest.mark.parametrize(
    ("section", "name", "method", "expected"),
    [
        ("decoding", "AUC", "noise input", True),
        ("pictures", "class consistency (decoded)", "shuffled features", True),
        ("pictures", "class consistency (decoded)", "noise input", False),
        ("pictures", "class consistency (shown)", "noise input", True),
        ("pictures", "class consistency (shown)", "class label only", False),
    ],
)
def test_only_controls_without_their_target_must_fail(section, name, method, expected):
    assert must_fail(replace(CONTROL, section=section, name=name, method=method)) is expected
    assert not must_fail(replace(CONTROL, section=section, name=name, role="result"))


def test_more_than_the_ceiling_a_leak_and_selection_on_test_are_alarms():
    high = replace(MAIN, value=0.9, low=0.88, high=0.92, selected_on="test trials")
    dataset = {"ceiling": {"accuracy": 0.8, "high": 0.82}}
    found = write_headline(contents(high, dataset=dataset, split={"leak_reason": "for a try"}))
    text = " ".join(found.alarms)
    assert "above the best" in text
    assert "for a try" in text
    assert "chosen on test trials" in text


def test_a_doubt_about_the_split_is_a_caution_and_no_alarm():
    found = write_headline(contents(MAIN, split={"leak_reason": None, "doubt": "unknown samples"}))
    assert "A leak cannot be excluded: unknown samples." in found.cautions
    assert found.alarms == ()


def test_pictures_show_the_decoded_class_unless_a_score_compares_pairs():
    classwise = write_headline(contents(MAIN, dataset={"pairing": {"kind": "class-only"}}))
    assert classwise.pictures.startswith("Pictures show the decoded class, not the picture")
    paired = {"pairing": {"kind": "paired"}}
    assert "no score compares" in write_headline(contents(MAIN, dataset=paired)).pictures
    ssim = replace(MAIN, name="paired SSIM", section="pictures")
    assert "paired SSIM measures" in write_headline(contents(ssim, dataset=paired)).pictures


def test_the_linear_baseline_is_preferred_and_compared_by_interval():
    lda = replace(MAIN, role="baseline", method="shrinkage LDA", value=0.55)
    other = replace(lda, method="published encoder", value=0.62)
    assert best_baseline(MAIN, [other, lda]) is lda
    assert best_baseline(MAIN, [MAIN]) is None
    assert compare(MAIN, 0.55) == "above"
    assert compare(MAIN, 0.6) == "level with"
    assert compare(MAIN, 0.7) == "below"
