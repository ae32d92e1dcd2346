from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from phosphene.data.preprocess import cut_epochs
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.recording import Recording
from phosphene.export.matching import (
    Expected,
    check_places,
    check_size,
    fit_preprocessing,
    fit_recording,
    pick_channels,
)

NAMES = ("Fz", "Cz", "Pz")
PLAIN = Preprocessing()


def recording(ch_names=NAMES, *, sfreq=256.0, seconds=10.0, sd=10e-6, **fields):
    """Noise whose channels can be told apart by their mean."""
    shape = (len(ch_names), round(seconds * sfreq))
    signal = np.random.default_rng(0).normal(0, sd, shape)
    signal += 1e-3 * np.array([len(name) + ord(name[0]) for name in ch_names])[:, None]
    events = pd.DataFrame({"sample": [100], "code": ["1"]})
    return Recording(
        signal=signal.astype(np.float32),
        sfreq=sfreq,
        ch_names=tuple(ch_names),
        recording="r",
        subject="s",
        session="1",
        events=events,
        source="new.edf",
        sha256="",
        **fields,
    )


@pytest.fixture
def expected():
    return Expected(
        ch_names=NAMES,
        montage="standard_1020",
        sfreq=128.0,
        preprocessing=PLAIN,
        scale=np.full(3, 5e-6),
    )


def test_what_fits_is_returned_as_it_is(expected):
    given = recording()
    assert fit_recording(given, expected) == (given, ())


def test_channels_are_put_in_order_by_name_and_it_is_said(expected):
    given = recording(("Pz", "EMG", "Cz", "Fz", "ECG"))
    fitted, notes = fit_recording(given, expected)
    assert fitted.ch_names == NAMES
    for name, samples in zip(NAMES, fitted.signal, strict=True):
        np.testing.assert_array_equal(samples, given.signal[given.ch_names.index(name)])
    assert notes == (
        "channels put in the model's order, by name",
        "channels that the model does not know left out: EMG, ECG",
    )


def test_the_average_reference_is_that_of_the_models_channels(expected):
    """Channels are left out before re-referencing, so an extra one changes nothing."""
    settings = replace(PLAIN, reference="average")
    fitted, _ = fit_recording(recording(("X", *NAMES)), replace(expected, preprocessing=settings))
    assert fitted.ch_names == NAMES


def test_a_single_reference_channel_is_needed_though_the_model_does_not_see_it(expected):
    settings = replace(PLAIN, reference="M1")
    expected = replace(expected, preprocessing=settings, montage=None)
    fitted, _ = fit_recording(recording(("M1", "Pz", "Cz", "Fz")), expected)
    assert fitted.ch_names == (*NAMES, "M1")
    events = pd.DataFrame({"sample": [300, 900], "code": ["1", "2"]})
    trials, _ = cut_epochs([replace(fitted, events=events)], settings, events={"1": "a", "2": "b"})
    assert trials.ch_names == expected.ch_names
    with pytest.raises(ValueError, match="lacks M1"):
        fit_recording(recording(), expected)


@pytest.mark.parametrize(
    ("ch_names", "match"),
    [
        (("Fz", "Cz"), r"3 channels .*\(Fz, Cz, Pz\); new.edf lacks Pz and has Fz, Cz\. Record Pz"),
        (("Fz", "Cz", "O1"), r"--rename-channels O1=Pz if they only differ in name"),
        (("FZ", "CZ", "PZ"), r"--rename-channels FZ=Fz CZ=Cz PZ=Pz\."),
        (
            ("EEG Fz-REF", "EEG Cz-REF", "EEG Pz-REF"),
            r"--rename-channels 'EEG Fz-REF=Fz' 'EEG Cz-REF=Cz' 'EEG Pz-REF=Pz'\.",
        ),
        (("Fz", "EEG Cz-LE", "O1"), r"Record Pz too; rename .* 'EEG Cz-LE=Cz'"),
    ],
)
def test_missing_channels_are_refused_with_the_option_that_helps(ch_names, match):
    with pytest.raises(ValueError, match=match):
        pick_channels(recording(ch_names), NAMES)


