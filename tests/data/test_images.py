import dataclasses

import numpy as np
import pytest
from PIL import Image

from phosphene.data.images import fit_picture, to_pillow


def test_takes_classes_from_the_table(make_images):
    images = dataclasses.replace(make_images(), classes=())
    assert images.classes == ("house", "face")
    assert images.labels.tolist() == [0, 1, 0, 1, 0, 1]


def test_selects_rows_and_keeps_classes(make_images):
    images = make_images()
    faces = images.select(images.labels == 1)
    assert faces.table["image_id"].tolist() == ["p1", "p3", "p5"]
    assert faces.classes == images.classes
    np.testing.assert_array_equal(faces.pixels, images.pixels[1::2])


def test_relabels_in_the_order_asked_for(make_images):
    images = make_images().with_classes(["face"])
    assert images.classes == ("face",)
    assert images.labels.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="Did you mean 'face'"):
        make_images().with_classes(["fase"])


def test_resizing_averages_instead_of_skipping():
    lines = np.zeros((64, 64, 1), np.uint8)
    lines[::2] = 255  # every second line is white: without antialiasing all or nothing is left
    small = fit_picture(to_pillow(lines), size=16, color=1)
    assert small.shape == (16, 16, 1)
    assert abs(small[4:-4].mean() - 127.5) < 5


def test_crops_to_the_central_square():
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8, 0] = 200
    out = fit_picture(Image.fromarray(wide), size=4, color=3)
    np.testing.assert_array_equal(out, wide[:, 4:8])


def test_turns_grey_into_color_and_back(make_images):
    images = make_images(color=1)
    rgb = images.resized(8, color=3)
    assert rgb.pixels.shape == (6, 8, 8, 3)
    np.testing.assert_array_equal(rgb.resized(8, color=1).pixels, images.pixels)
    with pytest.raises(ValueError, match="color"):
        images.resized(8, color=4)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda i: {"pixels": i.pixels.astype(float)}, "uint8"),
        (lambda i: {"pixels": i.pixels[1:]}, "shape"),
        (lambda i: {"table": i.table.assign(image_id="x")}, "must differ"),
        (lambda i: {"table": i.table.assign(class_name="house")}, "must agree"),
        (lambda i: {"table": i.table.drop(columns="shown")}, "shown"),
    ],
)
def test_refuses_contradictions(make_images, change, match):
    images = make_images()
    with pytest.raises(ValueError, match=match):
        dataclasses.replace(images, **change(images))


def test_unseen_pictures_join_as_not_shown_in_the_smaller_size(make_images):
    images = make_images()
    others = make_images().resized(4, color=1)
    table = others.table.assign(sha256=[f"other{i}" for i in range(6)])
    others = dataclasses.replace(others, table=table).with_classes(["face", "house"])
    joined = images.with_unseen(others)
    assert len(joined) == 12
    assert joined.pixels.shape[1:] == (4, 4, images.pixels.shape[3])
    assert joined.shown.tolist() == [*images.shown.tolist(), *[False] * 6]
    assert joined.classes == images.classes
    assert (joined.table["class_name"].iloc[6:].to_numpy() == others.table["class_name"]).all()
    assert joined.table["image_id"].iloc[6] == "unseen/p0"
    assert joined.table["stimulus"].is_unique


def test_unseen_pictures_of_other_classes_are_left_out_or_refused(make_images):
    images = make_images().with_classes(["face"])
    table = make_images().table.assign(sha256=[f"other{i}" for i in range(6)])
    others = dataclasses.replace(make_images(), table=table)
    assert len(images.with_unseen(others)) == 6
    with pytest.raises(ValueError, match="must be of the classes face; got house"):
        images.with_unseen(others.with_classes(["house"]))


def test_a_picture_cannot_be_shown_and_unseen(make_images):
    with pytest.raises(ValueError, match="'p0' is among both"):
        make_images().with_unseen(make_images())
