import dataclasses
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from phosphene.data.preprocess import GAP, OUTSIDE, apply_signal_steps, cut_epochs, describe
from phosphene.data.preprocessing import Preprocessing

EVENTS = {"1": "house", "2": "face"}
RAW = Preprocessing(band=None, resample=None, tmax=0.5, margin=0.1)


@pytest.fixture
def make_sine(make_recording):
    """Build a recording whose channels are sines of the given frequencies, 10 uV high."""

    def make(*hz, sfreq=256.0, seconds=20, **fields):
        times = np.arange(round(seconds * sfreq)) / sfreq
        signal = np.stack([1e-5 * np.sin(2 * np.pi * f * times) for f in hz]).astype(np.float32)
        names = tuple(f"C{i}" for i in range(len(hz)))
        base = make_recording(sfreq=sfreq, seconds=seconds, n_chans=len(hz))
        return dataclasses.replace(base, signal=signal, ch_names=names, **fields)

    return make


def gain(signal, sfreq):
    """Amplitude of the middle of each channel over 10 uV."""
    middle = signal[:, round(5 * sfreq) : -round(5 * sfreq)]
    return np.sqrt(2) * middle.std(axis=1) / 1e-5


def test_band_keeps_10_hz_in_phase_and_removes_what_lies_outside(make_sine):
    recording = make_sine(10, 0.2, 60, 30)
    signal, sfreq = apply_signal_steps(recording, Preprocessing(resample=None))
    assert sfreq == 256
    np.testing.assert_allclose(gain(signal, sfreq), [1, 0, 0, 0.5], atol=0.02)
    middle = slice(5 * 256, -5 * 256)
    np.testing.assert_allclose(signal[0, middle], recording.signal[0, middle], atol=2e-7)


def test_without_steps_the_signal_is_not_copied(make_sine):
    recording = make_sine(10, 20)
    plain = Preprocessing(band=None, resample=None)
    assert apply_signal_steps(recording, plain)[0] is recording.signal
    same = dataclasses.replace(plain, resample=256.0)
    assert apply_signal_steps(recording, same)[0] is recording.signal
    averaged = dataclasses.replace(plain, reference="average")
    assert apply_signal_steps(recording, averaged)[0] is not recording.signal


def test_notch_removes_the_line_and_its_harmonic_only(make_sine):
    recording = make_sine(50, 100, 44, 10)
    signal, sfreq = apply_signal_steps(
        recording, Preprocessing(band=None, notch=50.0, resample=None)
    )
    np.testing.assert_allclose(gain(signal, sfreq), [0, 0, 1, 1], atol=0.05)


def test_resampling_keeps_the_sine(make_sine):
    signal, sfreq = apply_signal_steps(make_sine(10), Preprocessing(band=None))
    assert sfreq == 128
    assert signal.dtype == np.float32
    expected = make_sine(10, sfreq=128.0).signal
    np.testing.assert_allclose(signal[:, 640:-640], expected[:, 640:-640], atol=2e-7)


def test_references(make_sine):
    recording = make_sine(3, 5, 7)
    average, _ = apply_signal_steps(recording, dataclasses.replace(RAW, reference="average"))
    np.testing.assert_allclose(average.sum(axis=0), 0, atol=1e-11)
    pair, _ = apply_signal_steps(recording, dataclasses.replace(RAW, reference="C0, C2"))
    np.testing.assert_allclose(pair[0], -pair[2], atol=1e-11)
    with pytest.raises(ValueError, match="Did you mean 'C0'"):
        apply_signal_steps(recording, dataclasses.replace(RAW, reference="c0"))


def test_cuts_the_window_with_margin_at_the_event(make_recording):
    recording = make_recording()
    trials, rejected = cut_epochs([recording], RAW, events=EVENTS)
    assert len(rejected) == 0
    assert trials.epochs_with_margin.shape == (10, 3, 64 + 2 * 13)
    first = trials.table.iloc[0]
    assert (first.start, first.stop, first.onset) == (128, 192, 1.0)
    assert (first.subject, first.session, first.class_name) == ("001", "NA", "house")
    np.testing.assert_array_equal(trials.epochs[0], recording.signal[:, 128:192])
    np.testing.assert_array_equal(
        trials.epochs_with_margin[0], recording.signal[:, 128 - 13 : 192 + 13]
    )


