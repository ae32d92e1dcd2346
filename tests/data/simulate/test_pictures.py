import numpy as np
import pytest

from phosphene.data.simulate.pictures import digits_images, draw_shown


def test_digits_are_white_strokes_on_black():
    images = digits_images(24, seed=0)
    assert images.pixels.shape == (1797, 24, 24, 1)
    assert images.classes == tuple("0123456789")
    border = np.concatenate([images.pixels[:, 0], images.pixels[:, -1]])
    assert border.max() < 40
    assert np.median(images.pixels.max((1, 2, 3))) == 255


def test_smooth_enlargement_keeps_the_digit():
    from PIL import Image
    from sklearn.datasets import load_digits

    values = load_digits().images[:50] / 16
    pixels = digits_images(80, seed=0).pixels[:50, ..., 0]
    small = [Image.fromarray(p).resize((10, 10), Image.Resampling.BOX) for p in pixels]
    back = np.stack([np.asarray(image)[1:-1, 1:-1] for image in small])
    assert np.corrcoef(values.ravel(), back.ravel())[0, 1] > 0.93


def test_most_pictures_of_each_class_are_shown_and_the_rest_kept():
    images = digits_images(8, seed=0)
    shares = [images.shown[images.labels == label].mean() for label in range(10)]
    np.testing.assert_allclose(shares, 0.6, atol=0.01)


def test_seed_decides_what_is_shown():
    labels = np.repeat([0, 1], 50)
    first, again, other = (draw_shown(labels, share=0.5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_every_class_shows_a_picture():
    assert draw_shown(np.array([0, 1, 1, 1]), share=0.1, seed=0)[0]


@pytest.mark.parametrize("size", [8, 33])
def test_any_size(size):
    assert digits_images(size, seed=0).pixels.shape[1:3] == (size, size)
