from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from phosphene.data.splits import Split
from phosphene.experiment.restoration.pictures import (
    TEST,
    describe_pictures,
    pixels_of,
    prepare_pictures,
    unit_pictures,
)


def test_a_share_of_each_class_tests(pictures):
    labels = pictures.images.labels
    assert np.intersect1d(pictures.train, pictures.test).size == 0
    assert len(pictures.train) + len(pictures.test) == len(labels)
    for label in range(10):
        share = (labels[pictures.test] == label).sum() / (labels == label).sum()
        assert share == pytest.approx(0.25, abs=0.03)


def test_the_division_depends_on_split_seed_alone(settings, pictures, digits_folder):
    def tests(**changes):
        return prepare_pictures(replace(settings, **changes), digits_folder).test.tolist()

    assert tests(seed=7) == pictures.test.tolist()
    assert tests(split_seed=7) != pictures.test.tolist()


def test_official_test_pictures_are_those_of_their_file(settings, digits_folder):
    found = prepare_pictures(replace(settings, division="official"), digits_folder)
    assert found.train.tolist() == list(range(160))
    assert found.test.tolist() == list(range(160, 220))


def test_without_an_official_test_set_it_says_what_to_do(settings, data_folder):
    with pytest.raises(ValueError, match=r"no such file.*--division share"):
        prepare_pictures(replace(settings, division="official"), data_folder)


def test_too_few_pictures_are_refused(settings, tmp_path):
    for name in "abcd":
        Image.new("L", (8, 8)).save(tmp_path / f"{name}.png")
    with pytest.raises(ValueError, match="gives 3 and 1"):
        prepare_pictures(settings, tmp_path)


def test_a_corruption_that_cannot_be_read_is_refused_before_pictures_are(settings, tmp_path):
    with pytest.raises(ValueError, match="--corruption"):
        prepare_pictures(replace(settings, corruption="lower_half+"), tmp_path / "no")


def test_size_and_colours_are_those_of_the_data_unless_set(settings, data_folder):
    found = prepare_pictures(settings, data_folder)
    height, width, color = found.images.pixels.shape[1:]
    assert (found.size, found.color) == ((height, width), color)
    small = prepare_pictures(replace(settings, image_size=10), data_folder)
    assert (small.size, small.color) == ((10, 10), color)
    assert small.mean.shape == (color, 10, 10)


def test_the_mean_picture_is_that_of_those_that_train(pictures):
    expected = pictures.images.pixels[pictures.train].mean(0) / 255
    np.testing.assert_allclose(pictures.mean.permute(1, 2, 0).numpy(), expected, atol=1e-6)


def test_batches_hold_each_picture_once_a_pass(pictures):
    rows = pictures.train[:12]
    batches = pictures.batches(rows, batch=4, seed=0)
    seen = torch.cat([batches(step)[0] for step in range(3)])
    assert seen.shape == (12, 1, 8, 8)
    wanted = unit_pictures(pictures.images.pixels[rows])
    assert sorted(map(bytes, seen.numpy())) == sorted(map(bytes, wanted.numpy()))
    assert torch.equal(batches(1)[0], pictures.batches(rows, batch=4, seed=0)(1)[0])


def test_validation_pictures_are_training_pictures_left_out(settings, pictures):
    train, judge = pictures.validation(settings)
    assert len(judge) == settings.n_validation
    assert sorted([*train, *judge]) == pictures.train.tolist()
    train, judge = pictures.validation(replace(settings, n_validation=10_000))
    assert len(judge) == len(pictures.train) // 2


def test_a_fixed_corruption_is_the_same_each_time(pictures):
    rows = pictures.test[:5]
    once, again, other = (pictures.corrupted(rows, name)[0] for name in ("test", "test", "other"))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
    _, missing = pictures.corrupted(rows, "test")
    assert missing[:, 4:].all()
    assert not missing[:, :4].any()


def test_bytes_and_floats_are_one_another():
    pixels = np.arange(256, dtype=np.uint8).reshape(2, 8, 8, 2)
    tensor = unit_pictures(pixels)
    assert tensor.shape == (2, 2, 8, 8)
    assert (float(tensor.min()), float(tensor.max())) == (0, 1)
    np.testing.assert_array_equal(pixels_of(tensor), pixels)


def test_a_run_says_what_it_began_with(run, settings, pictures):
    test = run.read_arrays(TEST)
    assert len(test["original"]) == settings.n_scored
    rows = pictures.scored(settings)
    np.testing.assert_array_equal(test["original"], pictures.images.pixels[rows])
    np.testing.assert_array_equal(test["label"], pictures.images.labels[rows])
    assert test["missing"].shape == (settings.n_scored, 8, 8)
    dataset = run.read_json("dataset.json")
    assert dataset["images"]["n"] == 220
    assert dataset["design"] == {"unit": "picture", "reason": "pictures held out"}
    split = Split.from_json(run.read_json("split.json"))
    assert split.unit == "picture"
    assert len(split.folds[0].test) == len(pictures.test)


def test_other_pictures_or_another_division_are_refused(run, settings, digits_folder, data_folder):
    other = replace(settings, split_seed=1)
    with pytest.raises(ValueError, match="the division it began with"):
        describe_pictures(run, prepare_pictures(other, digits_folder), other)
    with pytest.raises(ValueError, match="the pictures it began with"):
        describe_pictures(run, prepare_pictures(settings, data_folder), settings)
