"""Real recordings in each format, from the raw file to pictures, through the command line.

One line per format: pytest -m slow -s tests/acceptance/test_formats.py
"""

import json
import sys

import mne
import numpy as np
import pytest

from phosphene.cli.main import main

CROPPED_S = 60
CODES = ("1", "2")  # houses, faces
N_RECORDINGS = 2


def write_brainvision(path, recording):
    import pybv

    rows = recording.events.itertuples()
    pybv.write_brainvision(
        data=recording.signal.astype(np.float64),
        sfreq=recording.sfreq,
        ch_names=list(recording.ch_names),
        fname_base=path.stem,
        folder_out=path.parent,
        events=[{"onset": r.sample, "description": int(r.code), "type": "Stimulus"} for r in rows],
        fmt="binary_float32",
    )


def write_by_mne(path, recording):
    info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg")
    raw = mne.io.RawArray(recording.signal.astype(np.float64), info, verbose="error")
    onsets = recording.events["sample"] / recording.sfreq
    raw.set_annotations(mne.Annotations(onsets, 0.0, recording.events["code"].tolist()))
    if path.suffix == ".fif":
        raw.save(path, verbose="error")
    else:
        mne.export.export_raw(path, raw, verbose="error")


FORMATS = {
    "FIF": ("_raw.fif", write_by_mne, "{}"),
    "EDF": (".edf", write_by_mne, "{}"),
    "BDF": (".bdf", write_by_mne, "{}"),
    "BrainVision": (".vhdr", write_brainvision, "Stimulus/S  {}"),
    "EEGLAB": (".set", write_by_mne, "{}"),
}


@pytest.fixture(scope="module")
def muse(real_data):
    """The first minute of two recordings of a Muse."""
    from dataclasses import replace

    from phosphene.data.formats import read_recording

    folder = real_data / "muse-visual" / "N170" / "subject1"
    paths = sorted(folder.rglob("*.csv"))[:N_RECORDINGS]
    recordings = [read_recording(path) for path in paths]
    n = round(CROPPED_S * recordings[0].sfreq)
    return [
        replace(
            recording,
            signal=recording.signal[:, :n],
            events=recording.events[recording.events["sample"] < n],
            gaps=(),
        )
        for recording in recordings
    ]


def call(capsys, *words):
    code = main([str(word) for word in words])
    out, error = capsys.readouterr()
    assert code == 0, error
    return out, error


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_real_recordings_become_pictures(name, muse, real_data, tmp_path, capsys, monkeypatch):
    suffix, write, code_as = FORMATS[name]
    folder = tmp_path / "subject1" / "session1"
    folder.mkdir(parents=True)
    for number, recording in enumerate(muse, start=1):
        write(folder / f"run{number}{suffix}", recording)
    monkeypatch.chdir(tmp_path)

    found = json.loads(call(capsys, "data", "inspect", "subject1", "--json")[0])
    for record, recording in zip(found["recordings"], muse, strict=True):
        assert record["sfreq"] == 256
        assert [c["name"] for c in record["channels"]] == list(recording.ch_names)
        counts = {code_as.format(c): int((recording.events["code"] == c).sum()) for c in CODES}
        assert {code: event["n"] for code, event in record["events"].items()} == counts

    codes = [code_as.format(code) for code in CODES]
    events = ["--events", f"{codes[0]}=houses", f"{codes[1]}=faces"]
    pictures = real_data / "muse-visual" / "stimuli" / "face_house"
    _, error = call(
        capsys,
        *("data", "import", "subject1", "--out", "data", "--montage", "standard_1020"),
        *("--images", pictures, "--shown", "*3.jpg", "--image-size", 32, *events),
    )
    assert error == ""
    signals = _trials_of(tmp_path / "data", muse)

    call(capsys, "train", "eeg2image_2023", "smoke", "--data", "data", "--out", "run")
    raw = folder / f"run1{suffix}"
    call(
        capsys,
        *("generate", "run/bundle", "--signals", raw, "--out", "pictures", "--n-draws", 1),
        *("--n-trials", 4, *events),
    )
    n_pictures = len(list((tmp_path / "pictures" / "pictures").glob("*.png")))
    assert n_pictures == 4
    with capsys.disabled():
        sys.stdout.write(
            f"\n{name:<12}{sum(len(r.events) for r in muse)} events, {signals['n']} trials, "
            f"differs from the CSV by at most {signals['largest_uv']:.3f} uV, "
            f"{n_pictures} pictures\n"
        )


def _trials_of(folder, muse):
    """Compare the imported trials with those cut from the CSV files."""
    from phosphene.cli.data_import import HEADSET
    from phosphene.data.dataset import load_dataset
    from phosphene.data.preprocess import cut_epochs

    expected, _ = cut_epochs(muse, HEADSET, events={"1": "houses", "2": "faces"})
    trials = load_dataset(folder).trials
    assert trials.table["class_name"].tolist() == expected.table["class_name"].tolist()
    assert trials.table["start"].tolist() == expected.table["start"].tolist()
    largest = float(np.abs(trials.epochs - expected.epochs).max() * 1e6)
    assert largest < 0.5  # EDF keeps 16 bits, a Muse 12 of 0.488 uV
    return {"n": len(trials), "largest_uv": largest}
