import json
import pickle

import pytest
import torch

from phosphene.audit.inputs import (
    choose_audited_split,
    open_dataset,
    open_eeg_imagenet40,
    open_recordings,
    open_thoughtviz,
)
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.splits import leave_one_group_out

EVENTS = {"1": "houses", "2": "faces"}


@pytest.fixture
def dataset(data_folder):
    return open_dataset(data_folder)


@pytest.fixture
def windows(tmp_path, make_windows):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(make_windows(), 2))
    return path


@pytest.fixture
def segments(tmp_path, make_segments, make_splits):
    torch.save(make_segments(), tmp_path / "eeg.pth")
    torch.save(make_splits(), tmp_path / "splits.pth")
    return tmp_path


def test_a_data_set_comes_with_its_recordings(dataset):
    assert (dataset.kind, len(dataset.source.recordings)) == ("data set", 4)
    assert dataset.source.raw_ranges_known
    split, words = choose_audited_split(dataset, None)
    assert (len(split.folds), words) == (4, "one recording left out in turn")


def test_a_pickle_has_windows_of_unknown_places_and_published_halves(windows):
    found = open_thoughtviz(windows)
    assert found.source.raw_ranges_known is False
    assert found.source.column("recording") is None
    assert found.source.classes[3] == "label 3"
    assert open_thoughtviz(windows, set_name="digit").source.classes[3] == "3"
    split, words = choose_audited_split(found, None)
    assert [len(split.folds[0].train), len(split.folds[0].test)] == [60, 20]
    assert "x_train and x_test" in words


def test_segments_come_with_the_published_split(segments):
    found = open_eeg_imagenet40(segments / "eeg.pth", split_file=segments / "splits.pth")
    split, words = choose_audited_split(found, None)
    assert (len(split.folds), len(split.folds[0].val)) == (2, 6)
    assert words == "the split published with the data"
    alone = open_eeg_imagenet40(segments / "eeg.pth", subject=4)
    assert len(alone.source) == 24
    split, words = choose_audited_split(alone, None)
    assert split is None
    assert "--split window" in words


def test_recordings_are_cut_as_import_cuts_them(lab):
    found = open_recordings([lab / "raw"], Preprocessing(), events=EVENTS)
    assert open_dataset(lab / "data").trials.table["trial"].tolist() != []
    assert len(found.source.recordings) == 2
    assert set(found.source.classes) == {"houses", "faces"}


def test_a_recording_that_occurs_twice_is_let_in(lab, tmp_path):
    for name, source in (("a", "a"), ("b", "b"), ("c", "a")):
        content = (lab / "raw" / "subject01" / "session1" / f"{source}.csv").read_bytes()
        (tmp_path / f"{name}.csv").write_bytes(content)
    found = open_recordings([tmp_path], Preprocessing(), events=EVENTS)
    assert len(found.source.recordings) == 3


def test_recordings_of_one_name_are_refused(lab, tmp_path):
    content = (lab / "raw" / "subject01" / "session1" / "a.csv").read_bytes()
    paths = [tmp_path / part / "a.csv" for part in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(ValueError, match="names must differ"):
        open_recordings(paths, Preprocessing(), events=EVENTS, subject="s", session="1")


@pytest.mark.parametrize(
    ("wanted", "n_folds", "expected"),
    [
        ("window", None, 5),
        ("trial", 3, 3),
        ("recording", 2, 2),
        ("subject", None, 2),
        ("session", None, 4),
    ],
)
def test_splits_have_names(dataset, wanted, n_folds, expected):
    split, _ = choose_audited_split(dataset, wanted, n_folds=n_folds)
    assert len(split.folds) == expected


def test_a_saved_split_is_read_from_its_file(dataset, tmp_path):
    path = tmp_path / "split.json"
    saved = leave_one_group_out(dataset.trials, "subject")
    path.write_text(json.dumps(saved.to_json()))
    split, words = choose_audited_split(dataset, str(path))
    assert split.sha256 == saved.sha256
    assert words == "split.json, unit 'subject'"
    path.write_text(json.dumps({**saved.to_json(), "seed": 7}))
    with pytest.raises(ValueError, match="it was edited"):
        choose_audited_split(dataset, str(path))


def test_other_words_are_refused_with_the_nearest(dataset):
    with pytest.raises(ValueError, match="Did you mean 'recording'"):
        choose_audited_split(dataset, "recordings")
    with pytest.raises(ValueError, match="these data have recordings"):
        choose_audited_split(dataset, "published")


def test_windows_are_split_though_they_leak(windows):
    """`train` refuses this split; an audit is there to say what is wrong with it."""
    split, _ = choose_audited_split(open_thoughtviz(windows), "window")
    assert sum(len(fold.test) for fold in split.folds) == 80
