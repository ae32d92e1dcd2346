import numpy as np
import pytest

from phosphene.export.contact_sheet import contact_sheet, readable_picture


@pytest.mark.parametrize(("side", "expected"), [(16, 128), (28, 112), (128, 128), (200, 200)])
def test_pictures_grow_by_whole_numbers(side, expected):
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    picture = readable_picture(pixels)
    assert picture.size == (expected, expected)
    factor = expected // side
    np.testing.assert_array_equal(np.asarray(picture)[::factor, ::factor], pixels)


def test_grey_pictures_stay_grey():
    assert readable_picture(np.zeros((16, 16, 1), np.uint8)).mode == "L"


@pytest.mark.parametrize("color", [1, 3])
def test_sheet_holds_every_draw(color):
    pictures = np.zeros((5, 2, 32, 32, color), np.uint8)
    pictures[3, 1] = 200
    sheet = np.asarray(contact_sheet(pictures, [["one", "two"]] * 5, title="Five"))
    assert (sheet == 200).all(axis=2).sum() == 96 * 96
    assert (sheet == 0).all(axis=2).sum() >= 9 * 96 * 96


def test_long_captions_do_not_reach_the_pictures():
    pictures = np.zeros((1, 1, 32, 32, 3), np.uint8)
    pictures[..., 0] = 200
    sheet = np.asarray(contact_sheet(pictures, [["a very long name of a class " * 9]], title=""))
    assert (sheet == [200, 0, 0]).all(axis=2).sum() == 96 * 96


def test_headings_stand_above_the_pictures_and_move_them_down():
    pictures = np.full((3, 2, 32, 32, 1), 200, np.uint8)
    captions = [["one"]] * 3
    plain, headed = (
        np.asarray(contact_sheet(pictures, captions, title="", headings=headings))
        for headings in ((), ("given", "a very long word for what was restored"))
    )
    first_row = [np.argwhere((sheet == 200).all(2))[0, 0] for sheet in (plain, headed)]
    assert first_row[1] > first_row[0]
    above = headed[: first_row[1]]
    dark = np.argwhere((above < 100).all(2))[:, 1]
    tiles = np.unique(np.argwhere((headed == 200).all(2))[:, 1])
    assert tiles[0] <= dark.min() < tiles[0] + 96
    assert len(np.unique(dark)) > 20
    assert (above[:, tiles[95] + 1 : tiles[96]] > 100).all()  # cut to the picture below
