import mne
import numpy as np
import pandas as pd
import pytest

from phosphene.data.mne_epochs import epochs_from_trials, save_epochs
from phosphene.data.preprocess import cut_epochs
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.recording import Recording


@pytest.fixture
def trials():
    """Trials of two recordings whose events lie at the same samples."""
    events = pd.DataFrame({"sample": [200, 500, 800], "code": ["1", "2", "1"]})
    recordings = [
        Recording(
            signal=np.random.default_rng(seed).normal(0, 2e-5, (3, 2000)).astype(np.float32),
            sfreq=100.0,
            ch_names=("TP9", "AF7", "Mine"),
            recording=f"r{seed}",
            subject="001",
            session="NA",
            events=events,
            source="x.edf",
            sha256="",
        )
        for seed in range(2)
    ]
    settings = Preprocessing(band=None, resample=None, tmin=-0.1, tmax=0.5)
    return cut_epochs(recordings, settings, events={"1": "house", "2": "face"})[0]


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # in mne.read_epochs
def test_a_round_trip_through_fif_keeps_everything(trials, tmp_path):
    epochs = epochs_from_trials(trials, montage="standard_1020", description="mine")
    path = tmp_path / "new" / "x-epo.fif"
    save_epochs(path, epochs)
    assert [p.name for p in path.parent.iterdir()] == ["x-epo.fif"]
    back = mne.read_epochs(path, verbose="error")
    np.testing.assert_array_equal(back.get_data().astype(np.float32), trials.epochs)
    assert back.ch_names == list(trials.ch_names)
    assert back.get_channel_types() == ["eeg"] * 3
    assert back.event_id == {"house": 1, "face": 2}
    np.testing.assert_array_equal(back.events[:, 2], trials.labels + 1)
    assert len(back["face"]) == 2
    assert back.info["sfreq"] == trials.sfreq
    assert back.info["description"] == "mine"
    np.testing.assert_allclose(back.times, trials.times, atol=1e-9)
    assert back.baseline is None
    assert back.metadata["subject"].tolist() == ["001"] * 6
    assert back.metadata["session"].tolist() == ["NA"] * 6
    assert back.metadata["trial"].tolist() == trials.table["trial"].tolist()
    np.testing.assert_allclose(back.metadata["onset"], trials.table["onset"])
    positions = back.get_montage().get_positions()["ch_pos"]
    assert np.isfinite(positions["TP9"]).all()
    assert np.isnan(positions["Mine"]).all()


def test_the_margin_can_be_kept(trials):
    epochs = epochs_from_trials(trials, with_margin=True)
    np.testing.assert_array_equal(epochs.get_data().astype(np.float32), trials.epochs_with_margin)
    assert epochs.tmin == pytest.approx(-0.3)


def test_other_units_are_no_eeg_and_absent_classes_no_event(trials):
    from dataclasses import replace

    houses = replace(trials, unit="z").select(trials.labels == 0)
    epochs = epochs_from_trials(houses, montage="standard_1020")
    assert set(epochs.get_channel_types()) == {"misc"}
    assert epochs.event_id == {"house": 1}


def test_refuses_to_overwrite_and_what_mne_would_not_read(trials, tmp_path, monkeypatch):
    epochs = epochs_from_trials(trials)
    path = tmp_path / "x-epo.fif"
    path.write_text("mine")
    with pytest.raises(ValueError, match="written once"):
        save_epochs(path, epochs)
    assert path.read_text() == "mine"
    for name in ("x.fif", "-epo.fif", "x-epo.edf"):
        with pytest.raises(ValueError, match=r"called \.\.\.-epo\.fif"):
            save_epochs(tmp_path / name, epochs)
    with pytest.raises(ValueError, match="need a trial"):
        epochs_from_trials(trials.select([]))
    monkeypatch.setattr("phosphene.data.mne_epochs.MAX_BYTES", 100)
    with pytest.raises(ValueError, match="at most 100 bytes"):
        save_epochs(tmp_path / "y-epo.fif", epochs)


def test_a_failed_write_leaves_nothing(trials, tmp_path, monkeypatch):
    epochs = epochs_from_trials(trials)

    def fail(self, path, **options):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(type(epochs), "save", fail)
    with pytest.raises(OSError, match="disk full"):
        save_epochs(tmp_path / "x-epo.fif", epochs)
    assert list(tmp_path.iterdir()) == []
