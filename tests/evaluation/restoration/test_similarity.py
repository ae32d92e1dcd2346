import numpy as np
import pytest
from skimage.metrics import structural_similarity

from phosphene.evaluation.restoration.similarity import similarity_maps


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    original = rng.integers(0, 256, (3, 20, 17, 3)).astype(np.uint8)
    noise = rng.normal(0, 40, original.shape)
    return original, (original + noise).clip(0, 255).astype(np.uint8)


def test_agrees_with_scikit_image_away_from_the_borders(pair):
    original, restored = pair
    maps = similarity_maps(original, restored, batch_size=2)
    assert maps.shape == (3, 20, 17)
    for row in range(3):
        _, expected = structural_similarity(
            original[row], restored[row], data_range=255, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, channel_axis=-1, full=True,
        )  # fmt: skip
        inside = (slice(5, -5), slice(5, -5))
        np.testing.assert_allclose(maps[row][inside], expected.mean(-1)[inside], atol=1e-4)


def test_a_picture_is_like_itself_everywhere(pair):
    original, _ = pair
    np.testing.assert_allclose(similarity_maps(original, original), 1, atol=1e-5)


def test_small_pictures_are_refused(pair):
    with pytest.raises(ValueError, match="got 5 x 17"):
        similarity_maps(pair[0][:, :5], pair[1][:, :5])
