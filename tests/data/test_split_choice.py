from dataclasses import replace

import numpy as np
import pytest
import torch

from phosphene.data.formats.eeg_imagenet40 import DOUBT, read_source, trials_from
from phosphene.data.formats.eeg_imagenet40_splits import folds_from, read_splits
from phosphene.data.split_choice import choose_split
from phosphene.data.splits import PUBLISHED_SPLIT, Split


@pytest.fixture
def segments(make_segments, make_splits, tmp_path):
    """Trials of two subjects and the folds that were published with them."""
    torch.save(make_segments(), tmp_path / "eeg.pth")
    torch.save(make_splits(), tmp_path / "splits.pth")
    trials, _, places = trials_from(read_source(tmp_path / "eeg.pth"))
    return trials, folds_from(read_splits(tmp_path / "splits.pth", n_items=48), trials, places)


def test_a_published_split_is_kept_with_its_doubt(segments):
    trials, folds = segments
    info = {"published_splits": folds, "doubt": DOUBT}
    split = choose_split(trials, unit="recording", n_folds=7, info=info)
    assert (split.unit, split.doubt, len(split.folds)) == (PUBLISHED_SPLIT, DOUBT, 2)
    assert list(split.folds[1].val) == folds[1]["val"]
    assert Split.from_json(split.to_json()) == split
    np.testing.assert_array_equal(
        trials.table["trial"].to_numpy()[split.folds[0].val_indices(trials)], folds[0]["val"]
    )


def test_another_unit_is_split_anew_and_keeps_the_doubt(segments):
    trials, folds = segments
    info = {"published_splits": folds, "doubt": DOUBT}
    split = choose_split(trials, unit="subject", info=info)
    assert [fold.key for fold in split.folds] == ["1", "4"]
    assert split.doubt == DOUBT
    assert choose_split(trials, unit="subject").doubt is None


def test_segments_are_not_split_by_trial_without_a_reason(segments):
    trials, _ = segments
    with pytest.raises(ValueError, match="windows may share samples"):
        choose_split(trials, unit="trial", n_folds=2)


@pytest.mark.parametrize("part", ["train", "val"])
def test_equal_samples_in_two_parts_of_a_published_split_are_a_leak(segments, part):
    trials, folds = segments
    table = trials.table.copy()
    twins = [table.index[table["trial"] == folds[0][name][0]][0] for name in (part, "test")]
    table.loc[twins, "content"] = "same"
    twins = replace(trials, table=table)
    with pytest.raises(ValueError, match="same samples as training trials"):
        choose_split(twins, unit="recording", info={"published_splits": folds})


@pytest.mark.parametrize(
    ("unit", "n_folds", "n"), [("block", None, 6), ("block", 2, 2), ("recording", None, 2)]
)
def test_units_and_numbers_of_folds_are_heeded(segments, unit, n_folds, n):
    trials = replace(segments[0], table=segments[0].table.assign(start=0, stop=0))
    table = trials.table.assign(block=np.arange(48) % 8)
    trials = replace(trials, table=table.astype({"block": "str"}))
    split = choose_split(trials, unit=unit, n_folds=n_folds)
    assert (split.unit, len(split.folds)) == (unit, 16 if unit == "block" and n > 2 else n)
