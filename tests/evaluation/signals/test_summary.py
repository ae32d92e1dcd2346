import numpy as np
import pytest

from phosphene.evaluation.signals.summary import amplitude_spectrum, summarise


def test_arrays_have_the_shapes_that_figures_expect():
    signals = np.random.default_rng(0).standard_normal((300, 3, 31)).astype(np.float32)
    found = summarise(signals, sfreq=1250.0, n_examples=4)
    shapes = {name: array.shape for name, array in found.items()}
    assert shapes == {
        "quantiles": (5, 3, 31),
        "spectrum_mean": (3, 16),
        "spectrum_sd": (3, 16),
        "freqs": (16,),
        "correlation": (3, 3),
        "examples": (4, 3, 31),
    }
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(found["examples"][[0, -1]], signals[[0, -1]])
    expected = np.quantile(signals, [0.025, 0.25, 0.5, 0.75, 0.975], axis=0)
    np.testing.assert_allclose(found["quantiles"], expected, rtol=1e-5)


@pytest.mark.parametrize("n_times", [100, 101])
def test_a_sine_has_its_amplitude_at_its_frequency(n_times):
    time = np.arange(n_times) / n_times  # one second
    sizes = np.array([1.0, 3.0])
    signals = 0.5 + sizes[:, None, None] * np.sin(2 * np.pi * 7 * time)[None, None]
    freqs, mean, spread = amplitude_spectrum(signals, sfreq=float(n_times))
    assert freqs[7] == pytest.approx(7)
    assert mean[0, [0, 7, 8]] == pytest.approx([0.5, 2, 0], abs=1e-9)
    assert spread[0, [0, 7]] == pytest.approx([0, 1], abs=1e-9)


def test_alternating_samples_have_their_amplitude_at_half_the_rate():
    signals = np.tile([1.0, -1.0], (1, 1, 8))
    freqs, mean, _ = amplitude_spectrum(signals, sfreq=10.0)
    assert (freqs[-1], mean[0, -1]) == (5, pytest.approx(1))


def test_a_small_set_shows_each_window_once():
    assert (
        summarise(np.random.default_rng(1).random((2, 2, 8)), sfreq=8.0)["examples"].shape[0] == 2
    )


@pytest.mark.parametrize(
    ("signals", "sfreq", "message"),
    [
        (np.zeros((0, 2, 8)), 8.0, "at least one window"),
        (np.full((2, 2, 8), np.nan), 8.0, "finite"),
        (np.zeros((2, 2, 8)), 0.0, "`sfreq` must be greater"),
    ],
)
def test_refuses(signals, sfreq, message):
    with pytest.raises(ValueError, match=message):
        summarise(signals, sfreq=sfreq)
