from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from phosphene.data.images import ImageSet
from phosphene.data.scaling import ChannelScaler
from phosphene.export.signal_to_picture import FeatureScaler, LinearDecoder, SignalToPicture
from phosphene.recipes.brain2image_2017 import interpolation
from phosphene.run_dir import RunDir


class Brightness(nn.Module):
    """Draws pictures as bright as the first feature, and half as much as the first noise value."""

    n_noise, n_features, size, color = 3, 2, 16, 1

    def forward(self, z, f):
        return (f[:, :1] + z[:, :1] / 2)[:, :, None, None].expand(-1, 1, 16, 16)


class ByLabel(SignalToPicture):
    """Features are the class and its negative, whatever the signal."""

    def features(self, epochs):
        labels = np.asarray(epochs)[:, 0, 0]
        return np.stack([labels, -labels], 1).astype(np.float32)


@pytest.fixture
def labelled(easy_trials):
    """Trials whose first value is their class."""
    epochs = np.zeros_like(easy_trials.epochs_with_margin) + easy_trials.labels[:, None, None]
    return replace(easy_trials, epochs_with_margin=epochs.astype(np.float32))


@pytest.fixture
def bright_system():
    """A system whose pictures are the brighter the higher the class."""
    return ByLabel(
        scaler=ChannelScaler(np.zeros(4, np.float32), np.ones(4, np.float32)),
        encoder=nn.Identity(),
        decoder=LinearDecoder(np.zeros((3, 2)), np.zeros(3)),
        feature_scaler=FeatureScaler(np.zeros(2, np.float32), np.full(2, 8.0, np.float32)),
        generator=Brightness(),
        noise="normal",
    )


def test_a_path_leads_evenly_from_one_class_mean_to_the_other(bright_system, labelled):
    pictures, pairs = interpolation.draw_paths(bright_system, labelled, n_points=11, seed=0)
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert pictures.shape == (3, 11, 16, 16, 1)
    grey = pictures[:, :, 0, 0, 0].astype(float)
    step = np.array([1, 2, 1]) / 8 / 10 * 127.5  # classes apart, scaler, steps, bytes per unit
    np.testing.assert_allclose(np.diff(grey, axis=1), step[:, None] * np.ones((3, 10)), atol=1)


