from dataclasses import replace

import numpy as np
import pytest

from phosphene.experiment.responses.classifier import (
    describe_windows,
    divide_showings,
    train_classifier,
)


def test_no_showing_is_on_both_sides_and_every_picture_on_each(session, quick_settings):
    trained, heldout = divide_showings(quick_settings, session)
    assert not set(trained) & set(heldout)
    assert set(trained) | set(heldout) == set(session.rows["train"])
    assert set(session.picture[trained]) == set(session.picture[heldout])
    assert len(heldout) == 8 * 2


def test_pictures_shown_once_are_refused(session, quick_settings):
    once = np.unique(session.picture, return_index=True)[1]
    rows = np.intersect1d(session.rows["train"], once)
    with pytest.raises(ValueError, match="shown twice or more"):
        divide_showings(quick_settings, replace(session, rows={**session.rows, "train": rows}))


def test_it_tells_pictures_apart_that_differ(session, quick_settings, quiet_watch, tmp_path):
    settings = replace(quick_settings, classifier_steps=60)
    found = train_classifier(settings, session, watch=quiet_watch.watch, checkpoints=tmp_path)
    labels = np.searchsorted(found.classes, session.picture[found.heldout])
    assert (found.probabilities.argmax(1) == labels).mean() > 0.4  # chance 1/8
    seen = describe_windows(found.network, session.signals[found.heldout], batch_size=5)
    np.testing.assert_allclose(seen["probabilities"], found.probabilities, atol=1e-5)
    assert seen["features"].shape == (16, 64)


def test_its_randomness_is_that_of_the_split(session, quick_settings, quiet_watch, tmp_path):
    found = [
        train_classifier(
            replace(quick_settings, seed=seed), session,
            watch=quiet_watch.watch, checkpoints=tmp_path / str(seed),
        ).probabilities
        for seed in (0, 1)
    ]  # fmt: skip
    np.testing.assert_array_equal(*found)
