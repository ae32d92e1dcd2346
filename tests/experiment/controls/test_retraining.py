from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.splits import leave_one_group_out
from phosphene.experiment.controls import retraining
from phosphene.experiment.controls.material import Effort


def record_of(content, key):
    return next(c for c in content["controls"] if c["key"] == key)


@pytest.mark.parametrize(
    ("minutes", "seconds", "expected"),
    [
        (60, 1.0, (10, 2, 6)),  # time for all folds
        (20, 20.5, (10, 2, 4)),  # 58 trainings among 12
        (2, 10.0, (10, 2, 1)),  # one fold each
        (1, 10.0, (6, 0, 1)),  # those on permuted labels first
        (2, 11.0, (10, 0, 1)),
        (0, 1.0, (0, 0, 1)),
    ],
)
def test_effort_is_shared_by_what_training_took(minutes, seconds, expected):
    share = retraining.share_effort(Effort(minutes=minutes), seconds=seconds, n_folds=6)
    assert (share.n_nulls, share.n_seeds, share.n_folds) == expected


def test_without_trainings_wanted_there_are_none():
    effort = Effort(n_nulls=0, n_seeds=0)
    assert retraining.share_effort(effort, seconds=1.0, n_folds=6).n_nulls == 0


def test_folds_take_their_turn(material):
    folds = leave_one_group_out(material.trials).folds
    several = replace(material, folds=folds)
    assert len(folds) == 4
    assert retraining.folds_of(several, 0, n=3) == list(folds[:3])
    assert retraining.folds_of(several, 1, n=3) == [folds[3], folds[0], folds[1]]
    assert set(retraining.folds_of(several, 5, n=4)) == set(folds)


def test_nulls_are_scored_against_the_labels_they_were_trained_on(material):
    share = retraining.share_of(material)
    labels = retraining.joint_permutations(material, share.n_nulls, purpose=retraining.NULL)
    for number, permuted in enumerate(labels):
        for fold in retraining.folds_of(material, number, n=share.n_folds):
            arrays = material.run.read_arrays(f"controls/null-{number}-{fold.key}.npz")
            np.testing.assert_array_equal(arrays["labels"], permuted[arrays["row"]])
            assert not np.array_equal(arrays["labels"], material.trials.labels[arrays["row"]])


def test_the_encoder_s_nulls_reach_the_verdict(controlled):
    record = record_of(controlled[1], "encoder_nulls")
    assert len(record["details"]["nulls"]) == len(record["details"]["z"]) == 2
    assert controlled[1]["evidence"]["retrained"] == record["details"]["of_all_folds"]
    assert 0 < record["details"]["p_value_of_the_result"] <= 1
    assert record["scores"][0]["unit"] == "trainings"


def test_linear_nulls_lie_around_chance(controlled):
    (score,) = record_of(controlled[1], "linear_nulls")["scores"]
    assert score["n"] == 20
    assert abs(score["value"]) < 1.5
    assert score["low"] < 0 < score["high"]


def test_other_seeds_stand_beside_the_run_s_own(controlled, material):
    record = record_of(controlled[1], "seeds")
    assert len(record["details"]["values"]) == 2
    assert record["scores"][0]["value"] == record["details"]["values"][0]
    assert record["expected"] == "like the result"


def test_spread_says_where_most_trainings_lie():
    values = np.array([0.4, 0.5, 0.6, 0.5])
    score = retraining.spread_score(values, name="AUC", method="any", chance=0.5, split="")
    assert (score.value, score.low, score.high, score.n) == (pytest.approx(0.5), 0.4, 0.6, 4)
    assert score.inside_chance()
    high = retraining.spread_score(values + 0.3, name="AUC", method="any", chance=0.5, split="")
    assert not high.inside_chance()
    single = retraining.spread_score(values[:1], name="AUC", method="any", chance=0.5, split="")
    assert single.inside_chance() is None