def test_noise_stays_along_a_path_and_differs_between_paths(bright_system, labelled):
    draw = interpolation.draw_paths
    first, again, other = (
        draw(bright_system, labelled, n_points=11, seed=seed)[0] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    # both begin at class 0, with noise of their own
    assert first[0, 0, 0, 0, 0] != first[1, 0, 0, 0, 0]


def test_of_many_lines_some_are_drawn(bright_system, labelled, monkeypatch):
    monkeypatch.setattr(interpolation, "MAX_PATHS", 2)
    pictures, pairs = interpolation.draw_paths(bright_system, labelled, n_points=11, seed=0)
    assert len(pictures) == len(pairs) == 2
    assert len({tuple(pair) for pair in pairs.tolist()}) == 2


def test_drawing_needs_a_generator(bright_system, labelled):
    untrained = replace(bright_system, generator=None)
    with pytest.raises(ValueError, match="needs a trained generator"):
        interpolation.draw_paths(untrained, labelled, n_points=11, seed=0)


def test_real_pictures_fade_between_their_classes(dataset):
    images = dataset.images.with_classes(dataset.trials.classes)
    flat = np.zeros_like(images.pixels) + 50 * images.labels.astype(np.uint8)[:, None, None, None]
    images = ImageSet(**{**vars(images), "pixels": flat})
    faded = interpolation._fade_real(images, np.array([[0, 2], [1, 2]]), n_points=11, seed=0)
    np.testing.assert_array_equal(faded[0, :, 0, 0, 0], np.arange(0, 101, 10))
    np.testing.assert_array_equal(faded[1, [0, -1], 0, 0, 0], [50, 100])


def write_paths(run, **features):
    """Write what the [domain] network saw along three paths."""
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    run.write_arrays("folds/a/interpolation.npz", {"pairs": pairs, **features})


def test_scores_tell_kinds_of_features_from_their_baselines(tmp_path):
    even = np.linspace(0, 1, 11)[None, :, None] * np.ones((3, 1, 2))
    jump = (even > 0.5).astype(float)
    run = RunDir.create(tmp_path / "run")
    assert interpolation.interpolation_scores(run, "a", "by recording") == []
    write_paths(
        run,
        softmax_features=jump,
        softmax_fade_features=even,
        triplet_features=even,
        triplet_fade_features=even,
        real_fade_features=even,
    )
    scores = interpolation.interpolation_scores(run, "a", "by recording")
    smooth = {s.method: s for s in scores if s.name == "interpolation smoothness[domain]"}
    assert {method: (s.role, round(s.value, 6)) for method, s in smooth.items()} == {
        "softmax features": ("result", 0.0),
        "cross-fade of ends, softmax features": ("baseline", 1.0),
        "triplet features": ("baseline", 1.0),
        "cross-fade of ends, triplet features": ("baseline", 1.0),
        "cross-fade of real pictures": ("reference", 1.0),
    }
    assert {(s.fold, s.split, s.section) for s in scores} == {("a", "by recording", "pictures")}


def test_ends_that_do_not_show_their_class_are_counted(tmp_path):
    even = np.linspace(0, 1, 11)[None, :, None] * np.ones((3, 1, 2))
    run = RunDir.create(tmp_path / "run")
    ends = {
        "softmax_ends": np.array([[0, 1], [0, 2], [1, 2]]),
        "triplet_ends": np.array([[0, 0], [0, 0], [0, 2]]),  # of 0-1, 0-2, 1-2
    }
    write_paths(run, softmax_features=even, triplet_features=even, **ends)
    scores = interpolation.interpolation_scores(run, "a", "by recording")
    found = {s.method: s for s in scores if s.name == "interpolation ends[domain]"}
    assert {method: s.value for method, s in found.items()} == {
        "softmax features": 1.0,
        "triplet features": 0.5,
    }
    assert {(s.n, s.unit, s.fold) for s in found.values()} == {(3, "classes", "a")}


def test_without_a_second_generator_there_are_no_triplet_rows(tmp_path):
    even = np.linspace(0, 1, 11)[None, :, None] * np.ones((3, 1, 2))
    run = RunDir.create(tmp_path / "run")
    write_paths(run, softmax_features=even, softmax_fade_features=even, real_fade_features=even)
    methods = {s.method for s in interpolation.interpolation_scores(run, "a", "")}
    assert not [method for method in methods if "triplet" in method]


def test_smoke_run_leaves_paths_of_both_kinds(trained, smoke, dataset):
    arrays = trained.run.read_arrays("folds/0/interpolation.npz")
    n_paths, n_points = 6, smoke.path_points
    for kind in ("softmax", "triplet"):
        assert arrays[kind].shape == (n_paths, n_points, 16, 16, 1)
        assert arrays[kind].dtype == np.uint8
        features = arrays[f"{kind}_features"]
        assert features.shape == arrays[f"{kind}_fade_features"].shape == (n_paths, n_points, 128)
        steps = np.linalg.norm(np.diff(features, axis=1), axis=2)
        np.testing.assert_array_equal(arrays[f"{kind}_steps"], steps)
        assert set(np.unique(arrays[f"{kind}_ends"])) <= {0, 1, 2, 3}
        assert arrays[f"{kind}_ends"].shape == (n_paths, 2)
        # a fade begins and ends with the pictures of its path
        ends = features[:, [0, -1]], arrays[f"{kind}_fade_features"][:, [0, -1]]
        np.testing.assert_allclose(*ends, rtol=1e-5, atol=1e-6)
    assert (arrays["softmax_features"] != arrays["triplet_features"]).any()
    assert len(arrays["pairs"]) == n_paths


def test_second_generator_is_trained_like_the_first(trained, smoke):
    log = list(trained.run.read_log())
    first, second = (
        [record for record in log if record.get("stage") == stage]
        for stage in ("generator", "triplet generator")
    )
    assert [r["step"] for r in second] == [r["step"] for r in first]
    assert second[-1]["step"] == smoke.generator_steps
    assert [r["loss"] for r in second] != [r["loss"] for r in first]


@pytest.mark.slow
def test_no_second_generator_is_trained_without_being_asked_for(smoke, train_in, tmp_path):
    config = replace(
        smoke, second_generator=False, compare_triplets=False, null_folds=0, generator="vae",
        encoder="transformer",
    )  # fmt: skip
    found = train_in(tmp_path / "alone", config)
    arrays = found.run.read_arrays("folds/0/interpolation.npz")
    assert "softmax" in arrays
    assert "triplet" not in arrays
    assert "triplet generator" not in {record.get("stage") for record in found.run.read_log()}
    assert {score.section for score in found.scores} >= {"decoding", "pictures"}
    networks = found.run.read_json("networks.json")
    assert networks["encoder"]["network"] == "TransformerEncoder"
    assert networks["picture_encoder"]["network"] == "PictureEncoder"
    assert networks["generator"]["network"] == "Brain2ImageGenerator"
