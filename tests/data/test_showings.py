import dataclasses

import numpy as np
import pandas as pd
import pytest

from phosphene.data.preprocessing import LFP_WINDOW
from phosphene.data.showings import (
    GREY,
    NATURAL_SCENE,
    SHOWN,
    cut_showings,
    lfp_preprocessing,
    picture_ranges,
    picture_split,
)
from phosphene.data.splits import STIMULUS, Split
from phosphene.data.windows import Windows

STEP = 0.25021


@pytest.fixture(scope="module")
def recording():
    """118 pictures shown 3 times in random order, back to back, a grey screen among them."""
    from phosphene.data.recording import Recording

    rng = np.random.default_rng(0)
    frames = np.concatenate([rng.permutation(np.arange(-1, 118)) for _ in range(3)])
    onsets = 0.1 + STEP * np.arange(len(frames))
    signal = rng.normal(size=(2, round((onsets[-1] + 1) * 1250))).astype(np.float32)
    events = pd.DataFrame(
        {
            "sample": np.rint(onsets * 1250).astype(np.int64),
            "code": [SHOWN if frame >= 0 else GREY for frame in frames],
            "stimulus": [f"natural_scene_{frame:03d}" if frame >= 0 else "" for frame in frames],
            "block": "2",
        }
    )
    return Recording(
        signal=signal,
        sfreq=1250.0,
        ch_names=("a", "b"),
        recording="probe",
        subject="1",
        session="1",
        events=events,
        source="probe.nwb",
        sha256="0",
    )


@pytest.fixture(scope="module")
def trials(recording):
    return cut_showings(recording, LFP_WINDOW)[0]


def test_cuts_the_313_samples_of_the_thesis_after_each_onset(recording, trials):
    shown = recording.events[recording.events["code"] == SHOWN]
    assert trials.epochs.shape == (354, 2, 313)
    assert trials.classes == (NATURAL_SCENE,)
    assert trials.table["stimulus"].tolist() == shown["stimulus"].tolist()
    for epoch, sample in zip(trials.epochs, shown["sample"], strict=True):
        np.testing.assert_array_equal(epoch, recording.signal[:, sample : sample + 313])


def test_a_window_may_reach_one_sample_beyond_the_next_onset_and_no_more(recording):
    steps = np.diff(recording.events["sample"])
    assert set(steps) == {312, 313}
    with pytest.raises(ValueError, match=r"314 samples .* 312 .*at most 0\.2496 s"):
        cut_showings(recording, dataclasses.replace(LFP_WINDOW, tmax=314 / 1250))


def test_a_grey_screen_ends_a_window_as_well(recording):
    events = recording.events.iloc[:3].assign(sample=[10, 200, 900], code=[SHOWN, GREY, SHOWN])
    with pytest.raises(ValueError, match="longer than the 190"):
        cut_showings(dataclasses.replace(recording, events=events), LFP_WINDOW)


def test_refuses_a_recording_without_showings(recording):
    events = recording.events.assign(code=GREY)
    with pytest.raises(ValueError, match="has none"):
        cut_showings(dataclasses.replace(recording, events=events), LFP_WINDOW)


def test_no_picture_stands_on_both_sides_of_94_and_24(trials):
    split = picture_split(trials, seed=0)
    (fold,) = split.folds
    train, test = (set(trials.table["stimulus"].iloc[rows]) for rows in fold.indices(trials))
    assert (len(train), len(test), len(train & test)) == (94, 24, 0)
    assert (len(fold.train), len(fold.test)) == (94 * 3, 24 * 3)
    assert (split.unit, fold.key, split.seed) == (STIMULUS, "pictures", 0)


def test_the_seed_alone_chooses_the_pictures(trials):
    shuffled = trials.select(np.random.default_rng(1).permutation(len(trials)))
    assert set(picture_split(trials, seed=3).folds[0].test) == set(
        picture_split(shuffled, seed=3).folds[0].test
    )
    assert picture_split(trials, seed=3).sha256 != picture_split(trials, seed=4).sha256


def test_the_doubt_counts_the_test_windows_that_share_a_sample(trials):
    split = picture_split(trials, seed=0)
    train, test = split.folds[0].indices(trials)
    starts = trials.table["start"].to_numpy()
    n = sum(bool((abs(starts[train] - starts[row]) < 313).any()) for row in test)
    assert n > 10
    assert split.doubt.startswith(f"{n} of 72 test windows share")
    assert Split.from_json(split.to_json()) == split
    assert split.check(trials) == split  # says so once


def test_windows_apart_leave_no_doubt(recording):
    short = dataclasses.replace(LFP_WINDOW, tmax=0.2)
    assert picture_split(cut_showings(recording, short)[0], seed=0).doubt is None


def test_more_than_one_shared_sample_is_refused(trials):
    table = trials.table.assign(start=trials.table["start"] - 1)
    with pytest.raises(ValueError, match="share samples"):
        picture_split(dataclasses.replace(trials, table=table), seed=0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"test_share": 0.001}, "leaves 0 to test"),
        ({"test_share": 0.999}, "leaves 118 to test"),
        ({"test_share": 1.0}, "below 1"),
    ],
)
def test_refuses_shares_that_leave_a_side_empty(trials, change, match):
    with pytest.raises(ValueError, match=match):
        picture_split(trials, seed=0, **change)


def test_refuses_trials_without_pictures(trials):
    table = trials.table.assign(stimulus="")
    with pytest.raises(ValueError, match="354 of 354 trials name none"):
        picture_split(dataclasses.replace(trials, table=table), seed=0)


def test_windows_can_leave_out_the_showings_that_test(recording, trials):
    _, test = picture_split(trials, seed=0).folds[0].indices(trials)
    names = set(trials.table["stimulus"].iloc[test])
    excluded = picture_ranges(recording, names, LFP_WINDOW)
    windows = Windows(recording.signal, n_times=313, excluded=excluded)
    starts = windows.starts(np.arange(len(windows)))
    for start in trials.table["start"].to_numpy()[test]:
        assert (abs(starts - start) >= 313).all()


def test_ranges_of_pictures_hold_rejected_showings_too(recording, trials):
    assert lfp_preprocessing() is LFP_WINDOW
    _, test = picture_split(trials, seed=0).folds[0].indices(trials)
    names = set(trials.table["stimulus"].iloc[test])
    ranges = picture_ranges(recording, names, LFP_WINDOW)
    table = trials.table.iloc[test]
    assert ranges == list(zip(table["start"], table["stop"], strict=True))
    first = int(trials.table["start"].iloc[test[0]])
    with_gap = dataclasses.replace(recording, gaps=(first + 100,))
    fewer, rejected = cut_showings(with_gap, LFP_WINDOW)
    assert rejected["sample"].tolist() == [first]
    assert first not in fewer.table["start"].to_numpy()
    assert picture_ranges(with_gap, names, LFP_WINDOW) == ranges
