from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.dataset import load_recordings
from phosphene.experiment.controls import recut
from phosphene.experiment.controls.control import ControlNotPossibleError


def test_the_same_settings_give_the_same_trials(dataset):
    recordings = load_recordings(dataset.path)
    trials, rows = recut.cut_again(dataset, recordings, recut.cutting(dataset))
    np.testing.assert_array_equal(rows, np.arange(len(dataset.trials)))
    np.testing.assert_array_equal(trials.epochs, dataset.trials.epochs)
    assert trials.table["trial"].tolist() == dataset.trials.table["trial"].tolist()


def test_nothing_after_the_onset_reaches_the_window_before_it(dataset, monkeypatch):
    before, rows = recut.pre_stimulus(dataset)
    assert before.n_times == dataset.trials.n_times
    end = before.tmin + before.n_times / before.sfreq
    assert end == pytest.approx(-recut.GAP / before.sfreq)

    last = dataset.trials.table.iloc[[-1]]
    recordings = load_recordings(dataset.path)
    changed = []
    for each in recordings:
        signal = np.array(each.signal)
        if each.recording == last["recording"].iloc[0]:
            signal[:, round(float(last["onset"].iloc[0]) * each.sfreq) :] += 1e-3
        changed.append(replace(each, signal=signal))
    monkeypatch.setattr(recut, "load_recordings", lambda path: changed)
    again, _ = recut.pre_stimulus(dataset)
    np.testing.assert_array_equal(again.epochs, before.epochs)
    zero_phase, _ = recut.through_band(dataset, "1-45 Hz")  # this one would have noticed
    monkeypatch.setattr(recut, "load_recordings", lambda path: recordings)
    untouched, _ = recut.through_band(dataset, "1-45 Hz")
    assert not np.array_equal(zero_phase.epochs[-1], untouched.epochs[-1])
    assert len(rows) == len(before)


def test_a_forward_filter_does_not_look_ahead(dataset):
    recording = load_recordings(dataset.path)[0]
    filtered = recut.forward_filtered(recording, (1.0, 30.0)).signal
    signal = np.array(recording.signal)
    signal[:, 1000:] = 0
    other = recut.forward_filtered(replace(recording, signal=signal), (1.0, 30.0)).signal
    np.testing.assert_array_equal(filtered[:, :1000], other[:, :1000])
    assert not np.array_equal(filtered[:, 1000:], other[:, 1000:])
    assert abs(float(filtered[0].mean())) < 0.1 * float(filtered[0].std())


@pytest.mark.parametrize(
    ("name", "sfreq", "expected"),
    [
        ("no filter", 128.0, None),
        ("1-45 Hz", 256.0, (1.0, 45.0)),
        ("14-70 Hz", 128.0, (14.0, 57.6)),
        ("5-95 Hz", 250.0, (5.0, 95.0)),
    ],
)
def test_bands_end_where_the_rate_does(name, sfreq, expected):
    assert recut.sweep_band(name, sfreq=sfreq) == pytest.approx(expected)


def test_a_rate_that_holds_no_octave_of_a_band_is_refused():
    with pytest.raises(ControlNotPossibleError, match="they have 50 Hz"):
        recut.sweep_band("14-70 Hz", sfreq=50.0)


def test_rates_above_what_is_needed_are_lowered(dataset):
    recordings = load_recordings(dataset.path)
    assert recut.sweep_rate(recordings) == recordings[0].sfreq
    fast = [replace(each, sfreq=1000.0) for each in recordings]
    assert recut.sweep_rate(fast) == recut.MAX_RATE


def test_windows_without_recordings_are_left_alone(dataset):
    with pytest.raises(ControlNotPossibleError, match="windows without their recordings"):
        recut.recordings_of(replace(dataset, path=None))


def test_few_trials_with_a_whole_window_are_not_enough(dataset):
    recordings = load_recordings(dataset.path)
    early = replace(recut.cutting(dataset), tmin=-60.0, tmax=-59.0, baseline=None)
    with pytest.raises(ControlNotPossibleError, match=r"fewer than half|cannot be cut so"):
        recut.cut_again(dataset, recordings, early)
