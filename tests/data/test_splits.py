import dataclasses
import json

import numpy as np
import pytest

from phosphene.data.splits import (
    Fold,
    Split,
    group_k_fold,
    groups_of,
    k_fold,
    leave_one_group_out,
)


def test_leaves_each_recording_out_once(make_trials):
    trials = make_trials(3)
    split = leave_one_group_out(trials)
    assert [fold.key for fold in split.folds] == ["r0", "r1", "r2"]
    tested = []
    for fold in split.folds:
        train, test = fold.indices(trials)
        assert set(trials.table["recording"].iloc[test]) == {fold.key}
        assert fold.key not in set(trials.table["recording"].iloc[train])
        tested += test.tolist()
    assert sorted(tested) == list(range(len(trials)))
    assert split.check(trials) is split


def test_group_folds_keep_groups_whole_and_classes_even(make_trials):
    trials = make_trials(6)
    split = group_k_fold(trials, "recording", 3, seed=1)
    assert split.check(trials).leak_reason is None
    for fold in split.folds:
        _, test = fold.indices(trials)
        assert len(set(trials.table["recording"].iloc[test])) == 2
        assert np.bincount(trials.labels[test]).tolist() == [10, 10]


def test_single_trial_folds_are_stratified_and_seeded(make_trials):
    trials = make_trials()
    split = k_fold(trials, 5, seed=3)
    for fold in split.folds:
        assert np.bincount(trials.labels[fold.indices(trials)[1]]).tolist() == [2, 2]
    assert split.sha256 == k_fold(trials, 5, seed=3).sha256
    assert split.sha256 != k_fold(trials, 5, seed=4).sha256
    assert split.check(trials) is split  # windows of half a second, one second apart


def test_survives_json_and_notices_edits(make_trials):
    split = leave_one_group_out(make_trials())
    value = json.loads(json.dumps(split.to_json()))
    assert Split.from_json(value) == split
    value["folds"][0]["test"].append(value["folds"][0]["train"].pop())
    with pytest.raises(ValueError, match="edited"):
        Split.from_json(value)


def test_refuses_the_same_trial_on_both_sides(make_trials):
    trials = make_trials()
    ids = tuple(trials.table["trial"])
    with pytest.raises(ValueError, match="1 trials stand on both sides"):
        Split("trial", (Fold("0", ids[:10], ids[9:]),)).check(trials)


def test_refuses_the_same_unit_on_both_sides(make_trials):
    trials = make_trials()
    ids = tuple(trials.table["trial"])
    with pytest.raises(ValueError, match="unit 'recording' stand on both sides, the first 'r0'"):
        Split("recording", (Fold("0", ids[:5], ids[5:]),)).check(trials)


def test_refuses_the_same_samples_under_two_names(make_trials):
    trials = make_trials()
    content = trials.table["content"].to_numpy(copy=True)
    content[15] = content[2]
    twin = dataclasses.replace(trials, table=trials.table.assign(content=content))
    with pytest.raises(ValueError, match=r"same samples as training trials.*'r0'"):
        leave_one_group_out(twin).check(twin)


@pytest.mark.parametrize(("tmax", "leaks"), [(0.9, False), (1.5, True)])
def test_refuses_windows_that_share_samples(make_trials, tmax, leaks):
    trials = make_trials(tmax=tmax)
    split = k_fold(trials, 2, seed=0)
    if leaks:
        with pytest.raises(ValueError, match=r"share samples.*--allow-leak"):
            split.check(trials)
    else:
        split.check(trials)


def test_finds_shared_samples_under_a_long_early_window(make_trials):
    trials = make_trials(1)
    start = np.arange(len(trials)) * 100
    stop = start + 10
    stop[0] = 10_000  # the first window covers all others, the last training one does not
    table = trials.table.assign(start=start, stop=stop)
    wide = dataclasses.replace(trials, table=table)
    ids = tuple(table["trial"])
    with pytest.raises(ValueError, match="1 test windows share"):
        Split("trial", (Fold("0", ids[:9], ids[9:]),)).check(wide)


def test_stamps_an_allowed_leak_and_only_a_leak(make_trials):
    trials = make_trials(tmax=1.5)
    split = k_fold(trials, 2, seed=0)
    assert split.check(trials, allow_leak="as published").leak_reason == "as published"
    assert leave_one_group_out(trials).check(trials, allow_leak="why").leak_reason is None
    with pytest.raises(ValueError, match="needs a reason"):
        split.check(trials, allow_leak=" ")


def test_tells_sessions_and_blocks_apart_across_subjects(make_trials):
    trials = make_trials()
    table = trials.table.assign(subject=np.repeat(["1", "2"], 10), session="1", block="1")
    both = dataclasses.replace(trials, table=table)
    assert set(groups_of(both, "session")) == {"1/1", "2/1"}
    assert set(groups_of(both, "block")) == {"r0/1", "r1/1"}
    with pytest.raises(ValueError, match="needs the block"):
        groups_of(trials, "block")


def test_refuses_impossible_splits(make_trials):
    trials = make_trials(1)
    with pytest.raises(ValueError, match="at least 2 units"):
        leave_one_group_out(trials, "subject")
    with pytest.raises(ValueError, match="n_folds"):
        group_k_fold(make_trials(2), "recording", 3)
    with pytest.raises(ValueError, match="Did you mean 'subject'"):
        leave_one_group_out(trials, "subjekt")
    with pytest.raises(ValueError, match="both sides"):
        Split("trial", (Fold("0", (), ("a",)),))
    with pytest.raises(ValueError, match="keys must differ"):
        Split("trial", (Fold("0", ("b",), ("a",)),) * 2)
    with pytest.raises(ValueError, match="split these data anew"):
        Fold("0", ("x",), ("y",)).indices(trials)
