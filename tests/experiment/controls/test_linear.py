from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.splits import k_fold
from phosphene.evaluation.probes import shrinkage_lda
from phosphene.experiment.controls import linear
from phosphene.experiment.controls.control import ControlNotPossibleError


def test_run_folds_give_the_run_s_own_baseline(material):
    found = linear.decode_rows(material.trials, linear.own_folds(material))
    np.testing.assert_array_equal(found["row"], material.decoded["row"])
    np.testing.assert_allclose(
        found["probabilities"], material.decoded["lda_probabilities"], atol=1e-6
    )


def test_windows_of_a_recording_stand_on_both_sides(material):
    folds = linear.window_folds(material)
    tested = np.sort(np.concatenate([test for _, test in folds]))
    np.testing.assert_array_equal(tested, np.arange(len(material.trials)))
    for train, test in folds:
        assert not set(train) & set(test)
        assert set(material.recordings[test]) <= set(material.recordings[train])


def test_recordings_are_held_out_where_the_run_mixes_them(material):
    assert linear.keeps_recordings(material)
    assert len(linear.group_folds(material)) == len(material.folds)
    mixed = replace(material, folds=k_fold(material.trials, 3).folds)
    assert not linear.keeps_recordings(mixed)
    folds = linear.group_folds(mixed)
    assert len(folds) == len(np.unique(material.recordings))
    for train, test in folds:
        assert not set(material.recordings[train]) & set(material.recordings[test])


def test_one_recording_leaves_none_to_hold_out(material):
    table = material.trials.table.assign(recording="only")
    dataset = replace(material.dataset, trials=replace(material.trials, table=table))
    with pytest.raises(ControlNotPossibleError, match="one recording"):
        linear.group_folds(replace(material, dataset=dataset))


def test_positions_follow_the_trials_that_are_left(material):
    kept = np.arange(len(material.trials))[::2]
    whole, some = linear.own_folds(material), linear.own_folds(material, kept)
    for (train, test), (known, asked) in zip(whole, some, strict=True):
        assert set(kept[known]) == set(train) & set(kept)
        assert set(kept[asked]) == set(test) & set(kept)


def test_folds_that_would_lack_a_class_are_left_out(material):
    labels = material.trials.labels
    first = material.folds[0].indices(material.trials)[1]
    only = np.setdiff1d(np.flatnonzero(labels == 0), first)
    kept = np.sort(np.concatenate([first, only]))  # class 1 and others in the first fold alone
    some = linear.own_folds(material, kept)
    assert all(set(kept[test]) & set(only) for _, test in some)
    assert len(some) < len(material.folds)


def test_permutations_are_joint_and_their_own(material):
    some = linear.joint_permutations(material, 3, purpose="test")
    again = linear.joint_permutations(material, 2, purpose="test")
    for one, other in zip(some, again, strict=False):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(some[0], some[1])
    for labels in some:
        for name in np.unique(material.recordings):
            rows = material.recordings == name
            np.testing.assert_array_equal(
                np.bincount(labels[rows]), np.bincount(material.trials.labels[rows])
            )


@pytest.mark.parametrize("decoder", [linear.GROUPED, linear.LDA])
def test_other_labels_can_be_decoded(material, decoder):
    trials = material.trials
    labels = (trials.labels >= 2).astype(np.int64)
    folds = linear.own_folds(material)[:1]
    found = linear.decode_rows(trials, folds, decoder=decoder, labels=labels, n_classes=2)
    assert found["probabilities"].shape == (len(folds[0][1]), 2)


def test_epochs_are_thinned_by_what_they_were_filtered_to(material):
    settings = {**material.trials.preprocessing["settings"], "band": [1.0, 15.0]}
    trials = replace(material.trials, preprocessing={"settings": settings})
    train, test = linear.own_folds(material)[0]
    found = linear.decode_rows(trials, [(train, test)])
    epochs = np.asarray(trials.epochs)
    probe = shrinkage_lda(epochs[train], trials.labels[train], n_classes=4, step=2)
    np.testing.assert_allclose(found["probabilities"], probe.predict_proba(epochs[test]))
