import dataclasses

import numpy as np
import pandas as pd
import pytest

from phosphene.data.recording import (
    UnknownChannelError,
    check_channels,
    check_distinct,
    check_dropped,
    drop_channels,
    signal_sha256,
)


def test_knows_its_length(make_recording):
    recording = make_recording(seconds=12, gaps=(5, 9))
    assert recording.n_samples == 12 * 128
    assert recording.duration == 12
    assert recording.n_gaps == 2


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"signal": np.zeros((3, 100))}, "float32"),
        ({"signal": np.zeros((2, 100), np.float32)}, "shape"),
        ({"sfreq": 0.0}, "sfreq"),
        ({"ch_names": ("a", "a", "b")}, "must differ"),
        ({"events": pd.DataFrame({"sample": [1]})}, "code"),
        ({"events": pd.DataFrame({"sample": [10**6], "code": ["1"]})}, "must lie in"),
    ],
)
def test_refuses_contradictions(make_recording, fields, match):
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(make_recording(), **fields)


def test_refuses_a_recording_without_samples(make_recording):
    recording = make_recording()
    with pytest.raises(ValueError, match="needs samples"):
        dataclasses.replace(recording, signal=recording.signal[:, :0])


def test_hash_changes_with_one_sample(make_recording):
    signal = make_recording().signal
    other = signal.copy()
    other[1, 7] += 1e-9
    assert signal_sha256(signal) == signal_sha256(signal.copy())
    assert signal_sha256(signal) != signal_sha256(other)


def test_drops_channels_and_refuses_unknown_names(make_recording):
    recording = make_recording()
    assert drop_channels(recording, ["C1"]).ch_names == ("C0", "C2")
    np.testing.assert_array_equal(drop_channels(recording, ["C1"]).signal, recording.signal[[0, 2]])
    with pytest.raises(ValueError, match="drop-channels"):
        drop_channels(recording, ["C9"])
    with pytest.raises(ValueError, match="needs a channel"):
        drop_channels(recording, ["C0", "C1", "C2"])


def test_names_all_channels_that_cannot_be_left_out():
    check_dropped(["C1"], ["C0", "C1"])
    with pytest.raises(UnknownChannelError, match="'C8'") as caught:
        check_dropped(["C8", "C1", "C9"], ["C0", "C1"])
    assert caught.value.names == ("C8", "C9")


@pytest.mark.parametrize(("value", "match"), [(1e-6, "constant at 1 uV"), (np.nan, "finite")])
def test_refuses_a_dead_channel_with_name_file_and_remedy(make_recording, value, match):
    recording = make_recording()
    recording.signal[1] = value
    with pytest.raises(ValueError, match=f"C1 of r1.csv.*{match}|{match}.*C1 of r1.csv") as caught:
        check_channels(recording)
    assert "--drop-channels C1" in str(caught.value)


def test_refuses_the_same_signal_twice_naming_both(make_recording):
    first = make_recording("a")
    check_distinct([first, make_recording("b", seed=1)])
    with pytest.raises(ValueError, match=r"a \(a.csv\) and b \(b.csv\)"):
        check_distinct([first, make_recording("b")])
    with pytest.raises(ValueError, match="both 'a'"):
        check_distinct([first, dataclasses.replace(make_recording("a", seed=1), source="c.csv")])