@pytest.mark.parametrize("montage", [None, "standard_1020", "standard_1005"])
def test_montages_that_agree_pass(montage):
    check_places(recording(montage=montage), "standard_1020")
    check_places(recording(montage=montage), None)


def test_electrodes_elsewhere_are_refused():
    with pytest.raises(ValueError, match=r"montage standard_1020; .* Fz is elsewhere.*--montage"):
        check_places(recording(montage="easycap-M1"), "standard_1020")


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (recording(sfreq=50.0), "up to 30 Hz.*has 50 Hz.*more than 60 Hz"),
        (recording(seconds=2.0), r"at least 3 s.*lasts 2\.00 s; record longer"),
        (recording(sd=10.0), "--scale-signals 1e-6"),
        (recording(montage="easycap-M1"), "--montage standard_1020"),
    ],
)
def test_what_cannot_fit_is_refused(expected, given, match):
    with pytest.raises(ValueError, match=match):
        fit_recording(given, expected)


def test_a_short_window_still_needs_its_length(expected):
    settings = replace(PLAIN, band=None, tmax=20.0)
    with pytest.raises(ValueError, match=r"at least 20\.4 s"):
        fit_recording(recording(), replace(expected, preprocessing=settings))


@pytest.mark.parametrize("sfreq", [100.0, 128.0, 500.0, 1000.0])
def test_any_rate_ends_at_that_of_the_model(sfreq):
    unresampled = replace(PLAIN, resample=None)
    assert fit_preprocessing(PLAIN, sfreq=sfreq) is PLAIN
    assert fit_preprocessing(unresampled, sfreq=sfreq).resample == sfreq


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (replace(PLAIN, resample=1e5), "rate of 100000 Hz may have 67108864 samples; it has 1200"),
        (
            replace(PLAIN, tmax=250.0, margin=1.0),
            "all trials of new.edf at the model's rate of 128",
        ),
    ],
)
def test_settings_that_take_all_memory_are_refused_before_anything_is_filtered(
    expected, monkeypatch, settings, match
):
    monkeypatch.setattr("phosphene.export.matching.apply_signal_steps", None)
    samples = np.linspace(0, 100_000, 800).astype(np.int64)
    events = pd.DataFrame({"sample": samples, "code": "1"}).astype({"code": "str"})
    given = replace(recording(seconds=400.0), events=events)
    with pytest.raises(ValueError, match=match):
        fit_recording(given, replace(expected, preprocessing=settings))


@pytest.mark.parametrize(
    ("resample", "limit"), [(256.0, 30_000), (1024.0, 30_000), (1025.0, 30_000), (2000.0, 1 << 26)]
)
def test_a_rate_like_that_of_the_recording_fits_whatever_its_length(monkeypatch, resample, limit):
    """The least stands for a recording that is longer than it: 30,720 samples were recorded."""
    monkeypatch.setattr("phosphene.export.matching.LEAST_SAMPLES", limit)
    given, settings = recording(seconds=40.0), replace(PLAIN, resample=resample)
    if resample == 1025.0:
        with pytest.raises(ValueError, match="may have 122880 samples; it has 123000"):
            check_size(given, settings)
        monkeypatch.setenv("PHOSPHENE_LIMIT_FACTOR", "2")
    check_size(given, settings)


def test_trials_may_overlap(monkeypatch):
    monkeypatch.setattr("phosphene.export.matching.LEAST_SAMPLES", 0)
    events = pd.DataFrame({"sample": np.arange(0, 10_000, 25), "code": "1"})  # each 0.1 s
    given = replace(recording(seconds=40.0), events=events.astype({"code": "str"}))
    check_size(given, replace(PLAIN, resample=None))