def test_resampled_epochs_start_exactly_at_odd_samples(make_sine):
    samples = np.arange(1281, 3800, 301)  # half of them fall between two samples at 128 Hz
    events = pd.DataFrame({"sample": samples, "code": ["1", "2", "1"] * 3})
    recording = make_sine(9, events=events)
    settings = Preprocessing(band=None, tmax=0.5)
    trials, _ = cut_epochs([recording], settings, events=EVENTS)
    times = samples[:, None] / 256 + trials.times
    np.testing.assert_allclose(trials.epochs[:, 0], 1e-5 * np.sin(2 * np.pi * 9 * times), atol=1e-7)


def test_many_fractions_of_a_sample_take_no_more_memory_than_one(make_recording):
    def peak(samples, n_recordings):
        codes = [str(1 + i % 2) for i in range(len(samples))]
        table = pd.DataFrame({"sample": samples, "code": codes})
        recordings = [
            make_recording(f"r{i}", seed=i, sfreq=250.0, seconds=120, events=table)
            for i in range(n_recordings)
        ]
        tracemalloc.start()
        cut_epochs(recordings, Preprocessing(band=None, tmax=0.1), events=EVENTS)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    one_fraction = np.arange(500, 29_000, 1250)[:22]
    fractions = np.arange(500, 29_000, 407)
    assert peak(fractions, 4) < 2 * peak(one_fraction, 1)


def test_a_single_reference_channel_is_left_out_and_recorded(make_sine):
    recording = make_sine(3, 5, 7, seconds=13, events=make_sine(1).events.iloc[:8])
    settings = dataclasses.replace(RAW, reference="C1", reject=1e-3)
    trials, _ = cut_epochs([recording], settings, events=EVENTS)
    assert trials.ch_names == ("C0", "C2")
    begin = int(trials.table["start"].iloc[0])
    window = recording.signal[:, begin : begin + 64 * 2]
    np.testing.assert_allclose(trials.epochs[0], window[[0, 2]] - window[1], atol=1e-11)
    step = trials.preprocessing["steps"][0]
    assert step == {"step": "reference", "to": "C1", "left_out": "C1"}
    strict = dataclasses.replace(settings, reject=1e-9)
    with pytest.raises(ValueError, match=r"above 0\.001 uV in C0, C2"):
        cut_epochs([recording], strict, events=EVENTS)


def test_refuses_a_channel_of_which_nothing_is_left(make_recording):
    recording = make_recording()
    recording.signal[2] = recording.signal[0]
    with pytest.raises(ValueError, match=r"C2 of r1\.csv is constant then.*--drop-channels C2"):
        cut_epochs([recording], dataclasses.replace(RAW, reference="C0"), events=EVENTS)


def test_baseline_may_lie_before_the_event(make_recording):
    settings = dataclasses.replace(RAW, baseline=(-0.1, 0.0))
    trials, _ = cut_epochs([make_recording()], settings, events=EVENTS)
    before = trials.epochs_with_margin[:, :, :13].mean(axis=2)
    np.testing.assert_allclose(before, 0, atol=1e-11)


def test_rejects_what_leaves_the_recording_spans_a_gap_or_is_too_large(make_recording):
    recording = make_recording(gaps=(3 * 128 + 70,))
    recording.signal[2, 5 * 128 + 5] = 1e-3
    events = pd.concat(
        [
            pd.DataFrame({"sample": [5], "code": ["1"]}),
            recording.events,
            pd.DataFrame({"sample": [12 * 128 - 70], "code": ["1"]}),
        ]
    )
    recording = dataclasses.replace(recording, events=events)
    settings = dataclasses.replace(RAW, reject=300e-6)
    trials, rejected = cut_epochs([recording], settings, events=EVENTS)
    assert rejected[["sample", "reason"]].to_numpy().tolist() == [
        [5, OUTSIDE],
        [384, GAP],
        [640, "peak to peak above 300 uV in C2"],
        [1466, OUTSIDE],
    ]
    assert len(trials) == 8


def test_rejection_ignores_the_margin(make_recording):
    recording = make_recording()
    recording.signal[0, 128 - 5] = 1.0
    settings = dataclasses.replace(RAW, reject=300e-6)
    assert len(cut_epochs([recording], settings, events=EVENTS)[1]) == 0


