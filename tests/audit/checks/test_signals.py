from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.signals import (
    check_mains,
    check_prestimulus,
    check_signal_mean,
    check_signal_variance,
)
from phosphene.audit.finding import CheckNotPossibleError

CHECKS = [check_prestimulus, check_signal_mean, check_signal_variance, check_mains]


def made(check, source, split=None):
    return check(source, split, np.random.default_rng(0))


def with_epochs(source, epochs, **rest):
    """The source with other epochs, and without the recordings that they no longer come from."""
    epochs = epochs.astype(np.float32)
    return replace(source, epochs_with_margin=epochs, recordings=(), **rest)


@pytest.mark.parametrize("check", CHECKS)
def test_noise_tells_nothing(check, make_source):
    assert made(check, make_source(sfreq=250.0, n_times=150, step=250)) == []


def test_signal_before_the_picture_is_found_in_epochs_and_in_recordings(make_source):
    source = make_source()
    second = source.labels == 1
    epochs = source.epochs_with_margin.copy()
    epochs[second, 1, 5:15] += 2e-5
    (finding,) = made(check_prestimulus, with_epochs(source, epochs))
    assert (finding.kind, finding.severity) == ("class_from_prestimulus", "severe")
    assert finding.evidence["epochs: balanced accuracy"] > 0.9

    signals = {r.recording: r.signal.copy() for r in source.recordings}
    for row in np.flatnonzero(second):
        start = source.table["start"][row]
        signals[source.table["recording"][row]][2, start - 25 : start - 5] += 2e-5
    recordings = tuple(replace(r, signal=signals[r.recording]) for r in source.recordings)
    (finding,) = made(check_prestimulus, replace(source, recordings=recordings))
    assert finding.severity == "severe"
    assert finding.evidence["recordings: balanced accuracy"] > 0.9
    assert finding.evidence["epochs: p, corrected"] > 0.05


def test_what_a_filter_may_have_smeared_is_a_warning(make_source):
    source = make_source(n_trials=80)
    epochs = source.epochs_with_margin.copy()
    epochs[source.labels == 1, 1, 15:20] += 4e-6
    plain = with_epochs(source, epochs)
    filtered = replace(plain, preprocessing={"settings": {"band": [1.0, 30.0]}})
    assert [finding.severity for finding in made(check_prestimulus, plain)] == ["severe"]
    (finding,) = made(check_prestimulus, filtered)
    assert finding.severity == "warning"
    assert "zero-phase filter" in finding.effect


@pytest.mark.parametrize(
    ("check", "kind", "change"),
    [
        (check_signal_mean, "class_from_signal_mean", lambda x: x + 4e-6),
        (check_signal_variance, "class_from_signal_variance", lambda x: 1.6 * x),
    ],
)
def test_what_holds_before_a_response_is_severe(make_source, check, kind, change):
    source = make_source(n_trials=60)
    epochs = source.epochs_with_margin.copy()
    epochs[source.labels == 1] = change(epochs[source.labels == 1])
    (finding,) = made(check, with_epochs(source, epochs))
    assert (finding.kind, finding.severity) == (kind, "severe")
    assert "samples before 50 ms" in finding.title


@pytest.mark.parametrize(
    ("check", "change"),
    [(check_signal_mean, lambda x: x + 6e-6), (check_signal_variance, lambda x: 1.8 * x)],
)
def test_what_comes_with_the_response_may_be_the_response(make_source, check, change):
    source = make_source(n_trials=60)
    epochs = source.epochs_with_margin.copy()
    part = epochs[source.labels == 1, :, 30:70]  # from 100 ms on
    epochs[source.labels == 1, :, 30:70] = change(part)
    (finding,) = made(check, with_epochs(source, epochs))
    assert finding.severity == "warning"
    assert "may be the response itself" in finding.effect


def test_without_an_onset_the_whole_window_decides(make_source):
    source = make_source(n_trials=60)
    epochs = source.epochs_with_margin + 4e-6 * source.labels[:, None, None]
    (finding,) = made(check_signal_mean, with_epochs(source, epochs, tmin=None))
    assert finding.severity == "severe"
    assert next(iter(finding.evidence)).startswith("the window")
    with pytest.raises(CheckNotPossibleError, match="no signal before"):
        made(check_prestimulus, with_epochs(source, epochs, tmin=None))


def test_mains_are_found_in_recordings_where_the_window_was_filtered(make_source):
    source = make_source(sfreq=250.0, n_times=150, step=250, n_trials=40)
    signals = {r.recording: r.signal.copy() for r in source.recordings}
    for row in np.flatnonzero(source.labels == 1):
        start = source.table["start"][row]
        times = np.arange(start, start + 150)
        signals[source.table["recording"][row]][0, times] += 8e-6 * np.sin(0.4 * np.pi * times)
    recordings = tuple(replace(r, signal=signals[r.recording]) for r in source.recordings)
    (finding,) = made(check_mains, replace(source, recordings=recordings))
    assert (finding.kind, finding.severity) == ("class_from_mains", "severe")
    assert finding.evidence["recordings: balanced accuracy"] > 0.8
    assert finding.evidence["the window: p, corrected"] > 0.05


def test_mains_above_half_the_rate_cannot_be_seen(make_source):
    with pytest.raises(CheckNotPossibleError, match="half the rate"):
        made(check_mains, make_source(sfreq=64.0))


def test_a_class_per_recording_cannot_be_asked(make_source):
    source = make_source(labels=np.repeat([0, 1, 0, 1], 30))
    with pytest.raises(CheckNotPossibleError, match="each recording holds one class"):
        made(check_signal_mean, source)
