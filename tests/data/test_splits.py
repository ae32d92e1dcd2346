import dataclasses
import json

import numpy as np
import pytest

from phosphene.data.splits import (
    DOUBT,
    PUBLISHED,
    Fold,
    Split,
    group_k_fold,
    groups_of,
    has_published_halves,
    k_fold,
    leave_one_group_out,
    published_split,
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


def test_trials_can_be_grouped_by_their_picture(make_trials):
    trials = make_trials()
    with pytest.raises(ValueError, match="needs the stimulus of every trial"):
        groups_of(trials, "stimulus")
    names = [f"p{i % 4}" for i in range(len(trials))]
    named = dataclasses.replace(trials, table=trials.table.assign(stimulus=names))
    assert groups_of(named, "stimulus").tolist() == names
    mixed = Split("stimulus", k_fold(named, 5).folds)
    with pytest.raises(ValueError, match="of unit 'stimulus' stand on both sides"):
        mixed.check(named)


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


def test_fold_keys_may_name_folders_and_differ(make_trials):
    trials = make_trials(4)
    table = trials.table.assign(
        subject=np.repeat(["1", "1", "1_1", ".."], 10),
        session=np.repeat(["1_1", "2", "1", ""], 10),
        block=np.tile(["a", "b c"], 20),
    )
    split = leave_one_group_out(dataclasses.replace(trials, table=table), "session")
    assert [fold.key for fold in split.folds] == ["1_1_1", "1_2", "1_1_1_2", "_"]
    split = leave_one_group_out(dataclasses.replace(trials, table=table), "block")
    assert [fold.key for fold in split.folds][:2] == ["r0_a", "r0_b_c"]


@pytest.fixture
def oddball(make_trials):
    """Four recordings of which the last alone holds faces."""
    trials = make_trials(4)
    table = trials.table
    kept = (table["class_name"] == "house") | (table["recording"] == "r3")
    return trials.select(np.flatnonzero(kept))


def test_refuses_a_fold_that_lacks_a_class_to_train_on(oddball):
    split = leave_one_group_out(oddball)
    first = Split("recording", split.folds[::-1])
    with pytest.raises(ValueError, match=r"among the training trials; in fold 'r3' .* 'face'; "):
        first.check_classes(oddball)


def test_refuses_a_first_fold_that_lacks_a_class_to_score(oddball):
    with pytest.raises(ValueError, match=r"held-out trials; in fold 'r0' .* 'face'.*--n-folds"):
        leave_one_group_out(oddball).check_classes(oddball)


def test_accepts_folds_with_every_class_and_looks_at_no_others(make_trials, oddball):
    trials = make_trials(3)
    split = leave_one_group_out(trials)
    assert split.check_classes(trials) is split
    rows = np.arange(len(oddball))
    ids = oddball.table["trial"].to_numpy()
    both = [np.flatnonzero(oddball.labels == label) for label in (0, 1)]
    test = np.concatenate([both[0][:2], both[1][:2]])
    good = Fold("good", tuple(ids[np.setdiff1d(rows, test)]), tuple(ids[test]))
    bad = Fold("bad", tuple(ids[both[0]]), tuple(ids[both[1]]))
    split = Split("trial", (good, bad))
    assert split.check_classes(oddball, n_folds=1) is split
    with pytest.raises(ValueError, match="in fold 'bad'"):
        split.check_classes(oddball)


def test_too_few_units_name_another_that_the_data_have(make_trials):
    trials = make_trials(1)
    for make in (
        lambda: group_k_fold(trials, "recording", 5),
        lambda: leave_one_group_out(trials, "recording"),
    ):
        with pytest.raises(ValueError, match=r"another unit \(--split-unit; .* 10 of 'trial'\)"):
            make()
    with pytest.raises(ValueError, match="at least 2 units of 'recording'; the data hold 1"):
        group_k_fold(trials, "recording", 5)


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


@pytest.fixture
def windows(make_trials):
    """Twenty trials of which the source says the half alone."""
    trials = make_trials(2)
    half = trials.table["recording"].map({"r0": "x_train", "r1": "x_test"})
    table = trials.table.assign(recording=half, subject="unknown", session="unknown")
    return dataclasses.replace(trials, table=table.assign(start=-1, stop=-1))


def test_a_published_split_is_kept_and_doubted(windows, make_trials):
    split = published_split(windows)
    assert split.unit == PUBLISHED
    (fold,) = split.folds
    train, test = fold.indices(windows)
    assert (fold.key, len(train), len(test)) == ("x_test", 10, 10)
    assert set(windows.table["recording"].iloc[test]) == {"x_test"}
    assert split.check(windows) is split
    assert (split.leak_reason, split.doubt) == (None, DOUBT)
    value = json.loads(json.dumps(split.to_json()))
    assert Split.from_json(value) == split
    assert "doubt" not in leave_one_group_out(make_trials()).to_json()


def test_only_windows_without_recordings_have_a_published_split(windows, make_trials):
    assert has_published_halves(windows)
    assert not has_published_halves(make_trials())
    known = dataclasses.replace(windows, table=windows.table.assign(start=0))
    assert not has_published_halves(known)
    with pytest.raises(ValueError, match="x_train and x_test; these data have recordings"):
        published_split(make_trials())


def test_the_same_window_in_both_halves_is_refused(windows):
    content = windows.table["content"].to_numpy(copy=True)
    content[15] = content[2]
    twin = dataclasses.replace(windows, table=windows.table.assign(content=content))
    with pytest.raises(ValueError, match=r"1 test trials have the same.*remove the doubles"):
        published_split(twin).check(twin)
    checked = published_split(twin).check(twin, allow_leak="as published")
    assert (checked.leak_reason, checked.doubt) == ("as published", DOUBT)


def test_windows_of_one_half_on_both_sides_are_refused(windows):
    with pytest.raises(ValueError, match=r"may share samples.*keep the published halves apart"):
        k_fold(windows, 2).check(windows)
    assert k_fold(windows, 2).check(windows, allow_leak="why").leak_reason == "why"
