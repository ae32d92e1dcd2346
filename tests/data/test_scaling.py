import json

import numpy as np
import pytest

from phosphene.data.scaling import ChannelScaler


def test_scales_training_epochs_to_mean_0_and_sd_1():
    rng = np.random.default_rng(0)
    scale = np.array([1, 1e-3, 1e-6])[:, None]
    epochs = ((rng.normal(size=(50, 3, 20)) + 4) * scale).astype(np.float32)
    out = ChannelScaler.fit(epochs).apply(epochs)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.mean(axis=(0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=(0, 2)), 1, rtol=1e-4)


def test_uses_the_training_numbers_on_other_epochs():
    scaler = ChannelScaler(np.array([1.0]), np.array([2.0]))
    np.testing.assert_allclose(scaler.apply(np.full((1, 1, 3), 5, np.float32)), 2)


def test_survives_json():
    scaler = ChannelScaler(np.array([1e-7, 2.0]), np.array([3.0, 0.1]))
    again = ChannelScaler.from_json(json.loads(json.dumps(scaler.to_json())))
    np.testing.assert_array_equal(again.mean, scaler.mean)
    np.testing.assert_array_equal(again.scale, scaler.scale)


@pytest.mark.parametrize(
    ("epochs", "match"),
    [
        (np.ones((2, 2, 5), np.float32), "must vary"),
        (np.full((2, 2, 5), np.nan, np.float32), "finite"),
        (np.ones((0, 2, 5), np.float32), "need epochs"),
        (np.ones((2, 5), np.float32), "shape"),
    ],
)
def test_refuses_what_it_cannot_fit(epochs, match):
    with pytest.raises(ValueError, match=match):
        ChannelScaler.fit(epochs)


def test_refuses_another_channel_count():
    scaler = ChannelScaler(np.zeros(3), np.ones(3))
    with pytest.raises(ValueError, match="chan=3"):
        scaler.apply(np.zeros((1, 4, 2), np.float32))
