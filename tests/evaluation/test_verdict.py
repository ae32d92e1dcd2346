from dataclasses import replace

import pytest

from phosphene.evaluation.verdict import (
    DECODES,
    NOTHING,
    RECORDING,
    UNKNOWN,
    Evidence,
    Measured,
    judge,
)


def measured(value, p, *, name="AUC", chance=0.5):
    return Measured(
        name=name, value=value, chance=chance, p_value=p, low=value - 0.05, high=value + 0.05
    )


FOUND = Evidence(
    score=measured(0.7, 0.001),
    unit="trial",
    n_units=300,
    n_recordings=6,
    window_wise=measured(0.71, 0.001),
    nuisances=(measured(0.51, 0.4, name="pre-stimulus window"),),
    retrained=(0.5, 0.52, 0.46),
)
NO_EFFECT = replace(FOUND, score=measured(0.53, 0.2), window_wise=measured(0.54, 0.1))


@pytest.mark.parametrize(
    ("evidence", "claim", "words"),
    [
        (FOUND, DECODES, "p = 0.001"),
        (NO_EFFECT, NOTHING, "p = 0.2"),
        (replace(FOUND, leak="windows overlap"), UNKNOWN, "windows overlap"),
        (replace(FOUND, n_recordings=2), UNKNOWN, "at least 3"),
        (replace(FOUND, score=measured(0.7, None)), UNKNOWN, "no p-value"),
        (replace(FOUND, n_arrangements=6.0, n_units=4, unit="block"), UNKNOWN, "6 ways"),
        (replace(FOUND, class_constant_in="recording"), RECORDING, "each recording holds one"),
        (replace(FOUND, retrained=(0.5,) * 9 + (0.72,)), NOTHING, "1 of 10 decoders"),
        (replace(NO_EFFECT, window_wise=measured(0.93, 0.001)), RECORDING, "single trials"),
        (
            replace(FOUND, nuisances=(measured(0.65, 0.001, name="trial index"),)),
            RECORDING,
            "trial index 0.650",
        ),
    ],
)
def test_rules(evidence, claim, words):
    verdict = judge(evidence)
    assert verdict.claim == claim
    assert words in verdict.because[0]
    assert next(iter(verdict)) == claim


def test_one_class_per_recording_without_any_finding_is_no_finding():
    evidence = replace(NO_EFFECT, class_constant_in="session")
    assert judge(evidence).claim == NOTHING
    inside = replace(evidence, window_wise=measured(0.9, 0.001))
    assert judge(inside).claim == RECORDING


def test_gap_of_splits_is_told_where_it_does_not_decide():
    verdict = judge(replace(FOUND, window_wise=measured(0.95, 0.001)))
    assert verdict.claim == DECODES
    assert any("inside a recording only" in reason for reason in verdict.because[1:])


def test_gap_is_that_of_one_decoder():
    """A baseline on both splits, beside a network whose score is another one."""
    evidence = replace(NO_EFFECT, group_wise=measured(0.68, 0.01), window_wise=measured(0.7, 0.001))
    assert judge(evidence).claim == NOTHING


def test_gap_by_p_value_where_there_is_no_interval():
    window = Measured(name="AUC", value=0.9, chance=0.5, p_value=0.3)
    assert judge(replace(NO_EFFECT, window_wise=window)).claim == NOTHING
    assert judge(replace(NO_EFFECT, window_wise=replace(window, p_value=0.01))).claim == RECORDING


def test_recordings_told_apart_stand_behind_a_gap():
    known = measured(0.98, 0.001, name="recording index", chance=1 / 6)
    gap = replace(NO_EFFECT, window_wise=measured(0.93, 0.001), recording_decoding=known)
    assert any("recording index 0.980" in reason for reason in judge(gap).because)


def test_weak_nuisance_is_a_remark_and_many_are_corrected():
    weak = measured(0.56, 0.001, name="pre-stimulus window")
    verdict = judge(replace(FOUND, nuisances=(weak,)))
    assert verdict.claim == DECODES
    assert any("find out why" in reason for reason in verdict.because)
    by_luck = [measured(0.65, 0.04, name=f"nuisance {i}") for i in range(6)]
    assert judge(replace(FOUND, nuisances=tuple(by_luck))).claim == DECODES


def test_what_is_missing_beside_a_claim_is_said():
    bare = Evidence(score=measured(0.7, 0.001), unit="trial", n_units=300, n_recordings=6)
    reasons = " ".join(judge(bare).because)
    assert "no window-wise split" in reasons
    assert "no control without a picture" in reasons


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "window"}, "`unit` must be one of"),
        ({"score": Measured(name="AUC", value=float("nan"), chance=0.5)}, "finite numbers"),
        ({"score": measured(0.7, 1.5)}, "between 0 and 1"),
    ],
)
def test_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        judge(replace(FOUND, **change))
