"""Each format is written by its own library, and the values are compared."""

import gzip
import shutil

import edfio
import mne
import numpy as np
import pytest

from phosphene.data.formats.mne_raw import read_mne_raw

NAMES = ("TP9", "AF7", "AF8")
SFREQ = 100.0
ONSETS = (1.0, 2.5, 4.0, 5.5)
CODES = ("S  1", "S  2", "S  1", "S  2")
UV = np.random.default_rng(0).normal(0, 20, (3, 1000)).round(2)


def write_edf(path, *, signals=(), annotations=True, dimension="uV"):
    kind = edfio.Bdf if path.suffix == ".bdf" else edfio.Edf
    signal = edfio.BdfSignal if path.suffix == ".bdf" else edfio.EdfSignal
    limits = {"physical_range": (-200, 200), "physical_dimension": dimension}
    own = [
        signal(values, SFREQ, label=f"EEG {name}", **limits)
        for name, values in zip(NAMES, UV, strict=True)
    ]
    marks = [edfio.EdfAnnotation(t, None, c) for t, c in zip(ONSETS, CODES, strict=True)]
    kind([*own, *signals], annotations=marks if annotations else []).write(path)
    return path


def mne_raw(**annotations):
    raw = mne.io.RawArray(UV * 1e-6, mne.create_info(list(NAMES), SFREQ, "eeg"), verbose="error")
    marks = {"onset": list(ONSETS), "duration": [0.0] * 4, "description": list(CODES)}
    for key, values in annotations.items():
        marks[key] += values
    return raw.set_annotations(mne.Annotations(**marks))


def write_brainvision(path):
    import pybv

    events = [
        {"onset": round(t * SFREQ), "description": int(c[-1]), "type": "Stimulus"}
        for t, c in zip(ONSETS, CODES, strict=True)
    ]
    pybv.write_brainvision(
        data=UV * 1e-6,
        sfreq=SFREQ,
        ch_names=list(NAMES),
        fname_base=path.stem,
        folder_out=path.parent,
        events=events,
        resolution=0.01,
        fmt="binary_float32",
    )
    return path


def write_eeglab(path, raw=None):
    mne.export.export_raw(path, raw or mne_raw(), verbose="error", overwrite=True)
    return path


def write_fif(path, raw=None):
    (raw or mne_raw()).save(path, verbose="error", overwrite=True)
    return path


WRITERS = {
    "a.edf": (write_edf, 0.004, ""),
    "a.bdf": (write_edf, 1e-4, ""),
    "a.vhdr": (write_brainvision, 1e-4, "Stimulus/"),
    "a.set": (write_eeglab, 1e-5, ""),
    "a.fif": (write_fif, 1e-5, ""),
    "a_raw.fif.gz": (write_fif, 1e-5, ""),
}


@pytest.mark.parametrize("name", WRITERS)
def test_reads_each_format(tmp_path, name, recwarn):
    write, within_uv, prefix = WRITERS[name]
    folder = tmp_path / "sub-01" / "ses-2"
    folder.mkdir(parents=True)
    recwarn.clear()
    recording = read_mne_raw(write(folder / name), montage="standard_1020")
    assert recording.signal.dtype == np.float32
    np.testing.assert_allclose(recording.signal * 1e6, UV, atol=within_uv)
    assert recording.sfreq == SFREQ
    assert recording.ch_names == NAMES
    assert recording.events["sample"].tolist() == [100, 250, 400, 550]
    assert recording.events["code"].tolist() == [prefix + code for code in CODES]
    assert (recording.subject, recording.session) == ("sub-01", "ses-2")
    assert recording.recording == f"sub-01_ses-2_{name.split('.')[0]}"
    assert recording.source == name
    assert recording.montage == "standard_1020"
    assert recording.gaps == ()
    assert recording.meas_note == ""


def test_options_name_channels_and_identity(tmp_path):
    path = write_edf(tmp_path / "a.edf")
    recording = read_mne_raw(
        path,
        subject="001",
        session="a",
        drop_channels=["AF7"],
        rename_channels={"TP9": "T9"},
        events_from="annotations",
    )
    assert recording.ch_names == ("T9", "AF8")
    assert recording.recording == "001_a_a"
    with pytest.raises(ValueError, match="did you mean 'TP9'"):
        read_mne_raw(path, rename_channels={"TP99": "T9"})
    with pytest.raises(ValueError, match="Did you mean 'AF7'"):
        read_mne_raw(path, drop_channels=["af7"])
    with pytest.raises(ValueError, match=r"types eog; a\.edf keeps none .*\(3 eeg\)"):
        read_mne_raw(path, channel_types=["eog"])
    with pytest.raises(ValueError, match="Did you mean 'eeg'"):
        read_mne_raw(path, channel_types=["eegs"])
    with pytest.raises(ValueError, match="montage biosemi16; TP9, "):
        read_mne_raw(path, montage="biosemi16")


