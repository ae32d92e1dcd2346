import numpy as np
import pytest

from phosphene.evaluation.grouped_lda import grouped_lda
from phosphene.evaluation.probes import shrinkage_lda


def states(*, n_each=30, seed=0):
    """Two classes in four recordings, their means in turn on a circle: no line parts them."""
    rng = np.random.default_rng(seed)
    recording, label = np.repeat(np.arange(4), 2 * n_each), np.tile([0, 1], 4 * n_each)
    angle = 2 * np.pi * (2 * recording + label) / 8
    mean = 8 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (mean + rng.normal(size=(len(label), 2)))[:, None], label, recording


def test_knows_the_state_of_each_recording_which_one_mean_per_class_cannot():
    epochs, labels, recording = states()
    held_out, shown, _ = states(seed=1)
    grouped = grouped_lda(epochs, labels, recording, n_classes=2).predict_proba(held_out)
    plain = shrinkage_lda(epochs, labels, n_classes=2).predict_proba(held_out)
    assert (grouped.argmax(1) == shown).mean() > 0.98
    assert (plain.argmax(1) == shown).mean() < 0.8
    np.testing.assert_allclose(grouped.sum(axis=1), 1)


def test_is_plain_where_there_is_one_recording():
    epochs, labels, _ = states()
    found = grouped_lda(epochs, labels, ["only"] * len(labels), n_classes=2)
    expected = shrinkage_lda(epochs, labels, n_classes=2)
    np.testing.assert_allclose(found.predict_proba(epochs), expected.predict_proba(epochs))


def test_recordings_with_few_trials_share_a_mean():
    epochs, labels, recording = states(n_each=3)
    found = grouped_lda(epochs, labels, recording, n_classes=2)
    assert found.class_of.tolist() == [0, 1]


def test_a_class_with_more_means_has_no_more_weight():
    rng = np.random.default_rng(0)
    labels = np.array([0] * 20 + [1] * 20)
    recording = np.array([0] * 20 + [0] * 10 + [1] * 10)
    found = grouped_lda(rng.normal(size=(40, 2, 1)), labels, recording, n_classes=2)
    assert found.class_of.tolist() == [0, 1, 1]
    prior = found.predict_proba(np.zeros((1, 2, 1)))[0]
    assert prior == pytest.approx([0.5, 0.5], abs=0.25)


def test_refuses_a_class_without_trials():
    with pytest.raises(ValueError, match="class 1 of 2 has none"):
        grouped_lda(np.zeros((4, 1, 2)), np.zeros(4, dtype=np.int64), range(4), n_classes=2)
