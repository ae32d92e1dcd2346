import sys

import mne
import mne_bids
import numpy as np
import pandas as pd
import pytest

from phosphene.data.formats.bids import bids_root, read_bids
from phosphene.data.formats.recordings import find_recordings, read_recording

NAMES = ["Fp1", "Cz", "Oz", "VEOG"]
UV = np.random.default_rng(0).normal(0, 20, (4, 1000))
STEM = "sub-01_ses-a_task-faces_run-2"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A BIDS folder with one recording of four events, as mne-bids writes it."""
    root = tmp_path_factory.mktemp("bids")
    info = mne.create_info(NAMES, 100.0, ["eeg", "eeg", "eeg", "eog"])
    raw = mne.io.RawArray(UV * 1e-6, info, verbose="error")
    raw.set_annotations(mne.Annotations([1.0, 2.5, 4.0, 5.5], 0.0, ["face", "house"] * 2))
    raw.info["line_freq"] = 50
    path = mne_bids.BIDSPath(
        subject="01", session="a", task="faces", run="2", datatype="eeg", root=root
    )
    mne_bids.write_raw_bids(
        raw, path, allow_preload=True, format="BrainVision", verbose="error", overwrite=True
    )
    return root


@pytest.fixture
def bids(written, tmp_path):
    """A copy, and the recording in it."""
    import shutil

    root = shutil.copytree(written, tmp_path / "bids")
    return root, root / "sub-01" / "ses-a" / "eeg" / f"{STEM}_eeg.vhdr"


def edit_events(path, **columns):
    table_path = path.with_name(f"{STEM}_events.tsv")
    table = pd.read_csv(table_path, sep="\t", dtype="str", keep_default_na=False)
    table.assign(**columns).to_csv(table_path, sep="\t", index=False)
    return table_path


def test_reads_channels_events_and_identity(bids, recwarn):
    root, path = bids
    assert find_recordings([root]) == [path]
    assert bids_root(path) == root
    recording = read_recording(path)
    np.testing.assert_allclose(recording.signal * 1e6, UV[:3], atol=0.06)
    assert recording.ch_names == ("Fp1", "Cz", "Oz")
    assert recording.events["sample"].tolist() == [100, 250, 400, 550]
    assert recording.events["code"].tolist() == ["face", "house"] * 2
    assert (recording.subject, recording.session) == ("sub-01", "ses-a")
    assert recording.recording == STEM
    assert read_bids(path, channel_types=["eog"]).ch_names == ("VEOG",)
    assert not recwarn


def test_pictures_of_events_are_read(bids):
    path = bids[1]
    files = ["faces/1.jpg", "houses/2.jpg", "faces/1.jpg", "n/a"]
    edit_events(path, stim_file=files)
    assert read_bids(path).events["stimulus"].tolist() == ["1.jpg", "2.jpg", "1.jpg", ""]
    edit_events(path, picture=["faces/1.jpg", "houses/1.jpg"] * 2)
    named = read_bids(path, stimulus_column="picture").events["stimulus"].tolist()
    assert named == ["faces/1.jpg", "houses/1.jpg"] * 2
    with pytest.raises(ValueError, match="Did you mean 'picture'"):
        read_bids(path, stimulus_column="pictures")


def test_events_table_takes_precedence_and_its_gaps_count(bids):
    path = bids[1]
    before = read_bids(path).sha256
    edit_events(path, trial_type=["face", "n/a", "BAD_move", "house"], duration="0.1")
    recording = read_bids(path)
    assert recording.events["code"].tolist() == ["face", "house"]
    assert recording.gaps[0] == 400
    assert recording.sha256 != before
    table_path = edit_events(path, onset=["99", "1", "2.5", "-4"])
    assert read_bids(path, strict=False).events["sample"].tolist() == []
    table_path.unlink()
    with pytest.raises(ValueError, match="has none in annotations"):
        read_bids(path)


def test_bad_channels_of_the_table_are_left_out_knowingly(bids):
    path = bids[1]
    channels = path.with_name(f"{STEM}_channels.tsv")
    table = pd.read_csv(channels, sep="\t", dtype="str", keep_default_na=False)
    table.loc[table["name"] == "Cz", "status"] = "bad"
    table.to_csv(channels, sep="\t", index=False)
    with pytest.raises(ValueError, match="marks Cz"):
        read_bids(path)
    assert read_bids(path, drop_channels=["Cz"]).ch_names == ("Fp1", "Oz")


def test_refuses_tables_that_are_none_and_files_elsewhere(bids, tmp_path):
    path = bids[1]
    table_path = path.with_name(f"{STEM}_events.tsv")
    for content in (b"", b"\xff\xfe\x00", b"a\tb\n1\t2\n", b"onset\ttrial_type\nx\ty\n"):
        table_path.write_bytes(content)
        with pytest.raises(ValueError, match=r"events\.tsv is a table"):
            read_bids(path)
    table_path.write_text("onset\tduration\n1\t0\n")
    with pytest.raises(ValueError, match="no column trial_type or value"):
        read_bids(path)
    (tmp_path / "secret.tsv").write_text("onset\tvalue\n1\tx\n")
    table_path.unlink()
    table_path.symlink_to(tmp_path / "secret.tsv")
    with pytest.raises(ValueError, match="through a symbolic link"):
        read_bids(path)
    with pytest.raises(ValueError, match="is none; move it"):
        read_bids(tmp_path / "sub-01_eeg.edf")


def test_says_how_to_install_what_is_missing(bids, monkeypatch):
    monkeypatch.setitem(sys.modules, "mne_bids", None)
    with pytest.raises(ValueError, match=r"/\S+ -m pip install mne-bids\.$"):
        read_bids(bids[1])


def test_derivatives_are_not_searched(bids):
    root, path = bids
    for name in ("derivatives/sub-01/x.edf", "sourcedata/y.bdf"):
        (root / name).parent.mkdir(parents=True)
        (root / name).touch()
    assert find_recordings([root]) == [path]
