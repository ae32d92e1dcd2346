import numpy as np
import pytest

from phosphene.data.picture_scale import scale_pictures


def draw_pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_each_pixel_is_the_mean_of_a_square():
    pixels = draw_pixels(2, 12, 20, 1)
    scaled = scale_pictures(pixels, (3, 5))
    assert scaled.shape == (2, 1, 3, 5)
    assert scaled.dtype == np.float32
    for row in range(3):
        for column in range(5):
            square = pixels[1, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4, 0]
            expected = square.astype(np.float64).mean() / 127.5 - 1
            assert scaled[1, 0, row, column] == pytest.approx(expected, abs=1e-6)


def test_black_and_white_are_the_ends():
    pixels = np.zeros((2, 4, 4, 1), dtype=np.uint8)
    pixels[1] = 255
    assert scale_pictures(pixels, (2, 2)).tolist() == [[[[-1.0] * 2] * 2], [[[1.0] * 2] * 2]]


def test_pictures_of_the_wanted_size_stay_as_they_are():
    pixels = draw_pixels(1, 5, 7, 1)
    scaled = scale_pictures(pixels, (5, 7))
    np.testing.assert_allclose(scaled[:, 0], pixels[..., 0] / 127.5 - 1, atol=1e-6)


def test_published_pictures_shrink_by_17_and_lose_one_column():
    pixels = draw_pixels(1, 918, 1174, 1)
    scaled = scale_pictures(pixels, (54, 69))
    assert scaled.shape == (1, 1, 54, 69)
    changed = pixels.copy()
    changed[:, :, -1] ^= 255  # 69 * 17 = 1173; the odd column is cut off on the right
    np.testing.assert_array_equal(scale_pictures(changed, (54, 69)), scaled)
    changed[:, :, 0] ^= 255
    assert (scale_pictures(changed, (54, 69)) != scaled).any()


@pytest.mark.parametrize(
    ("shape", "size", "match"),
    [
        ((1, 8, 8, 3), (4, 4), "must be grey; got 3 colors"),
        ((1, 8, 8, 1), (3, 4), "8 x 8 pixels give no 3 x 4"),
        ((1, 8, 8, 1), (16, 16), "8 x 8 pixels give no 16 x 16"),
        ((1, 8, 8, 1), (0, 4), "`rows` must be at least 1"),
    ],
)
def test_refusals(shape, size, match):
    with pytest.raises(ValueError, match=match):
        scale_pictures(draw_pixels(*shape), size)
