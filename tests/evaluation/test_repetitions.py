import numpy as np
import pytest

from phosphene.evaluation.repetitions import average_repetitions, group_repetitions


def test_groups_are_of_one_class_and_recording_and_share_no_trial():
    labels = np.array([0, 1] * 10 + [0] * 5)
    recordings = np.array(["a"] * 20 + ["b"] * 5)
    groups = group_repetitions(labels, recordings, n=3, rng=np.random.default_rng(0))
    assert groups.shape == (3 + 3 + 1, 3)
    assert len(set(groups.ravel().tolist())) == groups.size
    for rows in groups:
        assert len(set(labels[rows])) == len(set(recordings[rows])) == 1


def test_an_average_of_one_is_every_trial():
    groups = group_repetitions(
        np.array([0, 1, 1]), np.array(["a"] * 3), n=1, rng=np.random.default_rng(0)
    )
    assert sorted(groups.ravel().tolist()) == [0, 1, 2]
    epochs = np.random.default_rng(1).normal(size=(3, 2, 4)).astype(np.float32)
    np.testing.assert_array_equal(average_repetitions(epochs, groups), epochs[groups[:, 0]])


def test_noise_falls_with_the_square_root_of_the_number():
    epochs = np.random.default_rng(0).normal(size=(4000, 1, 5)).astype(np.float32)
    groups = np.arange(4000).reshape(-1, 4)
    averaged = average_repetitions(epochs, groups)
    assert averaged.dtype == np.float32
    assert averaged.std() == pytest.approx(epochs.std() / 2, rel=0.05)


def test_too_few_repetitions_give_no_group():
    groups = group_repetitions(
        np.array([0, 1]), np.array(["a", "a"]), n=2, rng=np.random.default_rng(0)
    )
    assert groups.shape == (0, 2)
    assert average_repetitions(np.zeros((2, 3, 4), np.float32), groups).shape == (0, 3, 4)


def test_refuses_an_average_of_nothing():
    with pytest.raises(ValueError, match="at least 1 trial"):
        group_repetitions(np.array([0]), np.array(["a"]), n=0, rng=np.random.default_rng(0))
