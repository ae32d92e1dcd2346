import numpy as np
import pytest

from phosphene.evaluation.signals.drawing import signals_as_pictures


def test_channels_are_rows_and_samples_columns():
    signals = np.zeros((2, 3, 5), dtype=np.float32)
    signals[1, 2] = [-9, -4, 0.02, 2, 9]
    pictures = signals_as_pictures(signals)
    assert (pictures.shape, pictures.dtype) == ((2, 3, 5, 1), np.dtype(np.uint8))
    assert pictures[1, 2, :, 0].tolist() == [0, 0, 128, 191, 255]
    assert set(pictures[0].ravel()) == {128}  # 127.5, rounded to even


def test_scaling_is_that_of_the_limit_and_not_of_the_set():
    signals = np.random.default_rng(0).standard_normal((4, 2, 6))
    together, alone = signals_as_pictures(signals), signals_as_pictures(signals[:1])
    np.testing.assert_array_equal(together[:1], alone)
    halved = signals_as_pictures(signals / 2, limit=2.0)
    np.testing.assert_array_equal(halved, together)


@pytest.mark.parametrize(
    ("value", "limit", "message"), [(np.nan, 4.0, "finite"), (0.0, 0.0, "`limit`")]
)
def test_refuses(value, limit, message):
    with pytest.raises(ValueError, match=message):
        signals_as_pictures(np.full((1, 2, 3), value), limit=limit)
