from dataclasses import replace

import numpy as np
import pytest
import torch

from phosphene.data.dataset import load_dataset, load_extra, load_recordings, save_dataset
from phosphene.data.pairing import Pairing
from phosphene.experiment.responses.session import SETS, prepare_session, scored_rows


def test_windows_are_scaled_one_by_one_and_the_scale_is_kept(session):
    assert session.signals.shape == (80, 6, 313)
    assert np.abs(session.signals.mean((1, 2))).max() < 1e-5
    np.testing.assert_allclose(session.signals.std((1, 2)), 1, atol=1e-5)
    epochs = np.asarray(session.dataset.trials.epochs)[session.rows["train"]]
    assert session.sd == pytest.approx(epochs.std((1, 2)).mean(), rel=1e-5)
    assert session.mean == pytest.approx(epochs.mean((1, 2)).mean(), rel=1e-4)


def test_pictures_are_divided_not_showings(session):
    train, test = (set(session.picture[session.rows[name]]) for name in SETS)
    assert (len(train), len(test)) == (8, 2)
    assert not train & test
    assert sum(len(rows) for rows in session.rows.values()) == 80


def test_each_trial_has_its_own_picture(session):
    assert session.pictures.shape == (10, 1, 54, 69)
    assert float(session.pictures.abs().max()) <= 1
    stimuli = session.dataset.trials.table["stimulus"].to_numpy(dtype=str)
    assert (session.stimuli[session.picture] == stimuli).all()


def test_windows_of_the_recording_touch_no_showing_of_a_test_picture(session):
    table = session.dataset.trials.table.iloc[session.rows["test"]]
    windows = session.windows(everything=False)
    starts = windows.starts(np.arange(len(windows)))
    for start, stop in zip(table["start"], table["stop"], strict=True):
        assert not ((starts < stop) & (starts + 313 > start)).any()
    assert len(session.windows(everything=True)) == session.recording.n_samples - 312


def test_the_truth_comes_along(session, showings_folder):
    np.testing.assert_array_equal(session.truth, load_extra(showings_folder, "true_responses"))


def test_scored_showings_are_shared_out_among_pictures(session, quick_settings):
    rows = scored_rows(replace(quick_settings, n_scored=12), session)
    for name in SETS:
        assert set(rows[name]) <= set(session.rows[name])
        counts = np.unique(session.picture[rows[name]], return_counts=True)[1]
        assert counts.max() - counts.min() <= 1
    assert (len(rows["train"]), len(rows["test"])) == (12, 12)
    again = scored_rows(replace(quick_settings, n_scored=12, seed=5), session)
    assert all((again[name] == rows[name]).all() for name in SETS)


def test_smaller_pictures_are_asked_for_by_name(showings_folder, quick_settings):
    with pytest.raises(ValueError, match=r"918"):
        prepare_session(replace(quick_settings, picture_size=(918, 1174)), showings_folder)


def _copy(folder, out, **changes):
    found = load_dataset(folder)
    parts = {
        "recordings": load_recordings(folder),
        "trials": found.trials,
        "images": found.images,
        "pairing": found.pairing,
        "rejected": found.rejected,
        "info": found.info,
    }
    save_dataset(out, **{**parts, **changes})
    return out


def test_data_without_pictures_are_refused(showings_folder, quick_settings, tmp_path):
    nothing = Pairing("class-only", "the data set has no pictures")
    data = _copy(showings_folder, tmp_path / "data", images=None, pairing=nothing)
    with pytest.raises(ValueError, match="has no pictures"):
        prepare_session(quick_settings, data)


def test_data_without_their_recording_are_refused(showings_folder, quick_settings, tmp_path):
    data = _copy(showings_folder, tmp_path / "data", recordings=[])
    with pytest.raises(ValueError, match="needs one recording; data holds 0"):
        prepare_session(quick_settings, data)


def test_filtered_windows_are_refused(showings_folder, quick_settings, tmp_path):
    trials = load_dataset(showings_folder).trials
    settings = {**trials.preprocessing["settings"], "band": [1.0, 100.0]}
    filtered = replace(trials, preprocessing={**trials.preprocessing, "settings": settings})
    data = _copy(showings_folder, tmp_path / "data", trials=filtered)
    with pytest.raises(ValueError, match="without --band"):
        prepare_session(quick_settings, data)


def test_pictures_become_tensors_that_networks_take(session):
    assert session.pictures.dtype == torch.float32
