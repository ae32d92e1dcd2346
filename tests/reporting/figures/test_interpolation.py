import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from phosphene.reporting.figures.interpolation import MAX_PATHS, interpolation_figure

CLASSES = ("house", "face", "a very long name of a class", "<b>&")


def make_arrays(n_paths=3, n_points=21, *, size=8, color=3, **more):
    """Pictures whose grey tells path and point."""
    grey = 10 * np.arange(n_paths)[:, None] + np.arange(n_points)
    pictures = np.broadcast_to(grey[..., None, None, None], (n_paths, n_points, size, size, color))
    pairs = np.array([[0, 1], [1, 2], [2, 3]] * n_paths)[:n_paths]
    return {"pairs": pairs, "softmax": pictures.astype(np.uint8), **more}


def images_of(figure):
    tree = ElementTree.fromstring(str(figure.svg))
    return [
        (image, np.asarray(Image.open(io.BytesIO(base64.b64decode(image.get("href")[22:])))))
        for image in tree.iter("{http://www.w3.org/2000/svg}image")
    ]


@pytest.mark.parametrize("color", [1, 3])
def test_rows_are_paths_and_tiles_are_points(color):
    figure = interpolation_figure(make_arrays(color=color), CLASSES)
    assert (figure.n_drawn, figure.n_paths, figure.n_tiles, figure.n_points) == (3, 3, 11, 21)
    for path, (_, pixels) in enumerate(images_of(figure)):
        assert pixels.shape[:2] == (8, 11 * 8)
        tiles = pixels.reshape(8, 11, 8, -1)[0, :, 0, 0]
        assert tiles.tolist() == list(range(10 * path, 10 * path + 21, 2))  # every second point


def test_kinds_of_features_stand_side_by_side():
    arrays = make_arrays()
    both = {**arrays, "triplet": 255 - arrays["softmax"]}
    figure = interpolation_figure(both, CLASSES)
    assert figure.spaces == ("softmax", "triplet")
    images = [image for image, _ in images_of(figure)]
    assert len(images) == 6
    left, right = images[:2]
    assert left.get("y") == right.get("y")
    assert float(left.get("x")) + float(left.get("width")) < float(right.get("x"))
    below = images[2]
    assert float(left.get("y")) + float(left.get("height")) < float(below.get("y"))


def test_names_are_escaped_and_shortened():
    svg = str(interpolation_figure(make_arrays(), CLASSES).svg)
    assert "&lt;b&gt;&amp;" in svg
    assert ">a very long…<title>a very long name of a class</title>" in svg
    unnamed = {**make_arrays(1), "pairs": np.array([[0, 7]])}
    assert ">7<title>" in interpolation_figure(unnamed, CLASSES).svg


def test_bars_are_shares_of_a_path_to_one_scale():
    even, jump = np.ones(20), np.eye(20)[4]
    steps = np.stack([even, 9 * jump, np.zeros(20)])
    figure = interpolation_figure(make_arrays(softmax_steps=steps), CLASSES)
    assert figure.has_bars
    first, second, third = re.findall(r'<path d="([^"]*)"', figure.svg)
    heights = [[float(h) for h in re.findall(r"v-([\d.]+)", d)] for d in (first, second, third)]
    assert len(heights[0]) == 20
    assert heights[1] == [14.0]  # the whole change in one step is the highest
    assert set(heights[0]) == {0.7}  # a twentieth of it
    assert heights[2] == []
    assert not interpolation_figure(make_arrays(), CLASSES).has_bars


def test_many_paths_are_thinned_with_both_ends():
    figure = interpolation_figure(make_arrays(24, size=2), CLASSES)
    assert (figure.n_drawn, figure.n_paths) == (MAX_PATHS, 24)
    first, *_, last = (pixels for _, pixels in images_of(figure))
    assert (first[0, 0, 0], last[0, 0, 0]) == (0, 230)


def test_large_pictures_are_made_small():
    (_, pixels), *_ = images_of(interpolation_figure(make_arrays(size=96), CLASSES))
    assert pixels.shape[:2] == (48, 11 * 48)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"pairs": np.zeros((0, 2), int), "softmax": np.zeros((0, 11, 4, 4, 1), np.uint8)},
        {"pairs": np.zeros((2, 2), int), "softmax": np.zeros((3, 11, 4, 4, 1), np.uint8)},
        {"pairs": np.zeros((2, 2), int), "softmax_steps": np.zeros((2, 10))},
    ],
    ids=["nothing", "no paths", "other paths", "no pictures"],
)
def test_nothing_to_draw(arrays):
    assert interpolation_figure(arrays, CLASSES) is None
