import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from phosphene.data.dataset import Dataset
from phosphene.data.inspection import (
    evoked_responses,
    find_mains,
    inspect_dataset,
    inspect_images,
    inspect_recording,
    power_spectrum,
)
from phosphene.data.pairing import pair


@pytest.mark.parametrize("line", [50.0, 60.0, None])
def test_finds_the_mains_line(make_recording, line):
    recording = make_recording(sfreq=256.0, seconds=20)
    if line:
        times = np.arange(recording.n_samples) / 256
        recording.signal[:] += (3e-6 * np.sin(2 * np.pi * line * times)).astype(np.float32)
    found, ratio = find_mains([recording])
    assert found == line
    assert (ratio > 3) == (line is not None)


def test_sees_no_mains_at_low_rates_in_a_few_samples_or_without_signal(make_recording):
    assert find_mains([make_recording(sfreq=64.0)]) == (None, None)
    recording = make_recording(sfreq=256.0)
    short = dataclasses.replace(
        recording, signal=recording.signal[:, :16], events=recording.events[:0]
    )
    assert find_mains([short]) == (None, None)
    recording = make_recording()
    recording.signal[:] = np.nan
    assert find_mains([recording]) == (None, None)


def test_describes_channels_and_events(make_recording):
    recording = make_recording(n_chans=4, gaps=(256,), sfreq_measured=128.1)
    recording.signal[1] = 5e-6
    recording.signal[2, 4:9] = np.nan
    recording.signal[3] *= 30
    found = inspect_recording(recording)
    assert [c["problem"] for c in found["channels"]] == ["", "flat", "NaN", "noisy"]
    assert found["channels"][0]["sd_uv"] == pytest.approx(10, rel=0.1)
    assert found["channels"][1]["mean_uv"] == pytest.approx(5)
    assert found["channels"][2]["n_nan"] == 5
    assert found["events"] == {
        "1": {"n": 5, "median_spacing_s": 2.0},
        "2": {"n": 5, "median_spacing_s": 2.0},
    }
    assert found["gaps_s"] == [2.0]
    assert (found["sfreq"], found["sfreq_measured"], found["duration_s"]) == (128, 128.1, 12)
    json.dumps(found, allow_nan=False)


def test_a_channel_that_is_all_nan_has_no_numbers(make_recording):
    recording = make_recording()
    recording.signal[0] = np.nan
    assert inspect_recording(recording)["channels"][0]["sd_uv"] is None


def test_counts_a_data_set(make_trials, make_images):
    trials, images = make_trials(), make_images(6, n_shown=4)
    rejected = pd.DataFrame(
        {"recording": "r0", "sample": [1, 2], "code": "1", "reason": ["a", "b"]}
    )
    dataset = Dataset({"name": "x"}, trials, images, pair(trials, images), rejected)
    found = inspect_dataset(dataset)
    assert found["per_class"] == {"house": 10, "face": 10}
    assert found["per_recording"]["r1"] == {"house": 5, "face": 5}
    assert found["per_subject"] == {"001": {"house": 10, "face": 10}}
    assert found["per_session"] == {"001/NA": {"house": 10, "face": 10}}
    assert found["rejected"] == {"a": 1, "b": 1}
    assert found["images"]["n_shown"] == 4
    assert found["pairing"]["kind"] == "class-only"
    assert found["data_hash"] == dataset.data_hash
    json.dumps(found, allow_nan=False)


def test_counts_pictures(make_images):
    found = inspect_images(make_images(5, color=3, n_shown=1))
    assert (found["n"], found["height"], found["color"]) == (5, 8, 3)
    assert found["per_class"] == {"house": 3, "face": 2}
    assert found["shown_per_class"] == {"house": 1, "face": 0}


def test_averages_per_class_with_an_interval(make_trials):
    trials = make_trials()
    trials.epochs_with_margin[trials.labels == 1] += 5e-6
    evoked = evoked_responses(trials)
    houses = trials.epochs_with_margin[trials.labels == 0]
    np.testing.assert_allclose(evoked["mean"][0], houses.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(
        evoked["high"][0] - evoked["mean"][0],
        1.96 * houses.std(axis=0, ddof=1) / np.sqrt(10),
        rtol=1e-4,
    )
    assert evoked["times"][trials.margin] == 0
    assert evoked_responses(trials, with_margin=False)["mean"].shape == (2, 3, trials.n_times)
    assert evoked["classes"].tolist() == ["house", "face"]


def test_a_class_of_one_trial_has_no_interval(make_trials):
    evoked = evoked_responses(make_trials().select([0]))
    assert np.isfinite(evoked["mean"][0]).all()
    assert np.isnan(evoked["low"]).all()
    assert np.isnan(evoked["mean"][1]).all()


def test_spectrum_peaks_at_the_sine_and_integrates_to_the_variance(make_recording):
    recording = make_recording(seconds=20)
    times = np.arange(recording.n_samples) / 128
    recording.signal[0] = (1e-5 * np.sin(2 * np.pi * 12 * times)).astype(np.float32)
    spectrum = power_spectrum([recording, recording])
    assert spectrum["freqs"][spectrum["psd"][0].argmax()] == pytest.approx(12)
    step = spectrum["freqs"][1]
    np.testing.assert_allclose(spectrum["psd"][0].sum() * step, 0.5e-10, rtol=0.02)


def test_spectrum_of_trials_where_there_are_no_recordings(make_trials):
    trials = make_trials()
    assert power_spectrum([], trials)["psd"].shape[0] == 3
    with pytest.raises(ValueError, match="got neither"):
        power_spectrum([])


def test_spectrum_leaves_out_recordings_unlike_the_first(make_recording):
    first = make_recording()
    other = dataclasses.replace(first, sfreq=64.0)
    np.testing.assert_array_equal(
        power_spectrum([first, other])["psd"], power_spectrum([first])["psd"]
    )