@pytest.mark.parametrize("name", ["a.edf", "a.vhdr", "a.set", "a.fif", "a.gdf", "a.cnt", "a.bdf"])
def test_refuses_what_is_no_such_file(tmp_path, name, recwarn):
    for content in (b"", b"\0" * 3000, b"word,word\n" * 300, bytes(range(256)) * 20):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name) as caught:
            read_mne_raw(tmp_path / name)
        assert str(caught.value).count("\n") == 0
        assert str(tmp_path) not in str(caught.value)
    assert not recwarn


def test_events_of_a_stimulus_channel(tmp_path):
    status = np.zeros(1000)
    status[:50] = 9  # held from the start: no event
    status[[100, 400]] = 1
    status[250:300] = 2
    status[550] = 2 + (1 << 16)  # the amplifier's bits do not count
    trigger = edfio.BdfSignal(
        status,
        SFREQ,
        label="Status",
        physical_dimension="Boolean",
        physical_range=(-8388608, 8388607),
        digital_range=(-8388608, 8388607),
    )
    path = write_edf(tmp_path / "a.bdf", signals=[trigger], annotations=False)
    recording = read_mne_raw(path)
    assert recording.ch_names == NAMES
    assert recording.events["sample"].tolist() == [100, 250, 400, 550]
    assert recording.events["code"].tolist() == ["1", "2", "1", "2"]

    path = write_edf(tmp_path / "both.bdf", signals=[trigger])
    with pytest.raises(ValueError, match=r"annotations has 4 .*Status has 4 .*--events-from annot"):
        read_mne_raw(path)
    assert read_mne_raw(path, events_from="Status").events["code"].tolist() == ["1", "2", "1", "2"]
    assert read_mne_raw(path, events_from="annotations").events["code"].tolist() == list(CODES)
    looked_at = read_mne_raw(path, strict=False)
    assert looked_at.import_options == ("--events-from", "annotations")
    with pytest.raises(ValueError, match="Did you mean 'Status'"):
        read_mne_raw(path, events_from="Statsu")


def test_a_named_channel_gives_events_whatever_its_type(tmp_path):
    values = np.zeros(1000)
    values[[100, 400]] = 3
    limits = {"physical_range": (0, 100), "digital_range": (0, 100), "physical_dimension": "uV"}
    path = write_edf(
        tmp_path / "a.edf", signals=[edfio.EdfSignal(values, SFREQ, label="DC1", **limits)]
    )
    recording = read_mne_raw(path, events_from="DC1")
    assert recording.ch_names == NAMES
    assert recording.events["code"].tolist() == ["3", "3"]
    assert "DC1" in read_mne_raw(path, strict=False).ch_names
    with pytest.raises(ValueError, match=r"rests between events; TP9 of a\.edf"):
        read_mne_raw(path, events_from="TP9")


def test_channels_of_other_rates_and_units_are_left_out_knowingly(tmp_path):
    slow = edfio.EdfSignal(np.arange(100) % 7.0, 10, label="Resp", physical_dimension="uV")
    warm = edfio.EdfSignal(np.arange(1000) % 7.0, 100, label="Temp", physical_dimension="degC")
    path = write_edf(tmp_path / "a.edf", signals=[slow, warm])
    with pytest.raises(ValueError, match=r"Resp of a\.edf has another .*--drop-channels Resp Temp"):
        read_mne_raw(path)
    recording = read_mne_raw(path, drop_channels=["Resp", "Temp"])
    np.testing.assert_allclose(recording.signal * 1e6, UV, atol=0.004)
    looked_at = read_mne_raw(path, strict=False)
    assert looked_at.ch_names == NAMES
    assert looked_at.bad_channels == ("Resp", "Temp")
    assert "degC" in looked_at.meas_note
    only_slow = read_mne_raw(path, drop_channels=[*NAMES, "Temp"])
    assert (only_slow.sfreq, only_slow.n_samples) == (10, 100)
    assert only_slow.events["sample"].tolist() == [10, 25, 40, 55]


