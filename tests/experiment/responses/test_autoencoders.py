from dataclasses import replace

import numpy as np
import pytest
import torch

from phosphene.experiment.responses import autoencoders
from phosphene.recipes.lfpgan_2020.run import make_plan
from phosphene.run_dir import RunDir


@pytest.fixture
def course(session, quick_settings, quiet_watch, tmp_path):
    """Train the signal autoencoder in a folder; return it and the record of its course."""
    run = RunDir.create(tmp_path / "run")

    def train(**changes):
        settings = replace(quick_settings, **changes)
        network = autoencoders.train_signal_autoencoder(
            settings, make_plan(settings), session, run=run, watch=quiet_watch.watch,
            checkpoints=tmp_path / "checkpoints",
        )  # fmt: skip
        return network, run.read_arrays(autoencoders.PROGRESS)

    return train


def test_reconstructions_come_nearer(course, session):
    network, found = course(autoencoder_steps=40, autoencoder_batch=8)
    assert found["steps"].tolist() == [1, 4, 12, 24, 40]
    real = found["real_spectrum_mean"]
    errors = np.abs(np.log(found["spectrum_mean"][:, :, 1:9] / real[:, 1:9])).mean((1, 2))
    assert errors[-1] < errors[0]
    made = autoencoders.reconstruct(network, session.signals[:6])
    np.testing.assert_allclose(made.std((1, 2)), 1, atol=1e-3)
    assert ((made - session.signals[:6]) ** 2).mean() < 1.9  # 2 is that of unrelated windows


def test_a_course_that_was_cut_off_goes_on(course, monkeypatch):
    fit, calls = autoencoders.fit, []

    def stop(*arguments, **words):
        calls.append(words["n_steps"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(*arguments, **words)

    monkeypatch.setattr(autoencoders, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        course(autoencoder_steps=10, autoencoder_batch=4)
    monkeypatch.setattr(autoencoders, "fit", fit)
    _, found = course(autoencoder_steps=10, autoencoder_batch=4)
    assert found["steps"].tolist() == [1, 3, 6, 10]
    assert torch.isfinite(torch.from_numpy(found["spectrum_mean"])).all()


def test_the_thesis_lets_it_see_showings_of_test_pictures(
    session, quick_settings, monkeypatch, course
):
    seen = []
    windows = type(session).windows

    def note(self, *, everything):
        seen.append(everything)
        return windows(self, everything=everything)

    monkeypatch.setattr(type(session), "windows", note)
    course(autoencoder_data="all", autoencoder_steps=1)
    assert seen == [True]


@pytest.mark.parametrize(("data", "n_pictures"), [("training", 8), ("all", 10)])
def test_pictures_that_test_are_kept_from_their_autoencoder(
    session, quick_settings, quiet_watch, tmp_path, monkeypatch, data, n_pictures
):
    shown = []
    batches = autoencoders.picture_batches
    monkeypatch.setattr(
        autoencoders,
        "picture_batches",
        lambda pictures, **words: shown.append(len(pictures)) or batches(pictures, **words),
    )
    settings = replace(quick_settings, autoencoder_data=data, picture_steps=1)
    autoencoders.train_picture_autoencoder(
        settings, make_plan(settings), session, watch=quiet_watch.watch, checkpoints=tmp_path
    )
    assert shown == [n_pictures]
