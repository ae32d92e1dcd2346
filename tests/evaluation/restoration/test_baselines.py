import numpy as np
import pytest

from phosphene.evaluation.restoration.baselines import (
    NLM_WIDTHS,
    TV_WEIGHTS,
    choose_strength,
    nearest_pictures,
    nonlocal_means,
    total_variation,
)


@pytest.fixture
def pictures():
    """Smooth pictures, noisy ones, and a generator."""
    rng = np.random.default_rng(0)
    smooth = np.zeros((12, 16, 16, 1), dtype=np.uint8)
    for row in range(12):
        top, left = rng.integers(1, 8, 2)
        smooth[row, top : top + 7, left : left + 7] = 200
    noisy = (smooth + rng.normal(0, 40, smooth.shape)).clip(0, 255).astype(np.uint8)
    return smooth, noisy, rng


def _nearest_by_hand(corrupted, missing, known):
    seen = ~missing[..., None]
    distances = [
        [(((one / 255.0 - other / 255.0) * mask) ** 2).sum() for other in known]
        for one, mask in zip(corrupted, seen, strict=True)
    ]
    return np.argmin(distances, axis=1)


@pytest.mark.parametrize("same_part", [True, False])
def test_the_nearest_picture_is_that_of_a_loop(pictures, same_part):
    smooth, _, rng = pictures
    known = rng.integers(0, 256, (50, 16, 16, 1)).astype(np.uint8)
    known[:12] = smooth
    missing = np.zeros((12, 16, 16), dtype=bool)
    missing[:, 8:] = True
    if not same_part:
        missing = rng.random(missing.shape) < 0.6
    corrupted = rng.integers(0, 256, smooth.shape).astype(np.uint8)
    found = nearest_pictures(corrupted, missing, known, block=7)
    np.testing.assert_array_equal(found, _nearest_by_hand(corrupted, missing, known))


def test_what_is_missing_does_not_count(pictures):
    _, _, rng = pictures
    known = rng.integers(0, 256, (12, 16, 16, 1)).astype(np.uint8)
    missing = np.zeros((12, 16, 16), dtype=bool)
    missing[:, 8:] = True
    corrupted = np.where(missing[..., None], 0, known).astype(np.uint8)
    np.testing.assert_array_equal(nearest_pictures(corrupted, missing, known), np.arange(12))
    twice = np.concatenate([known[3:4], known])  # of equally near ones the first
    assert nearest_pictures(corrupted[3:4], missing[3:4], twice, block=1).tolist() == [0]


@pytest.mark.parametrize(
    ("denoise", "strengths"), [(total_variation, TV_WEIGHTS), (nonlocal_means, NLM_WIDTHS)]
)
@pytest.mark.parametrize("color", [1, 3])
def test_filters_take_noise_away_and_their_strength_is_chosen(pictures, denoise, strengths, color):
    smooth, noisy, _ = (np.repeat(each, color, axis=-1) for each in (*pictures[:2], pictures[0]))
    strength = choose_strength(denoise, strengths, original=smooth, corrupted=noisy)
    errors = {
        each: ((denoise(noisy, each) / 255.0 - smooth / 255.0) ** 2).mean() for each in strengths
    }
    assert strength == min(errors, key=errors.get)
    assert errors[strength] < 0.6 * ((noisy / 255.0 - smooth / 255.0) ** 2).mean()
    restored = denoise(noisy, strength)
    assert restored.shape == noisy.shape
    assert restored.dtype == np.uint8
