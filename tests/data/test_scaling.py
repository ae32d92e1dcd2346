import json

import numpy as np
import pytest

from phosphene.data.scaling import SCALERS, ChannelScaler, WindowScaler


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


def test_a_window_is_scaled_by_its_largest_value_alone():
    epochs = np.array([[[1.0, 4.0], [-2.0, 0.0]], [[10.0, 5.0], [20.0, -20.0]]])
    expected = [[[-0.5, 1.0], [-2.0, -1.0]], [[0.0, -0.5], [1.0, -3.0]]]
    out = WindowScaler.fit(epochs).apply(epochs)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, np.array(expected, np.float32))


def test_windows_follow_the_released_rule_one_by_one():
    epochs = np.random.default_rng(0).normal(size=(20, 3, 8)) * 1e-5
    for window, scaled in zip(epochs, WindowScaler().apply(epochs), strict=True):
        m = max(max(row) for row in window) / 2
        np.testing.assert_allclose(scaled, (window - m) / m, rtol=1e-5)


def test_a_window_without_positive_values_is_turned_around():
    scaled = WindowScaler().apply(np.array([[[-4.0, -2.0, -6.0]]]))
    np.testing.assert_array_equal(scaled, [[[3.0, 1.0, 5.0]]])  # -6 is lowest and becomes 5


def test_amplitude_is_lost_and_offset_is_not():
    epochs = np.random.default_rng(1).normal(size=(5, 2, 9))
    scaled = WindowScaler().apply(epochs)
    np.testing.assert_allclose(WindowScaler().apply(1e-6 * epochs), scaled, rtol=1e-5, atol=1e-6)
    assert not np.allclose(WindowScaler().apply(epochs + 1), scaled)


@pytest.mark.parametrize(
    ("epochs", "match"),
    [
        (np.stack([np.ones((2, 5)), np.zeros((2, 5)), -np.eye(2, 5)]), "2 of 3 .* index 1; drop"),
        (np.full((2, 2, 5), np.nan), "finite"),
        (np.ones((0, 2, 5)), "need epochs"),
        (np.ones((2, 5)), "shape"),
    ],
)
def test_refuses_windows_that_it_cannot_scale(epochs, match):
    for scale in (WindowScaler.fit, WindowScaler().apply):
        with pytest.raises(ValueError, match=match):
            scale(epochs)


@pytest.mark.parametrize("kind", SCALERS)
def test_every_scaler_comes_back_from_its_arrays(kind):
    epochs = np.random.default_rng(2).normal(size=(6, 3, 7))
    scaler = SCALERS[kind].fit(epochs)
    arrays = scaler.to_arrays()
    assert scaler.kind == kind
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    again = SCALERS[kind].from_arrays(arrays)
    np.testing.assert_array_equal(again.apply(epochs), scaler.apply(epochs))
