from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.nuisances import (
    before_onset,
    clock,
    course,
    early_window,
    hum,
    level,
    lines_below,
    of_recordings,
    place_in_order,
    size,
    whole_window,
)
from phosphene.audit.randomisation import time_order


def test_stretches_hold_the_samples_that_they_name(make_source):
    source = make_source(margin=20, n_times=50, sfreq=100.0)
    rows = np.array([3, 40, 7])
    whole, early, before = whole_window(source), early_window(source), before_onset(source)
    np.testing.assert_array_equal(whole.read(rows), source.epochs[rows])
    np.testing.assert_array_equal(early.read(rows), source.epochs[rows, :, :5])  # 50 ms
    np.testing.assert_array_equal(before.read(rows), source.epochs_with_margin[rows, :, :20])
    raw = of_recordings(source, begin=-0.2, end=None)
    np.testing.assert_array_equal(raw.read(rows), source.epochs_with_margin[rows, :, :70])
    assert of_recordings(source, begin=-0.2, end=0.0).read(rows).shape == (3, 3, 20)


def test_a_short_early_window_takes_the_margin_along(make_source):
    source = make_source(sfreq=50.0, margin=20)
    assert early_window(source).read(np.arange(2)).shape == (2, 3, 23)  # 0.4 s of margin, 3 samples
    late = replace(source, tmin=0.2)
    np.testing.assert_array_equal(
        early_window(late).read(np.arange(2)), source.epochs_with_margin[:2, :, :13]
    )
    assert before_onset(late).read(np.arange(2)).shape == (2, 3, 10)
    assert early_window(replace(source, tmin=1.0)) is None
    assert before_onset(replace(source, tmin=1.0)) is None


def test_without_an_onset_there_is_no_before(make_source):
    source = replace(make_source(), tmin=None)
    assert early_window(source) is None
    assert before_onset(source) is None
    assert of_recordings(source, begin=-0.3, end=0.0) is None


def test_stretches_that_leave_the_recording_are_left_out(make_source):
    source = make_source(n_recordings=2, n_trials=5)
    before = of_recordings(source, begin=-1.5, end=0.0)  # the first onset is at 1 s
    assert before.rows.tolist() == [1, 2, 3, 4, 6, 7, 8, 9]
    assert of_recordings(replace(source, recordings=()), begin=-0.3, end=0.0) is None
    assert of_recordings(replace(source, raw_ranges_known=False), begin=-0.3, end=0.0) is None
    assert of_recordings(source, begin=-900.0, end=0.0) is None


def test_features_of_many_rows_are_those_of_each(make_source):
    source = make_source(n_recordings=20, n_trials=30)
    rows = np.arange(len(source))[::-1]
    found = whole_window(source).features(level, rows)
    np.testing.assert_allclose(found, source.epochs[rows].mean(2, dtype=np.float64), rtol=1e-6)


def test_level_and_size_of_known_signals():
    epochs = np.array([[[1.0, 3.0], [5.0, 5.0]]])
    np.testing.assert_array_equal(level(epochs, 1.0), [[2, 5]])
    np.testing.assert_allclose(size(epochs, 1.0)[0, 0], 0.0, atol=1e-12)
    assert size(epochs, 1.0)[0, 1] < -80  # a flat channel, still finite
    np.testing.assert_allclose(size(3 * epochs, 1.0)[0, 0], np.log(3))


def test_course_is_level_size_and_steps_around_it():
    epochs = np.arange(16.0)[None, None]
    found = course(epochs, 1.0)
    assert found.shape == (1, 1, 10)
    np.testing.assert_allclose(found[0, 0, 2:], np.arange(0.5, 16, 2) - 7.5)
    assert course(epochs[:, :, :4], 1.0).shape == (1, 1, 6)


def test_hum_grows_with_the_mains_and_not_with_the_trial():
    rng = np.random.default_rng(0)
    times = np.arange(250) / 250
    noise = rng.normal(size=(40, 1, 250))
    quiet = hum(noise, 250.0)
    loud = hum(noise + np.sin(2 * np.pi * 50 * times + 1), 250.0)
    assert quiet.shape == (40, 1, 2)
    assert (loud - quiet)[..., 0].mean() > 1
    assert abs((loud - quiet)[..., 1].mean()) < 0.2  # 60 Hz
    np.testing.assert_allclose(hum(7 * noise, 250.0), quiet)
    assert lines_below(128.0) == (50.0, 60.0)
    assert lines_below(110.0) == (50.0,)
    assert lines_below(100.0) == ()


def test_the_clock_knows_pauses_and_place(make_source):
    onset = np.array([1.0, 2.0, 3.0, 3.5, 20.0])
    source = make_source(n_recordings=1, n_trials=5, onset=onset)
    found = clock(source)
    np.testing.assert_allclose(found[[0, -1], 0], [-1, 1])
    np.testing.assert_allclose(found[:, 3], [1, 1, 1, 0.5, 5])  # a break counts as five pauses
    np.testing.assert_allclose(found[:, 4], [1, 1, 0.5, 5, 1])
    np.testing.assert_allclose(found[3, 5:], [-1, 0], atol=1e-12)
    assert clock(make_source(onset=0.0)) is None


def test_the_place_in_a_pattern_starts_anew_in_every_recording(make_source):
    source = make_source(n_recordings=2, n_trials=7, n_classes=3)
    found = place_in_order(source, time_order(source))
    np.testing.assert_array_equal(found[:7], found[7:])
    np.testing.assert_array_equal(found[:7, 3], [1, 0, 1, 0, 1, 0, 1])  # of two
    np.testing.assert_array_equal(found[:7, 4], [1, 0, 0, 1, 0, 0, 1])  # of three
    assert found.shape[1] == 3 + sum(range(1, 12))


@pytest.mark.parametrize("n_classes", [2, 20])
def test_patterns_as_long_as_the_classes_are_looked_for(make_source, n_classes):
    source = make_source(n_trials=40, n_classes=n_classes)
    n_columns = place_in_order(source, time_order(source)).shape[1]
    assert n_columns == 3 + sum(range(1, 12)) + (19 if n_classes == 20 else 0)
