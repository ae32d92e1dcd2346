from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.source import AuditSource
from phosphene.data.splits import Fold, Split


def test_sees_a_data_set_with_its_recordings(dataset):
    source = AuditSource.from_dataset(dataset)
    assert len(source) == len(dataset.trials)
    assert len(source.recordings) == dataset.trials.table["recording"].nunique()
    np.testing.assert_array_equal(source.epochs[:3], dataset.trials.epochs[:3])
    assert source.raw_ranges_known
    assert source.n_classes == 4


def test_a_column_that_says_nothing_is_none(make_source):
    source = make_source(stimulus="", block="unknown")
    assert source.column("stimulus") is None
    assert source.column("block") is None
    assert source.column("no such") is None
    assert source.column("label").dtype == np.int64


def test_names_of_different_parents_stay_apart(make_source):
    source = make_source(n_recordings=2, n_trials=4, block=["1", "1", "2", "2"] * 2)
    assert len(set(source.column("block"))) == 4
    two = replace(source, table=source.table.assign(subject=["a"] * 4 + ["b"] * 4, session="1"))
    assert set(two.column("session")) == {"a/1", "b/1"}


def test_unknown_ranges_and_published_halves_are_no_recordings(make_source):
    source = make_source()
    halves = np.where(np.arange(len(source)) < 60, "x_train", "x_test")
    table = source.table.assign(recording=halves, start=-1, stop=-1)
    windows = replace(source, table=table, raw_ranges_known=False)
    assert windows.column("start") is None
    assert windows.column("recording") is None


def test_rows_of_folds(make_source):
    source = make_source(n_recordings=1, n_trials=6)
    split = Split("trial", (Fold("a", ("t0", "t2"), ("t5",), ("t1",)),))
    (fold,) = source.folds(split)
    assert (fold.train.tolist(), fold.test.tolist(), fold.val.tolist()) == ([0, 2], [5], [1])
    with pytest.raises(ValueError, match=r"fold 'a' names 1 trials that are not there"):
        source.folds(Split("trial", (Fold("a", ("t0",), ("t9",)),)))


def test_refuses_what_does_not_fit(make_source):
    source = make_source()
    with pytest.raises(ValueError, match="trial and label"):
        replace(source, table=source.table.drop(columns="label"))
    with pytest.raises(ValueError, match="epochs"):
        replace(source, ch_names=("a",))
    with pytest.raises(ValueError, match="needs a trial"):
        replace(source, table=source.table[:0], epochs_with_margin=source.epochs_with_margin[:0])
