import pytest
import torch

from phosphene.data.formats.eeg_imagenet40 import read_source, trials_from
from phosphene.data.formats.eeg_imagenet40_splits import folds_from, read_splits


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write(content, name="splits.pth"):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return write


def test_reads_every_split(make_splits, write):
    content = make_splits()
    splits = read_splits(write(content), n_items=48)
    assert len(splits) == 2
    assert {name: list(part) for name, part in splits[0].items()} == content["splits"][0]


def test_places_may_be_tensors_and_validation_may_be_missing(write):
    content = {"splits": [{"train": torch.tensor([0, 2]), "test": [torch.tensor(1)]}]}
    assert read_splits(write(content), n_items=3) == ({"train": (0, 2), "val": (), "test": (1,)},)


@pytest.mark.parametrize("subject", [None, 1, 4])
def test_folds_are_of_the_segments_that_the_split_lists(make_segments, make_splits, write, subject):
    content = make_segments()
    content["dataset"][0]["eeg"] = torch.zeros(128, 300)  # left out: later places do not move up
    trials, _, places = trials_from(read_source(write(content, "eeg.pth")), subject=subject)
    folds = folds_from(read_splits(write(make_splits()), n_items=48), trials, places)
    assert [fold["key"] for fold in folds] == ["0", "1"]
    picture = dict(zip(trials.table["trial"], trials.table["stimulus"], strict=True))
    numbers = {
        name: {int(picture[trial].split("_")[1]) for trial in folds[0][name]}
        for name in ("train", "val", "test")
    }
    assert numbers == {"train": {0, 1, 2, 3, 4}, "val": {5}, "test": {6, 7}}
    assert sum(len(folds[0][name]) for name in numbers) == len(trials)


def test_refuses_a_split_of_which_nothing_is_left(make_segments, write):
    content = {"splits": [{"train": [0, 1], "test": [30]}]}
    trials, _, places = trials_from(read_source(write(make_segments(), "eeg.pth")), subject=1)
    with pytest.raises(ValueError, match="of split 0 2 and 0 are among the 24"):
        folds_from(read_splits(write(content), n_items=48), trials, places)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"split": []}, "a dict with a list 'splits'"),
        ({"splits": []}, "holds 1 to 1000 splits"),
        ({"splits": [{"train": [0]}]}, "has the parts train and test"),
        ({"splits": [3]}, "has the parts train and test"),
        ({"splits": [{"train": [0, 9], "test": [1]}]}, "`train` of a split lists places"),
        ({"splits": [{"train": [0], "test": [-1]}]}, "`test` of a split lists places"),
        ({"splits": [{"train": [0.0], "test": [1]}]}, "`train` of a split lists places"),
        ({"splits": [{"train": "0", "test": [1]}]}, "`train` of a split lists places"),
        ({"splits": [{"train": [0, 1], "test": [1]}]}, "1 occur again"),
    ],
)
def test_refuses_what_is_no_split_of_these_segments(write, content, match):
    with pytest.raises(ValueError, match=match):
        read_splits(write(content), n_items=4)
