import numpy as np
import pytest

from phosphene.experiment import drawing
from phosphene.export.bundle import load_bundle
from phosphene.run_dir import RunDir
from phosphene.training.seeding import derive_seed


@pytest.fixture(scope="module")
def arrays(trained):
    """What the smoke run kept of its first fold."""
    names = ("decoding", "pictures", "generated", "map")
    return {name: trained.run.read_arrays(f"folds/0/{name}.npz") for name in names}


@pytest.fixture(scope="module")
def bundle(trained):
    """The bundle of the smoke run."""
    return load_bundle(trained.run.path / "bundle")


def rows_of(arrays):
    position = {name: row for row, name in enumerate(arrays["decoding"]["trial"])}
    return np.array([position[name] for name in arrays["pictures"]["trial"]])


def test_bundle_draws_the_pictures_that_the_run_shows(arrays, bundle, dataset, smoke):
    rows = rows_of(arrays)
    ids = list(dataset.trials.table["trial"])
    trials = dataset.trials.select([ids.index(name) for name in arrays["pictures"]["trial"]])
    features = bundle.system.features(trials.epochs)
    np.testing.assert_allclose(features, arrays["decoding"]["features"][rows], atol=1e-5)
    seed = derive_seed(smoke.seed, "drawing", "0")
    for draw in range(smoke.n_draws):
        drawn = bundle.system.draw(arrays["decoding"]["features"][rows], seed=seed, draw=draw + 1)
        np.testing.assert_array_equal(drawn, arrays["pictures"]["images"][:, draw])


def test_draws_of_a_trial_differ(arrays):
    images = arrays["pictures"]["images"].astype(int)
    assert (images[:, 0] != images[:, 1]).any()


def test_shown_trials_are_scored_ones_with_classes_in_turn(arrays, smoke):
    pictures = arrays["pictures"]
    counts = np.bincount(pictures["labels"], minlength=4)
    assert len(pictures["labels"]) == min(drawing.N_SHOWN, smoke.n_scored)
    assert counts.min() > 0
    rows = rows_of(arrays)
    np.testing.assert_array_equal(arrays["decoding"]["labels"][rows], pictures["labels"])
    decoded = arrays["decoding"]["probabilities"][rows].argmax(1)
    np.testing.assert_array_equal(decoded, pictures["decoded"])


def test_the_shown_picture_is_the_trials_own(arrays, dataset):
    stimulus = dict(
        zip(dataset.trials.table["trial"], dataset.trials.table["stimulus"], strict=True)
    )
    position = {name: row for row, name in enumerate(dataset.images.table["stimulus"])}
    own = [position[stimulus[name]] for name in arrays["pictures"]["trial"]]
    np.testing.assert_array_equal(arrays["pictures"]["shown"], dataset.images.pixels[own])


def test_the_nearest_picture_is_one_the_generator_saw(arrays):
    training = {picture.tobytes() for picture in arrays["generated"]["training"]}
    assert all(picture.tobytes() in training for picture in arrays["pictures"]["nearest"])
    first = arrays["pictures"]["images"][0, 0].astype(float)
    distances = np.abs(arrays["generated"]["training"] - first).mean((1, 2, 3))
    nearest = np.abs(arrays["pictures"]["nearest"][0] - first).mean()
    assert nearest < np.median(distances)


def test_judge_looks_at_every_draw(arrays, smoke):
    pictures = arrays["pictures"]
    assert pictures["judged"].shape == (len(pictures["labels"]), smoke.n_draws)
    assert set(np.unique(pictures["judged"])) <= {0, 1, 2, 3}


def test_real_examples_are_of_their_class(arrays, dataset):
    label = {
        picture.tobytes(): label
        for picture, label in zip(dataset.images.pixels, dataset.images.labels, strict=True)
    }
    for number, pictures in enumerate(arrays["pictures"]["real"]):
        assert {label[picture.tobytes()] for picture in pictures} == {number}


def test_map_lays_out_held_out_features_with_their_pictures(arrays, bundle, smoke):
    plane = arrays["map"]
    n = len(arrays["decoding"]["labels"])
    assert plane["tsne"].shape == (n, 2)
    assert np.isfinite(plane["tsne"]).all()
    np.testing.assert_array_equal(plane["labels"], arrays["decoding"]["labels"])
    features = arrays["decoding"]["features"][plane["thumb_index"]]
    thumbs = bundle.system.draw(features, seed=smoke.seed, draw=1)
    np.testing.assert_array_equal(thumbs, plane["thumbs"])


def test_the_compared_encoder_has_a_map_of_the_same_trials(trained, arrays):
    other = trained.run.read_arrays("folds/0/compare_map.npz")
    np.testing.assert_array_equal(other["labels"], arrays["map"]["labels"])
    assert other["tsne"].shape == arrays["map"]["tsne"].shape
    assert np.isfinite(other["tsne"]).all()
    assert (other["tsne"] != arrays["map"]["tsne"]).any()


def test_a_map_that_is_there_is_not_laid_out_again(trained, arrays, monkeypatch):
    def refuse(features, **_):
        raise AssertionError("laid out again")

    monkeypatch.setattr(drawing, "_plane", refuse)
    drawing.write_compared_map(arrays["decoding"], run=trained.run, key="0", seed=0)


def test_without_a_compared_encoder_there_is_no_map_of_it(arrays, tmp_path):
    run = RunDir.create(tmp_path / "run")
    alone = {k: v for k, v in arrays["decoding"].items() if not k.startswith("compare")}
    drawing.write_compared_map(alone, run=run, key="0", seed=0)
    assert not run.has("folds/0/compare_map.npz")


def test_every_source_is_drawn_and_judged_for_the_same_trials(arrays, smoke):
    generated = arrays["generated"]
    for source in ("own", "shuffled", "label_only", "noise"):
        assert len(generated[source]) == len(generated[f"{source}_judge"]) == smoke.n_scored
