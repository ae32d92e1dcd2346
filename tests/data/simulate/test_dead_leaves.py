from itertools import pairwise

import numpy as np
import pytest

from phosphene.data.simulate.dead_leaves import dead_leaves_picture


def draw(seed, shape=(306, 392)):
    return dead_leaves_picture(shape, rng=np.random.default_rng(seed))


def slope_of_amplitude(picture):
    """Fit the exponent of the amplitude over spatial frequency, averaged over directions."""
    side = min(picture.shape)
    window = np.hanning(side)[:, None] * np.hanning(side)
    square = picture[:side, :side].astype(float)
    amplitude = np.abs(np.fft.fft2((square - square.mean()) * window))
    freqs = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side))
    edges = np.geomspace(4 / side, 0.1, 10)
    rings = [(freqs > low) & (freqs <= high) for low, high in pairwise(edges)]
    means = [amplitude[ring].mean() for ring in rings]
    return np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(means), 1)[0]


def test_amplitudes_fall_like_those_of_natural_pictures():
    slopes = [slope_of_amplitude(draw(seed)) for seed in range(6)]
    assert -1.6 < np.mean(slopes) < -0.8
    noise = np.random.default_rng(0).integers(0, 256, (306, 392))
    assert abs(slope_of_amplitude(noise)) < 0.2


def test_edges_are_sharp_and_rare():
    steps = np.abs(np.diff(draw(1).astype(float), axis=1)).ravel()
    kurtosis = (steps**4).mean() / (steps**2).mean() ** 2
    assert kurtosis > 6  # of Gaussian noise it is 3


def test_pictures_differ_in_brightness_and_contrast():
    pictures = [draw(seed, (64, 80)) for seed in range(12)]
    assert np.ptp([picture.mean() for picture in pictures]) > 40
    spreads = [picture.std() for picture in pictures]
    assert max(spreads) > 1.5 * min(spreads)


@pytest.mark.parametrize("shape", [(32, 40), (45, 33)])
def test_seed_and_shape_decide_the_picture(shape):
    first, again, other = (draw(seed, shape) for seed in (3, 3, 4))
    assert first.shape == shape
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
