import numpy as np
import pytest
import torch

from phosphene.data.formats import eeg_imagenet40
from phosphene.data.formats.eeg_imagenet40 import (
    inspect_eeg_imagenet40,
    is_eeg_imagenet40,
    read_source,
    trials_from,
)


@pytest.fixture
def write(tmp_path):
    """Write a file of segments and return its path."""

    def write(content, name="eeg.pth"):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return write


def test_segments_become_trials_that_say_what_is_not_known(make_segments, write):
    content = make_segments()
    source = read_source(write(content))
    trials, rejected, places = trials_from(source)
    assert trials.epochs.shape == (48, 128, 440)
    assert (trials.sfreq, trials.unit, trials.tmin, trials.margin) == (1000.0, "a.u.", 0.02, 0)
    assert trials.classes == ("n02106662", "n02124075", "n03445777")
    np.testing.assert_array_equal(trials.epochs[7], content["dataset"][7]["eeg"][:, 20:460])
    table = trials.table
    assert table["stimulus"][9] == "n02124075_1"
    assert table["block"][9] == "subject1_n02124075"
    assert (table["subject"][24], table["recording"][24]) == ("4", "subject4")
    assert set(table["start"]) == set(table["stop"]) == {-1}
    assert set(table["session"]) == {"unknown"}
    assert len(rejected) == 0
    assert places.tolist() == list(range(48))
    assert source.others == ("means",)


def test_other_lengths_are_left_out_and_named(make_segments, write):
    content = make_segments()
    for place, length in {0: 449, 1: 450, 2: 460, 3: 600, 4: 601}.items():
        content["dataset"][place]["eeg"] = torch.randn(128, length)
    trials, rejected, places = trials_from(read_source(write(content)))
    assert rejected["sample"].tolist() == [0, 1, 4]
    assert [reason.split()[0] for reason in rejected["reason"]] == ["shorter", "shorter", "longer"]
    assert places[:3].tolist() == [2, 3, 5]
    assert len(trials) == 45


def test_subject_filter_keeps_places_in_the_file(make_segments, write):
    trials, _, places = trials_from(read_source(write(make_segments())), subject=4)
    assert places.tolist() == list(range(24, 48))
    assert set(trials.table["subject"]) == {"4"}
    with pytest.raises(ValueError, match="must be in the file, 1, 4; got 2"):
        trials_from(read_source(write(make_segments())), subject=2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_precisions_are_converted(make_segments, write, dtype):
    content = make_segments(n_each=1)
    for item in content["dataset"]:
        item["eeg"] = item["eeg"].to(dtype)
        item["label"] = torch.tensor(item["label"])
    trials, _, _ = trials_from(read_source(write(content)))
    assert trials.epochs.dtype == np.float32


def test_inspection_counts(make_segments, write):
    content = make_segments()
    content["dataset"][0]["eeg"] = torch.randn(128, 300)
    found = inspect_eeg_imagenet40(write(content))
    assert (found["n_segments"], found["n_usable"]) == (48, 47)
    assert found["samples"] == [300, 500]
    assert found["per_subject"] == {"1": 24, "4": 24}
    assert found["per_class"] == dict.fromkeys(content["labels"], 16)
    assert found["others"] == ["means"]


def changed(**fields):
    return lambda content: content["dataset"][5].update(fields)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda content: content.pop("labels"), "a dict with a list 'labels'"),
        (lambda content: content.update(dataset=[]), "at least one segment"),
        (lambda content: content.update(labels=["a", "a", "b"]), "two different names"),
        (lambda content: content.update(images=[1, 2]), "`images` holds at least two"),
        (lambda content: content["dataset"].append(3), "`label` of a segment .* segment 48"),
        (changed(label=3), "`label` of a segment is a whole number from 0 to 2; segment 5"),
        (changed(label=-1), "`label` of a segment"),
        (changed(label=1.0), "`label` of a segment"),
        (changed(image=24), "`image` of a segment is a whole number from 0 to 23"),
        (changed(subject="4"), "`subject` of a segment"),
        (changed(eeg=None), "dense tensor of numbers"),
        (changed(eeg=torch.zeros(14, 500)), r"\(128, sample\); segment 5 .* \(14, 500\)"),
        (changed(eeg=torch.zeros(128, 500, dtype=torch.int64)), "dense tensor"),
        (changed(eeg=torch.zeros(128, 500).to_sparse()), "dense tensor"),
        (changed(eeg=torch.zeros(128, 500, dtype=torch.complex64)), "dense tensor"),
    ],
)
def test_refuses_what_is_not_as_published(make_segments, write, change, match):
    content = make_segments()
    change(content)
    with pytest.raises(ValueError, match=match):
        read_source(write(content))


def test_refuses_samples_that_are_not_finite(make_segments, write):
    content = make_segments()
    content["dataset"][5]["eeg"][3, 100] = torch.nan
    with pytest.raises(ValueError, match="must be finite; segment 5"):
        trials_from(read_source(write(content)))


def test_small_files_that_announce_much_are_refused(make_segments, write, monkeypatch):
    content = make_segments(n_each=1)
    for item in content["dataset"]:
        item["eeg"] = torch.zeros(1, 1).expand(128, 10**12)
    source = read_source(write(content))
    with pytest.raises(ValueError, match="none of the 6 has"):
        trials_from(source)
    for item in content["dataset"]:
        item["eeg"] = torch.zeros(1, 1).expand(128, 500)
    monkeypatch.setattr(eeg_imagenet40, "MAX_SAMPLES", 128 * 440 * 5)
    with pytest.raises(ValueError, match="the windows may have"):
        trials_from(read_source(write(content)))


def test_is_known_by_its_name(tmp_path, write):
    assert is_eeg_imagenet40(write({}))
    assert not is_eeg_imagenet40(tmp_path / "missing.pth")
    assert not is_eeg_imagenet40(write({}, "eeg.pt"))
