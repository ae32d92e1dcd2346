import numpy as np
import pytest

from phosphene.evaluation.restoration.errors import (
    mean_interval,
    region_masks,
    squared_errors,
)


def _pixels(*values):
    return np.array(values, dtype=np.uint8).reshape(len(values), 1, -1, 1)


@pytest.fixture
def pair():
    """Two pictures of four pixels; the last two are missing."""
    original = _pixels([0, 255, 0, 255], [255, 255, 0, 0])
    restored = _pixels([0, 255, 51, 204], [204, 255, 0, 0])
    missing = np.zeros((2, 1, 4), dtype=bool)
    missing[:, :, 2:] = True
    return original, restored, missing


def test_errors_by_hand(pair):
    original, restored, missing = pair
    masks = region_masks(missing)
    found = {name: squared_errors(original, restored, mask) for name, mask in masks.items()}
    assert found["missing"].rmse == pytest.approx(np.sqrt((0.04 + 0.04) / 4))
    assert found["visible"].rmse == pytest.approx(np.sqrt(0.04 / 4))
    assert found["whole"].rmse == pytest.approx(np.sqrt(0.12 / 8))
    assert found["missing"].peak_signal_to_noise() == pytest.approx(
        [10 * np.log10(1 / 0.04), 10 * np.log10(12 * 255**2)]
    )


def test_colours_count_each(pair):
    original, restored = (np.repeat(each, 3, axis=-1) for each in pair[:2])
    missing = pair[2]
    error = squared_errors(original, restored, missing)
    assert error.count.tolist() == [6, 6]
    assert error.rmse == pytest.approx(np.sqrt(0.02))


def test_a_region_that_no_picture_has_is_left_out():
    none = np.zeros((2, 3, 3), dtype=bool)
    assert region_masks(none).keys() == {"whole", "visible"}
    assert region_masks(~none).keys() == {"whole", "missing"}


def test_pictures_without_a_region_are_not_counted(pair):
    original, restored, missing = pair
    missing = missing.copy()
    missing[1] = False
    error = squared_errors(original, restored, missing)
    assert error.rows.tolist() == [0]
    assert error.rmse == pytest.approx(0.2)
    assert len(error.peak_signal_to_noise()) == 1


def test_the_influence_gives_the_spread_of_the_rmse():
    """Against RMSEs of many sets of pictures drawn from the same law, regions of unequal size."""
    rng = np.random.default_rng(0)
    original = np.full((400, 4, 4, 1), 128, dtype=np.uint8)
    found, errors = [], []
    for _ in range(60):
        level = rng.uniform(0, 60, (400, 1, 1, 1))
        restored = (original + rng.normal(0, 1, original.shape) * level).clip(0, 255)
        mask = rng.random((400, 4, 4)) < rng.uniform(0.1, 0.9, (400, 1, 1))
        error = squared_errors(original, restored.astype(np.uint8), mask)
        found.append(error.rmse)
        influence = error.influence()
        assert influence.mean() == pytest.approx(0, abs=1e-12)
        errors.append(influence.std(ddof=1) / np.sqrt(400))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.25)


def test_without_error_nothing_moves(pair):
    original, _, missing = pair
    error = squared_errors(original, original, missing)
    assert error.rmse == 0
    assert not error.influence().any()


def test_mean_interval_is_student_s():
    low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert mean_interval(np.array([1.0])) is None


def test_shapes_must_be_alike(pair):
    original, restored, missing = pair
    with pytest.raises(ValueError, match="restored"):
        squared_errors(original, restored[:, :, :3], missing)
