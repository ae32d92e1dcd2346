from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.scaling import check_scaling
from phosphene.audit.finding import CheckNotPossibleError
from phosphene.data.splits import Fold, Split


def channels(x, axes=(0, 2)):
    return (x - x.mean(axis=axes, keepdims=True)) / x.std(axis=axes, keepdims=True)


def whole(x):
    return (x - x.mean()) / x.std()


def samples(x):
    return channels(x, axes=0)


def unbiased(x):
    return (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)


def centred(x):
    return x - x.mean(axis=0)


def between_0_and_1(x):
    return (x - x.min()) / np.ptp(x)


def whitened(x):
    rows = x.transpose(1, 0, 2).reshape(x.shape[1], -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    values, axes = np.linalg.eigh(np.cov(rows))
    rows = axes / np.sqrt(values) @ axes.T @ rows * 1e-5
    return rows.reshape(x.shape[1], len(x), -1).transpose(1, 0, 2)


@pytest.fixture
def source(make_source):
    """Channels that share a part, and recordings of different size."""
    made = make_source(n_chans=4, margin=0)
    epochs = made.epochs_with_margin.astype(np.float64)
    epochs += 0.5 * epochs[:, :1] + 1e-6 * np.arange(4)[None, :, None]
    epochs *= np.repeat([1.0, 1.3, 0.8, 1.1], 30)[:, None, None]
    return replace(made, epochs_with_margin=epochs.astype(np.float32))


def scaled(source, change):
    epochs = change(source.epochs_with_margin.astype(np.float64))
    return replace(source, epochs_with_margin=epochs.astype(np.float32))


def look(source, split=None):
    return check_scaling(source, split, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (channels, "standard deviation 1 of each channel"),
        (whole, "standard deviation 1 of all values"),
        (samples, "each sample of each channel"),
        (unbiased, "each sample of each channel"),
        (centred, "the mean over trials taken off"),
        (between_0_and_1, "values from 0 to 1"),
        (whitened, "whitening"),
    ],
)
def test_what_was_fitted_on_all_trials_is_named(source, change, words):
    (found,) = look(scaled(source, change))
    assert (found.kind, found.severity) == ("scaling_across_split", "warning")
    assert words in found.title


def test_signals_as_recorded_are_not_accused(source):
    assert look(source) == []
    assert look(scaled(source, lambda x: x * 1e6)) == []


def test_each_trial_or_recording_by_itself_is_honest(source):
    assert look(scaled(source, lambda x: channels(x, axes=2))) == []

    def by_recording(x):
        return np.concatenate([channels(x[k : k + 30]) for k in range(0, 120, 30)])

    assert look(scaled(source, by_recording)) == []


def test_fitted_on_training_trials_is_as_it_should_be(source):
    def on_training(x):
        train = x[30:]
        return (x - train.mean(axis=(0, 2), keepdims=True)) / train.std(axis=(0, 2), keepdims=True)

    assert look(scaled(source, on_training)) == []

    ids = source.table["trial"].to_numpy()
    ranged = scaled(source, between_0_and_1)
    extremes = np.array([ranged.epochs.argmin(), ranged.epochs.argmax()])
    rows = extremes // ranged.epochs[0].size
    train = np.union1d(rows, np.arange(60))
    test = np.setdiff1d(np.arange(120), train)
    split = Split("trial", (Fold("a", tuple(ids[train]), tuple(ids[test])),))
    assert look(ranged, split) == []


def test_a_split_by_recording_does_not_hide_it(source):
    names, ids = source.column("recording"), source.table["trial"].to_numpy()
    folds = [Fold(n, tuple(ids[names != n]), tuple(ids[names == n])) for n in np.unique(names)]
    assert len(look(scaled(source, channels), Split("recording", tuple(folds)))) == 1


def test_two_trials_are_too_few(make_source):
    with pytest.raises(CheckNotPossibleError, match="2 trials are too few"):
        look(make_source(n_recordings=1, n_trials=2))
