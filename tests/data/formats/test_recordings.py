import os

import edfio
import mne
import numpy as np
import pytest
import scipy.io

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
        *("l_split-01_eeg.fif", "l_split-02_eeg.fif", "m_split-02_eeg.fif"),
    )
    found = [p.name for p in find_recordings([tmp_path])]
    assert found == [
        *("a.edf", "b.BDF", "c.vhdr", "d.set", "e_raw.fif.gz", "f_raw.fif", "g-2.fif", "h.xdf"),
        *("i.cnt", "j.mff", "k.gdf", "l_split-01_eeg.fif", "m_split-02_eeg.fif"),
    ]
    assert has_recordings(tmp_path)
    assert has_recordings(tmp_path / "c.eeg")
    assert not has_recordings(tmp_path / "c.vmrk")


@pytest.fixture
def raw():
    """Ten minutes of four channels, with an event near the beginning and near the end."""
    values = np.random.default_rng(0).normal(0, 2e-5, (4, 150_000))
    info = mne.create_info(["Cz", "Pz", "Oz", "Fz"], 250.0, "eeg")
    raw = mne.io.RawArray(values, info, verbose="error")
    return raw.set_annotations(mne.Annotations([1.0, 500.0], 0.0, ["a", "b"]))


@pytest.mark.parametrize(
    ("name", "naming", "first", "others"),
    [
        ("x_raw.fif", "neuromag", "x_raw.fif", ["x_raw-1.fif", "x_raw-2.fif"]),
        ("x_raw.fif.gz", "neuromag", "x_raw.fif.gz", ["x_raw.fif-1.gz", "x_raw.fif-2.gz"]),
        ("x_eeg.fif", "bids", "x_split-01_eeg.fif", ["x_split-02_eeg.fif", "x_split-03_eeg.fif"]),
    ],
)
def test_a_recording_in_parts_is_one(tmp_path, raw, name, naming, first, others):
    raw.save(tmp_path / name, split_size="2MB", split_naming=naming, verbose="error")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first, *others])
    (found,) = find_recordings([tmp_path])
    assert found.name == first
    recording = read_recording(found)
    np.testing.assert_allclose(recording.signal, raw.get_data(), rtol=1e-5)
    assert recording.events["sample"].tolist() == [250, 125_000]
    last = tmp_path / others[-1]
    content = bytearray(last.read_bytes())
    if last.suffix == ".fif":  # a value of the last part changes the recording's hash
        content[-1000] ^= 1
        last.write_bytes(content)
        assert read_recording(found).sha256 != recording.sha256
    last.write_bytes(content[:-2000])
    with pytest.raises(ValueError, match=f"{last.name} (is not|of .* leads out)"):
        read_recording(found)


def test_the_samples_of_an_eeglab_file_may_lie_beside_it(tmp_path, raw):
    values = raw.get_data()[:, :2000].astype("<f4") * 1e6
    eeg = {
        **{"setname": "a", "nbchan": 4.0, "trials": 1.0, "pnts": 2000.0, "srate": 250.0},
        **{"xmin": 0.0, "xmax": 1999 / 250, "data": "a.fdt", "datfile": "a.fdt"},
        "chanlocs": np.array([({"labels": name}) for name in raw.ch_names]),
        "event": np.array([{"type": "a", "latency": 251.0}, {"type": "b", "latency": 501.0}]),
        **{key: np.zeros((0, 0)) for key in ("icawinv", "icasphere", "icaweights", "icaact")},
    }
    scipy.io.savemat(tmp_path / "a.set", {"EEG": eeg}, appendmat=False)
    (tmp_path / "a.fdt").write_bytes(values.tobytes(order="F"))
    (found,) = find_recordings([tmp_path])
    recording = read_recording(found)
    np.testing.assert_allclose(recording.signal, values * 1e-6, rtol=1e-5)
    assert recording.events["sample"].tolist() == [250, 500]
    (tmp_path / "a.fdt").write_bytes((values + 1).tobytes(order="F"))
    assert read_recording(found).sha256 != recording.sha256
    (tmp_path / "a.fdt").rename(tmp_path.parent / "a.fdt")
    with pytest.raises(ValueError, match=r"a\.fdt"):
        read_recording(found)
    (tmp_path / "a.fdt").symlink_to(tmp_path.parent / "a.fdt")
    with pytest.raises(ValueError, match=r"a\.set refers to a\.fdt outside it"):
        read_recording(found)


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