def test_interruptions_and_bad_stretches_become_gaps(tmp_path):
    marks = {
        "onset": [3.0, 6.0, 7.0, 8.0, 9.0],
        "duration": [0.0, 0.0, 0.2, 0.0, 0.0],
        "description": ["BAD boundary", "EDGE boundary", "bad_blink", "boundary", "New Segment/"],
    }
    recording = read_mne_raw(write_fif(tmp_path / "a.fif", mne_raw(**marks)))
    assert recording.gaps == (300, 600, 700, 705, 710, 715, 720, 800, 900)
    assert recording.events["code"].tolist() == list(CODES)
    assert "1 stretches are annotated as bad" in recording.meas_note


def test_no_epoch_lies_in_a_bad_stretch(tmp_path):
    from phosphene.data.preprocess import GAP, cut_epochs
    from phosphene.data.preprocessing import Preprocessing

    marks = {"onset": [3.8], "duration": [1.5], "description": ["BAD_ACQ_SKIP"]}
    recording = read_mne_raw(write_fif(tmp_path / "a.fif", mne_raw(**marks)))
    settings = Preprocessing(tmax=0.5, resample=None, band=None)
    trials, rejected = cut_epochs([recording], settings, events={"S  1": "a", "S  2": "b"})
    assert trials.table["start"].tolist() == [100, 250, 550]
    assert rejected["sample"].tolist() == [400]
    assert set(rejected["reason"]) == {GAP}


def test_channels_marked_bad_are_left_out_knowingly(tmp_path):
    raw = mne_raw()
    raw.info["bads"] = ["AF8"]
    path = write_fif(tmp_path / "a.fif", raw)
    with pytest.raises(ValueError, match=r"marks AF8; .*--drop-channels AF8"):
        read_mne_raw(path)
    assert read_mne_raw(path, drop_channels=["AF8"]).ch_names == NAMES[:2]
    assert read_mne_raw(path, strict=False).bad_channels == ("AF8",)


def test_refuses_nan_constant_channels_and_files_without_events(tmp_path):
    for value, says in ((np.nan, "finite number"), (3e-6, "constant at 3 uV")):
        raw = mne_raw()
        raw._data[1] = value
        path = write_fif(tmp_path / "a.fif", raw)
        with pytest.raises(ValueError, match=rf"{says}.*--drop-channels AF7|AF7.*{says}"):
            read_mne_raw(path)
        assert read_mne_raw(path, strict=False).n_samples == 1000
    path = write_edf(tmp_path / "a.edf", annotations=False)
    with pytest.raises(ValueError, match=r"a\.edf has none in annotations; .*--events-from"):
        read_mne_raw(path)
    assert len(read_mne_raw(path, strict=False).events) == 0


def test_signals_longer_than_a_block_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("phosphene.data.formats.mne_raw.BLOCK_VALUES", 500)
    recording = read_mne_raw(write_edf(tmp_path / "a.edf"))
    np.testing.assert_allclose(recording.signal * 1e6, UV, atol=0.004)


def test_the_hash_covers_all_files(tmp_path):
    path = write_brainvision(tmp_path / "a.vhdr")
    before = read_mne_raw(path).sha256
    marks = tmp_path / "a.vmrk"
    marks.write_text(marks.read_text().replace("S  1", "S  3"))
    assert read_mne_raw(path).sha256 != before


def test_parts_outside_the_folder_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    path = write_brainvision(tmp_path / "in" / "a.vhdr")
    (tmp_path / "in" / "a.eeg").rename(tmp_path / "a.eeg")
    (tmp_path / "in" / "a.eeg").symlink_to(tmp_path / "a.eeg")
    with pytest.raises(ValueError, match=r"a\.vhdr refers to a\.eeg outside it through a symbolic"):
        read_mne_raw(path)


def test_a_packed_file_is_no_bomb(tmp_path):
    path = tmp_path / "a.fif.gz"
    path.write_bytes(gzip.compress(bytes(1 << 20)))
    with pytest.raises(ValueError, match=r"a\.fif\.gz"):
        read_mne_raw(path)
    shutil.copy(path, tmp_path / "a.set")
    with pytest.raises(ValueError, match=r"a\.set"):
        read_mne_raw(tmp_path / "a.set")


def test_looking_at_a_file_without_eeg_names_the_type_it_has(tmp_path):
    raw = mne_raw().set_channel_types(dict.fromkeys(NAMES, "seeg"), verbose="error")
    path = write_fif(tmp_path / "a.fif", raw)
    with pytest.raises(ValueError, match=r"\(3 seeg\); choose others with --channel-types"):
        read_mne_raw(path)
    assert read_mne_raw(path, strict=False).import_options == ("--channel-types", "seeg")
    assert read_mne_raw(path, channel_types=["seeg"]).ch_names == NAMES