def test_ids_are_stable_and_change_with_a_sample(make_recording):
    recording = make_recording()
    ids = cut_epochs([recording], RAW, events=EVENTS)[0].table
    again = cut_epochs([recording], RAW, events=EVENTS)[0].table
    pd.testing.assert_frame_equal(ids, again)
    recording.signal[0, 130] += 1e-7
    changed = cut_epochs([recording], RAW, events=EVENTS)[0].table
    for column in ("trial", "content"):
        assert (changed[column] != ids[column]).tolist() == [True] + [False] * 9


def test_the_same_samples_have_one_content_and_two_ids(make_recording):
    trials, _ = cut_epochs([make_recording("a"), make_recording("b")], RAW, events=EVENTS)
    assert trials.table["content"].nunique() == 10
    assert trials.table["trial"].nunique() == 20


def test_takes_blocks_and_stimuli_from_events_and_leaves_other_codes(make_recording):
    recording = make_recording()
    table = recording.events.assign(block="7", stimulus="NA")
    table.loc[0, "code"] = "9"
    trials, rejected = cut_epochs(
        [dataclasses.replace(recording, events=table)], RAW, events=EVENTS
    )
    assert (len(trials), len(rejected)) == (9, 0)
    assert set(trials.table["block"]) == {"7"}
    assert set(trials.table["stimulus"]) == {"NA"}


def test_refuses_a_class_without_trials_and_says_why(make_recording):
    recording = make_recording()
    with pytest.raises(ValueError, match=r"'cat' \(event code 3\) has none.*codes 1, 2"):
        cut_epochs([recording], RAW, events={"1": "dog", "3": "cat"})
    strict = dataclasses.replace(RAW, reject=1e-9)
    with pytest.raises(ValueError, match="all 5 of 'house' were rejected"):
        cut_epochs([recording], strict, events=EVENTS)


def test_refuses_recordings_that_do_not_fit_together(make_recording):
    first = make_recording("a")
    with pytest.raises(ValueError, match=r"same channels.*--drop-channels C2, or import"):
        cut_epochs([first, make_recording("b", n_chans=2)], RAW, events=EVENTS)
    with pytest.raises(ValueError, match="same rate"):
        cut_epochs([first, make_recording("b", sfreq=256.0)], RAW, events=EVENTS)
    with pytest.raises(ValueError, match="must be a recording"):
        cut_epochs([], RAW, events=EVENTS)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"band": (1.0, 70.0)}, "half the sampling rate"),
        ({"notch": 64.0}, "half the sampling rate"),
        ({"notch": 50.0, "seconds": 3}, "longer than its filter"),
        ({"band": (0.1, 30.0)}, "longer than its filter"),
    ],
)
def test_refuses_filters_that_do_not_fit(make_recording, settings, match):
    recording = make_recording(seconds=settings.pop("seconds", 12))
    with pytest.raises(ValueError, match=match):
        apply_signal_steps(recording, dataclasses.replace(RAW, **settings))


def test_refuses_nan(make_recording):
    recording = make_recording()
    recording.signal[0, 3] = np.nan
    with pytest.raises(ValueError, match=r"r1\.csv.*finite"):
        apply_signal_steps(recording, RAW)


def test_describes_every_step_with_parameters_and_versions():
    settings = Preprocessing(notch=50.0, baseline=(-0.1, 0.0), reference="average", reject=1e-4)
    steps = describe(settings, sfreqs=[256.0, 256.0])["steps"]
    assert [step["step"] for step in steps] == [
        "reference",
        "notch",
        "band-pass",
        "resample",
        "window",
        "baseline",
        "reject peak to peak",
    ]
    assert steps[2]["hz"] == [1.0, 30.0]
    assert steps[2]["mne"]
    assert steps[3]["from_hz"] == 256.0


@pytest.mark.parametrize(
    ("sfreqs", "from_hz"),
    [([128.0], None), ([128.0, 256.0], 256.0), ([500.0, 128.0, 256.0, 500.0], [256.0, 500.0])],
)
def test_describes_the_rates_of_all_recordings(sfreqs, from_hz):
    steps = {step["step"]: step for step in describe(Preprocessing(), sfreqs=sfreqs)["steps"]}
    assert steps.get("resample", {}).get("from_hz") == from_hz


def test_recordings_of_several_rates_are_all_described(make_recording):
    recordings = [make_recording("a"), make_recording("b", sfreq=256.0, seed=1)]
    trials, _ = cut_epochs(recordings, Preprocessing(tmax=0.5), events=EVENTS)
    assert [s["from_hz"] for s in trials.preprocessing["steps"] if "from_hz" in s] == [256.0]
