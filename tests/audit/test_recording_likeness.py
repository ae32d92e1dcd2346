from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import resample

from phosphene.audit.recording_likeness import find_recording_copies
from phosphene.data.recording import Recording


def recording(name, seed, *, seconds=30, sfreq=128.0):
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((3, int(seconds * sfreq)))
    signal += 0.2 * rng.standard_normal(signal.shape).cumsum(axis=1)
    return Recording(
        signal=signal.astype(np.float32),
        sfreq=sfreq,
        ch_names=("a", "b", "c"),
        recording=name,
        subject="1",
        session="1",
        events=pd.DataFrame({"sample": [0], "code": ["1"]}),
        source=name,
        sha256="",
    )


def changed(one, **fields):
    return replace(one, recording="copy", **fields)


def of_other_rate(one):
    signal = resample(one.signal, round(one.n_samples * 100 / 128), axis=1).astype(np.float32)
    return changed(one, signal=signal, sfreq=100.0)


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (lambda one: changed(one), "the same samples"),
        (lambda one: changed(one, signal=one.signal * np.float32(2)), "rescaled by 2"),
        (lambda one: changed(one, signal=one.signal[:, 5:]), "shifted by 5 samples"),
        (lambda one: changed(one, signal=one.signal[:, 1280:]), "shifted by 10.00 s"),
        (of_other_rate, "resampled from 128 to 100 Hz"),
        (
            lambda one: changed(one, signal=one.signal[[2, 0, 1]], ch_names=("c", "a", "b")),
            "nearly the same samples",
        ),
    ],
)
def test_a_copy_is_found_and_named(copy, words):
    one = recording("one", 0)
    found = find_recording_copies([recording("else", 1), one, copy(one)])
    assert [(pair.one, pair.other) for pair in found] == [(1, 2)]
    assert found[0].how == words
    assert found[0].correlation > 0.9


def test_a_piece_that_overlaps_is_told_with_its_lag_and_length():
    whole = recording("whole", 2, seconds=60)
    early = changed(whole, signal=whole.signal[:, : 40 * 128])
    late = replace(whole, recording="late", signal=whole.signal[:, 20 * 128 :])
    (found,) = find_recording_copies([early, late])
    assert found.lag == pytest.approx(20.0, abs=0.05)
    assert found.seconds == pytest.approx(20.0, abs=0.1)


def test_independent_recordings_with_the_same_rhythm_are_no_copies():
    alpha = 3 * np.sin(2 * np.pi * 10 * np.arange(30 * 128) / 128)
    some = [recording(str(seed), seed) for seed in range(6)]
    some = [replace(r, signal=(r.signal + alpha).astype(np.float32)) for r in some]
    assert find_recording_copies(some) == []


def test_short_and_silent_recordings_are_passed_over():
    short = recording("short", 0, seconds=5)
    silent = recording("silent", 0)
    silent = replace(silent, signal=np.zeros_like(silent.signal))
    assert find_recording_copies([short, short, silent, silent]) == []
