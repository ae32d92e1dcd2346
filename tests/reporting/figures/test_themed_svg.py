import base64
import io

import numpy as np
import pytest
from PIL import Image

from phosphene.reporting.figures.palette import ACCENT, LIGHT
from phosphene.reporting.figures.themed_svg import (
    new_axes,
    picture_mark,
    pixel_positions,
    png_address,
    shrink,
    text_mark,
    to_svg,
)


def test_colours_become_variables_and_identifiers_get_the_key():
    figure, axes = new_axes(width=200, height=100)
    axes.plot([0, 1], [0, 1], "o", color=LIGHT[0])
    axes.axhline(0.5, color=ACCENT)
    svg = to_svg(figure, key="one", label='a "label"')
    assert svg.startswith("<svg")
    assert "var(--class-0)" in svg
    assert "var(--accent)" in svg
    assert LIGHT[0] not in svg
    assert 'xlink:href="#one-' in svg
    assert 'id="one-' in svg
    assert "&#34;label&#34;" in svg
    assert "matplotlib" not in svg


def test_labels_of_ticks_keep_their_decimals():
    figure, axes = new_axes(width=200, height=100)
    axes.plot([0, 1], [0.001, 0.002])
    axes.set_yticks([0.001, 0.0015], ["0.0010", "0.0015"])
    assert "0.0015<" in to_svg(figure, key="k", label="l")


def test_positions_run_downwards():
    figure, axes = new_axes(width=200, height=100)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    (low, high) = pixel_positions(figure, axes, np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert low[0] < high[0]
    assert low[1] > high[1]
    assert 0 <= high[1] <= 100


def test_marks_escape_what_they_are_given():
    hostile = "<script>"
    pixels = np.zeros((8, 8, 1), np.uint8)
    for mark in (
        text_mark(1.0, 2.0, hostile),
        picture_mark(1.0, 2.0, pixels, size=10.0, color="#123456", title=hostile),
    ):
        assert hostile not in mark
        assert "&lt;script&gt;" in mark


@pytest.mark.parametrize("color", [1, 3])
def test_pictures_survive_as_png(color):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, color)).astype(np.uint8)
    content = png_address(pixels).removeprefix("data:image/png;base64,")
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).reshape(pixels.shape)
    np.testing.assert_array_equal(found, pixels)


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        png_address(np.zeros((4, 4, 1)))
    with pytest.raises(ValueError, match="1 or 3"):
        png_address(np.zeros((4, 4, 2), np.uint8))


def test_shrinking_averages_and_leaves_small_pictures_alone():
    pixels = np.repeat(np.array([[0, 200]], np.uint8), 4, axis=0).repeat(2, axis=1)[..., None]
    assert shrink(pixels, 8) is pixels
    np.testing.assert_array_equal(shrink(pixels, 2)[..., 0], [[0, 200], [0, 200]])
