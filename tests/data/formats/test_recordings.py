import os

import edfio
import numpy as np
import pytest

from phosphene.data.formats.recordings import (
    find_recordings,
    has_recordings,
    read_recording,
    read_recordings,
)


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_finds_recordings_recursively_and_once(tmp_path):
    touch(tmp_path / "b", "s/2.csv", "1.CSV", ".hidden/3.csv", "notes.txt", "4.eeg", "data_1.bin")
    found = find_recordings([tmp_path / "b", tmp_path / "b" / "s" / "2.csv"])
    assert [p.name for p in found] == ["1.CSV", "2.csv"]


def test_finds_every_format_but_not_what_belongs_to_another(tmp_path):
    touch(
        tmp_path,
        *("a.edf", "b.BDF", "c.vhdr", "c.vmrk", "c.eeg", "d.set", "d.fdt", "e_raw.fif.gz"),
        *("f_raw.fif", "f_raw-1.fif", "f-epo.fif", "f-eve.fif", "g-2.fif", "h.xdf", "i.cnt"),
        *("j.mff/signal1.bin", "j.mff/inside.edf", "k.gdf"),
    )
    found = [p.name for p in find_recordings([tmp_path])]
    assert found == [
        *("a.edf", "b.BDF", "c.vhdr", "d.set", "e_raw.fif.gz", "f_raw.fif", "g-2.fif", "h.xdf"),
        *("i.cnt", "j.mff", "k.gdf"),
    ]
    assert has_recordings(tmp_path)
    assert has_recordings(tmp_path / "c.eeg")
    assert not has_recordings(tmp_path / "c.vmrk")


def test_refuses_folders_without_recordings(tmp_path):
    with pytest.raises(ValueError, match="holds none"):
        find_recordings([tmp_path])
    with pytest.raises(ValueError, match="nothing at"):
        find_recordings([tmp_path / "absent"])
    assert not has_recordings(tmp_path)


def test_reads_a_recording_by_suffix(tmp_path, muse_text):
    path = tmp_path / "a.csv"
    path.write_text(muse_text())
    assert read_recording(path, subject="1", session="2").recording == "1_2_a"
    touch(tmp_path, "a.edf", "a.docx", "a-epo.fif")
    for name, says in (
        ("a.edf", "header"),
        ("a.docx", r"\.csv, .*a\.docx"),
        ("a-epo.fif", "continuous"),
        ("b.csv", "none at"),
    ):
        with pytest.raises(ValueError, match=says):
            read_recording(tmp_path / name)


def test_refuses_options_of_other_formats(tmp_path, muse_text):
    path = tmp_path / "a.csv"
    path.write_text(muse_text())
    touch(tmp_path, "a.edf")
    says = r"`--events-from` is for .* XDF, MNE, BIDS; a\.csv is muse"
    with pytest.raises(ValueError, match=says):
        read_recording(path, events_from="annotations")
    with pytest.raises(ValueError, match=r"`--stimulus-column` is for .*a\.edf is MNE; leave"):
        read_recording(tmp_path / "a.edf", stimulus_column="picture")
    assert read_recording(path, channel_types=("eeg",), rename_channels={}).n_samples == 1024


def write_edf(path, *names):
    rng = np.random.default_rng(len(names))
    signals = [edfio.EdfSignal(rng.normal(0, 20, 500), 100.0, label=name) for name in names]
    for signal in signals:
        signal.physical_dimension = "uV"
    edfio.Edf(signals, annotations=[edfio.EdfAnnotation(1.0, None, "go")]).write(path)
    return path


def test_a_channel_to_leave_out_must_be_in_one_file_and_need_not_be_in_all(tmp_path):
    wide = write_edf(tmp_path / "a.edf", "EEG Fz", "EEG Cz", "EEG Pz")
    narrow = write_edf(tmp_path / "b.edf", "EEG Fz", "EEG Cz")
    for paths in ([wide, narrow], [narrow, wide]):
        found = read_recordings(paths, drop_channels=["Pz"])
        assert [recording.ch_names for recording in found] == [("Fz", "Cz")] * 2
    with pytest.raises(ValueError, match=r"got 'pz'\. Did you mean 'Pz'"):
        read_recordings([narrow, wide], drop_channels=["Pz", "pz"])
    with pytest.raises(ValueError, match="drop-channels"):
        read_recordings([narrow], drop_channels=["Pz"])


def test_refuses_names_that_are_no_text(tmp_path, muse_text):
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text(muse_text())
    with pytest.raises(ValueError, match="must be UTF-8"):
        read_recording(path)
