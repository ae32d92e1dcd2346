import numpy as np
import pytest

from phosphene.data.reference import (
    check_varies,
    reference_left_out,
    referenced_channels,
    rereference,
)

NAMES = ("A", "B", "C")


@pytest.mark.parametrize(
    ("reference", "left_out"),
    [("none", None), ("average", None), ("B", "B"), (" B ", "B"), ("B,B", "B"), ("A, B", None)],
)
def test_only_a_single_reference_channel_is_left_out(reference, left_out):
    assert reference_left_out(reference) == left_out
    kept = referenced_channels(NAMES, reference)
    assert kept == tuple(name for name in NAMES if name != left_out)
    signal = np.random.default_rng(0).normal(size=(3, 50))
    assert rereference(signal, NAMES, reference).shape == (len(kept), 50)


def test_subtracts_the_reference():
    signal = np.random.default_rng(0).normal(size=(3, 50))
    np.testing.assert_array_equal(rereference(signal, NAMES, "none"), signal)
    np.testing.assert_allclose(rereference(signal, NAMES, "average").sum(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(rereference(signal, NAMES, "B"), signal[[0, 2]] - signal[1])
    linked = rereference(signal, NAMES, "A,C")
    np.testing.assert_allclose(linked[0], -linked[2])


@pytest.mark.parametrize(
    ("ch_names", "reference", "match"),
    [
        (("A",), "average", "there is only A"),
        (("A",), "A", "keep more channels"),
        (NAMES, "b", "Did you mean 'B'"),
    ],
)
def test_refuses_a_reference_that_leaves_nothing_or_is_unknown(ch_names, reference, match):
    with pytest.raises(ValueError, match=match):
        referenced_channels(ch_names, reference)


def test_rounding_is_no_signal(make_recording):
    recording = make_recording()
    signal = recording.signal.astype(np.float64)
    check_varies(signal, recording.ch_names, recording)
    signal[1] = 1e-20 * signal[0]
    with pytest.raises(ValueError, match=r"C1 of r1\.csv is constant then"):
        check_varies(signal, recording.ch_names, recording)
