import numpy as np
import pytest

from phosphene.experiment.controls import leaking
from phosphene.experiment.controls.control import ControlNotPossibleError


def test_time_tells_the_class_where_classes_come_in_blocks():
    onsets = np.tile(np.arange(40.0), 3)
    recordings = np.repeat(["a", "b", "c"], 40)
    labels = np.tile(np.repeat([0, 1], 20), 3)
    train, test = np.flatnonzero(recordings != "c"), np.flatnonzero(recordings == "c")
    found = leaking.clock_probabilities(onsets, recordings, labels, train, test, n_classes=2)
    assert (found.argmax(1) == labels[test]).mean() > 0.9
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_time_of_the_own_recording_comes_first():
    onsets = np.tile(np.arange(40.0), 2)
    recordings = np.repeat(["a", "b"], 40)
    labels = np.concatenate([np.repeat([0, 1], 20), np.repeat([1, 0], 20)])
    rows = np.arange(80)
    train, test = rows[rows % 3 != 0], rows[rows % 3 == 0]
    found = leaking.clock_probabilities(onsets, recordings, labels, train, test, n_classes=2)
    assert (found.argmax(1) == labels[test]).mean() > 0.8


def test_random_order_says_nothing():
    rng = np.random.default_rng(0)
    onsets, recordings = np.tile(np.arange(200.0), 2), np.repeat(["a", "b"], 200)
    labels = rng.integers(0, 2, 400)
    train, test = np.arange(200), np.arange(200, 400)
    found = leaking.clock_probabilities(onsets, recordings, labels, train, test, n_classes=2)
    assert abs((found.argmax(1) == labels[test]).mean() - 0.5) < 0.1


def test_stretches_are_whole_and_follow_one_another():
    part = leaking.stretches(np.repeat(["a", "b"], [10, 7]))
    assert part[:10].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert part[10:].tolist() == sorted(part[10:].tolist())
    assert set(part[10:]) == set(range(5))


def test_state_is_told_by_gain_and_offset_of_channels():
    rng = np.random.default_rng(0)
    epochs = rng.normal(size=(40, 3, 50))
    epochs[20:, 1] *= 3
    features = leaking.state_features(epochs)
    assert features.shape == (40, 3 + 3 + 3)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-9)
    gap = np.abs(features[:20].mean(axis=0) - features[20:].mean(axis=0))
    assert gap.argmax() == 4  # log SD of the second channel
    still = leaking.state_features(np.ones((4, 2, 5)))
    assert np.isfinite(still).all()


def test_gains_of_recordings_are_found(controlled):
    _, content = controlled
    record = next(c for c in content["controls"] if c["key"] == "recording_index")
    assert record["outcome"] == "above chance"  # simulated recordings differ in gain and drift
    assert record["passed"] is None


def test_the_gap_is_window_wise_less_group_wise(controlled):
    _, content = controlled
    record = next(c for c in content["controls"] if c["key"] == "window_wise")
    window, _, group, _ = record["scores"]
    assert record["details"]["gap"] == pytest.approx(window["value"] - group["value"])
    assert "window-wise" in window["split"]


def test_trials_without_times_are_left_alone(material):
    from dataclasses import replace

    table = material.trials.table.assign(onset=np.nan)
    dataset = replace(material.dataset, trials=replace(material.trials, table=table))
    with pytest.raises(ControlNotPossibleError, match="when its trials happened"):
        leaking.CLOCK.tasks(replace(material, dataset=dataset))
