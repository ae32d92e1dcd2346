from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from phosphene.experiment.responses import drawing
from phosphene.experiment.responses.session import SETS, scored_rows
from phosphene.run_dir import RunDir
from phosphene.training.seeding import seeded_generator


class Echo(nn.Module):
    """Gives back the mean grey of its picture in every sample, and a little noise."""

    noise_shape = (6, 313)

    def forward(self, noise, pictures=None, index=None):
        if pictures is None:
            return noise
        return 0.01 * noise + pictures[index].mean((1, 2, 3))[:, None, None]


@pytest.fixture
def run(tmp_path, session, quick_settings):
    run = RunDir.create(tmp_path / "run")
    drawing.write_real(quick_settings, session, run=run)
    return run


def test_real_windows_are_those_that_are_scored(run, session, quick_settings):
    found = run.read_arrays(drawing.REAL)
    for name, rows in scored_rows(quick_settings, session).items():
        np.testing.assert_array_equal(found[name], session.signals[rows])
        np.testing.assert_array_equal(found[f"{name}_picture"], session.picture[rows])
    assert found["truth"].shape == (10, 6, 313)


def test_noise_stands_in_for_a_system(run):
    real = run.read_arrays(drawing.REAL)
    for system in ("noise", "phase-randomised"):
        made = run.read_arrays(drawing.generated_file(system))
        for name in SETS:
            assert made[name].shape == real[name].shape
            assert np.corrcoef(made[name].ravel(), real[name].ravel())[0, 1] < 0.3
            np.testing.assert_array_equal(made[f"{name}_picture"], real[f"{name}_picture"])


def test_each_window_is_made_for_the_picture_of_its_row(session):
    picture = np.array([3, 0, 3, 9])
    made = drawing.generate(
        Echo(), session.pictures, picture, rng=seeded_generator(0), batch_size=3
    )
    means = session.pictures.mean((1, 2, 3)).numpy()
    np.testing.assert_allclose(made.mean((1, 2)), means[picture], atol=0.002)
    again = drawing.generate(
        Echo(), session.pictures, picture, rng=seeded_generator(0), batch_size=3
    )
    np.testing.assert_array_equal(made, again)
    assert not np.array_equal(made[0], made[2])


def test_generated_windows_follow_from_the_seed(run, session, quick_settings):
    found = []
    for seed in (0, 0, 1):
        settings = replace(quick_settings, seed=seed)
        drawing.write_generated(settings, session, "GAN", Echo(), uses_pictures=True, run=run)
        found.append(run.read_arrays(drawing.generated_file("GAN"))["test"])
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_the_index_names_every_summary_once(run, session, quick_settings):
    for _ in range(2):
        drawing.write_generated(
            quick_settings, session, "GAN", Echo(), uses_pictures=False, run=run
        )
    index = run.read_json(drawing.INDEX)
    assert len({entry["file"] for entry in index}) == len(index)
    assert {entry["system"] for entry in index} == {"real", "noise", "phase-randomised", "GAN"}
    assert [entry["set"] for entry in index if entry["system"] == "GAN"] == [*SETS, "picture"]
    for entry in index:
        summary = run.read_arrays(f"{drawing.SUMMARIES}/{entry['file']}")
        assert summary["quantiles"].shape == (5, 6, 313)
    shown = run.read_arrays("folds/pictures/shown.npz")
    assert next(e["picture"] for e in index if e["set"] == "picture") == shown["stimulus"][0]
    assert shown["picture"].shape == (1, 54, 69)


def test_reconstructions_stand_beside_what_they_are_of(run, session, quick_settings):
    class Half(nn.Module):
        def forward(self, found):
            return found / 2

    drawing.write_reconstructions(quick_settings, session, signals=Half(), pictures=Half(), run=run)
    found = run.read_arrays("folds/pictures/reconstructions.npz")
    np.testing.assert_allclose(found["autoencoder"], found["real"] / 2)
    assert found["picture"].dtype == np.uint8
    grey = found["picture"].astype(float) - 127.5
    assert np.abs((found["picture_autoencoder"] - 127.5) - grey / 2).max() <= 1.5
    tests = set(session.picture[session.rows["test"]])
    shown = torch.from_numpy(found["picture"].astype(np.float32) / 127.5 - 1)
    for picture in shown:
        rows = [k for k in tests if float((session.pictures[k, 0] - picture).abs().max()) < 0.01]
        assert rows  # test pictures, and no others


def test_names_become_parts_of_file_names():
    assert drawing.slug("pre-trained GAN without pictures") == "pre-trained-gan-without-pictures"
