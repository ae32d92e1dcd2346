from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.finding import CheckNotPossibleError
from phosphene.audit.randomisation import (
    held_out_parts,
    randomisation_of,
    recording_numbers,
    time_order,
    unit_of,
)

RNG = np.random.default_rng(0)


def shuffled(source, rng):
    """The same trials, rows of the table in another order."""
    order = rng.permutation(len(source))
    return replace(
        source,
        table=source.table.iloc[order].reset_index(drop=True),
        epochs_with_margin=source.epochs_with_margin[order],
    )


def test_time_order_sorts_rows_inside_recordings(make_source):
    source = shuffled(make_source(n_recordings=3, n_trials=10), np.random.default_rng(1))
    table = source.table.iloc[time_order(source)]
    assert table["recording"].is_monotonic_increasing
    assert (table.groupby("recording")["start"].diff().dropna() > 0).all()


def test_without_times_there_is_no_order(make_source):
    source = make_source()
    unknown = replace(source, table=source.table.assign(onset=0.0), raw_ranges_known=False)
    assert time_order(unknown) is None


def test_labels_are_permuted_inside_their_recording(make_source):
    labels = np.concatenate([np.arange(30) % 2, np.arange(30) % 2 + 2])
    labels = labels.reshape(2, 30)[:, np.random.default_rng(0).permutation(30)].ravel()
    source = shuffled(
        make_source(n_recordings=2, labels=labels, n_classes=4), np.random.default_rng(2)
    )
    found = randomisation_of(source)
    assert found.unit == "trial"
    drawn = found.permute(np.random.default_rng(0))
    assert (drawn != source.labels).any()
    for name in ("r0", "r1"):
        rows = source.table["recording"] == name
        assert sorted(drawn[rows]) == sorted(source.labels[rows])


def test_whole_blocks_are_permuted_in_a_blocked_design(make_source):
    labels = np.tile(np.repeat([0, 1, 2], 10), 4)
    blocks = np.tile(np.repeat(["a", "b", "c"], 10), 4)
    source = make_source(labels=labels, block=blocks)
    found = randomisation_of(source)
    assert found.unit == "block"
    drawn = found.permute(np.random.default_rng(0))
    table = source.table.assign(drawn=drawn, block=source.column("block"))
    assert (table.groupby("block")["drawn"].nunique() == 1).all()


def test_a_class_per_recording_cannot_be_permuted(make_source):
    source = make_source(labels=np.repeat([0, 1, 0, 1], 30))
    assert unit_of(source)[0] == "block"
    with pytest.raises(CheckNotPossibleError, match="each recording holds one class"):
        randomisation_of(source)


def test_a_file_sorted_by_class_is_no_blocked_design(make_source):
    source = make_source(n_recordings=1, labels=np.repeat([0, 1], 15))
    assert unit_of(source)[0] == "block"
    unknown = replace(source, table=source.table.assign(onset=0.0), raw_ranges_known=False)
    assert unit_of(unknown)[0] == "trial"


def test_parts_keep_recordings_apart(make_source, make_split):
    source = make_source(n_recordings=7)
    parts, words = held_out_parts(source, None, RNG)
    assert words == "recordings"
    assert len(np.unique(parts)) == 5
    pairs = {(r, p) for r, p in zip(recording_numbers(source), parts, strict=True)}
    assert len(pairs) == 7
    alone = make_source(n_recordings=1)
    parts, words = held_out_parts(alone, None, RNG)
    assert words == "stretches of time"
    assert (np.diff(parts[time_order(alone)]) >= 0).all()
    unknown = replace(alone, table=alone.table.assign(onset=0.0), raw_ranges_known=False)
    parts, words = held_out_parts(unknown, None, RNG)
    assert words == "random trials"
    split = make_split(unknown, np.arange(30) % 3)
    parts, words = held_out_parts(unknown, split, RNG)
    assert words == "folds of the split"
    assert len(set(zip(parts, np.arange(30) % 3, strict=True))) == 3
