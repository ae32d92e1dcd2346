import json
import pickle
import shutil

import numpy as np
import pytest
import torch

from phosphene.cli.audit import main
from phosphene.cli.main import main as phosphene
from phosphene.cli.wrong_use import WrongUseError


@pytest.fixture
def pickled(tmp_path):
    """Windows cut with overlap from twenty recordings of one class each, shuffled into halves."""
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(20):
        signal = rng.standard_normal((14, 200)).cumsum(axis=1)
        views = np.lib.stride_tricks.sliding_window_view(signal, 32, axis=1)[:, ::16]
        parts.append(views.transpose(1, 0, 2))
    x = np.concatenate(parts)[..., None]
    y = np.eye(10)[np.repeat(np.arange(20) % 10, len(parts[0]))]
    order = rng.permutation(len(x))
    test, train = order[:50], order[50:]
    content = {"x_train": x[train], "y_train": y[train], "x_test": x[test], "y_test": y[test]}
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(content, 2))
    return tmp_path / "data.pkl"


def test_a_pickle_is_audited_to_json(pickled, capsys):
    main([str(pickled), "--json"])
    report = json.loads(capsys.readouterr().out)
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert found["overlap_in_samples"]["severity"] == "severe"
    assert found["few_independent_recordings"]["evidence"]["stretches"] == 20
    assert report["about"]["kind"] == "ThoughtViz pickle"
    assert report["about"]["n_recordings"] is None


def test_strict_ends_with_1_on_a_severe_finding(pickled, data_folder, capsys):
    assert phosphene(["audit", str(pickled), "--strict"]) == 1
    assert phosphene(["audit", str(data_folder), "--strict"]) == 0


def test_findings_are_printed_worst_first_and_written_as_a_page(pickled, tmp_path, capsys):
    main([str(pickled), "--out", str(tmp_path / "audit.html")])
    out = capsys.readouterr().out
    assert out.index("severe") < out.index("warning")
    for words in (
        "share samples with training windows",
        "remedy",
        "effect",
        "rows ",
        "checks made",
    ):
        assert words in out
    assert f"page    {tmp_path / 'audit.html'}" in out
    assert "share samples" in (tmp_path / "audit.html").read_text()


def test_a_split_of_windows_is_named_in_a_data_set(data_folder, capsys):
    main([str(data_folder), "--split", "window", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["about"]["split_in_words"] == "single windows shared among folds"
    assert "shared_recording" in {finding["kind"] for finding in report["findings"]}


def test_the_block_design_of_eeg_imagenet40_is_severe(tmp_path, make_segments, make_splits, capsys):
    torch.save(make_segments(), tmp_path / "eeg.pth")
    torch.save(make_splits(), tmp_path / "splits.pth")
    main([str(tmp_path / "eeg.pth"), "--split", str(tmp_path / "splits.pth"), "--json"])
    report = json.loads(capsys.readouterr().out)
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert found["class_aligned_with_block"]["severity"] == "severe"
    assert report["about"]["split_in_words"] == "the split published with the data"


def test_recordings_are_audited_without_importing_them(lab, tmp_path, capsys):
    """A recording stands in both sessions: import would refuse it, the audit names it."""
    folder = tmp_path / "subject01"
    shutil.copytree(lab / "raw" / "subject01" / "session1", folder / "session1")
    (folder / "session2").mkdir()
    shutil.copy(folder / "session1" / "a.csv", folder / "session2" / "again.csv")
    main([str(folder), "--events", "1=houses", "2=faces", "--json"])
    report = json.loads(capsys.readouterr().out)
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert found["duplicated_recording"]["severity"] == "severe"
    assert "the same samples" in found["duplicated_recording"]["evidence"]["pairs"][0]


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "needs data"),
        (["nowhere"], "there is nothing at nowhere"),
        (["PICKLE", "--events", "1=a", "2=b"], "--events cannot be followed"),
        (["PICKLE", "--tmin", "0.1"], "settings of epochs cannot be followed"),
        (["DATA", "--set", "image"], "--set cannot be followed"),
        (["RAW"], "recordings need `--events`"),
        (["RAW", "--events", "1=a", "--set", "image"], "--set cannot be followed"),
    ],
)
def test_wrong_use_is_explained(words, match, pickled, data_folder, lab, capsys):
    places = {"PICKLE": str(pickled), "DATA": str(data_folder), "RAW": str(lab / "raw")}
    with pytest.raises(WrongUseError, match=match):
        main([places.get(word, word) for word in words])


@pytest.mark.data
def test_the_recording_that_occurs_twice_in_n170_is_named(real_data, capsys):
    folder = real_data / "muse-visual" / "N170" / "subject3"
    main([str(folder), "--events", "1=houses", "2=faces", "--json"])
    report = json.loads(capsys.readouterr().out)
    severe = [f for f in report["findings"] if f["severity"] == "severe"]
    assert [finding["kind"] for finding in severe] == ["duplicated_recording"]
