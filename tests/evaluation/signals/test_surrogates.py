import numpy as np
import pytest

from phosphene.evaluation.signals.channel_correlation import channel_correlation
from phosphene.evaluation.signals.spectrum import power_spectra
from phosphene.evaluation.signals.surrogates import gaussian_noise, phase_randomised


def waves(n_times, n=300):
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((n, 3, n_times)).cumsum(axis=2)
    signals[:, 1] += signals[:, 0]
    return (signals + 2).astype(np.float32)


def test_noise_has_mean_and_variance_of_the_data_and_nothing_else():
    signals = waves(313)
    noise = gaussian_noise(signals, np.random.default_rng(1))
    assert (noise.shape, noise.dtype) == (signals.shape, np.dtype(np.float32))
    assert noise.mean() == pytest.approx(signals.mean(), abs=0.1)
    assert noise.std() == pytest.approx(signals.std(), rel=0.01)
    assert abs(np.corrcoef(noise[:, :, :-1].ravel(), noise[:, :, 1:].ravel())[0, 1]) < 0.02


def without_line(signals):
    """Take off the line through the ends, and the mean."""
    signals = signals.astype(np.float64)
    first, last = signals[..., :1], signals[..., -1:]
    rest = signals - first - (last - first) * np.linspace(0, 1, signals.shape[2])
    return rest - rest.mean(axis=2, keepdims=True)


@pytest.mark.parametrize("n_times", [313, 64])
def test_phases_are_drawn_and_spectra_stay(n_times):
    signals = waves(n_times)
    signals[..., -1] = signals[..., 0]  # no line: only means change sign
    signals -= signals.mean(axis=2, keepdims=True)
    found = phase_randomised(signals, np.random.default_rng(2))
    before = np.fft.rfft(without_line(signals))
    after = np.fft.rfft(found - found.mean(axis=2, keepdims=True))
    scale = np.abs(before).max()
    np.testing.assert_allclose(np.abs(after), np.abs(before), atol=1e-5 * scale)
    crosses = [spectra[:, 0] * spectra[:, 1].conj() for spectra in (before, after)]
    np.testing.assert_allclose(crosses[1], crosses[0], atol=1e-5 * scale**2)
    turned = np.angle(after[:, 0, 1:-1] * before[:, 0, 1:-1].conj())
    assert abs(np.exp(1j * turned).mean()) < 0.03  # angles of all directions
    assert abs(np.exp(1j * (turned[:, 0] - turned[:, 1])).mean()) < 0.2  # one for each frequency


def test_lines_between_the_ends_make_no_high_frequencies():
    signals = waves(313) + 20 * np.linspace(-1, 1, 313, dtype=np.float32)
    found = phase_randomised(signals, np.random.default_rng(6))
    _, before = power_spectra(signals, sfreq=1250.0)
    _, after = power_spectra(found, sfreq=1250.0)
    assert np.abs(10 * np.log10(after[:, 30:] / before[:, 30:])).mean() < 0.5  # dB
    np.testing.assert_allclose(channel_correlation(found), channel_correlation(signals), atol=0.1)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), signals.mean(axis=(1, 2)), atol=1e-3)


def test_means_and_slopes_of_channels_are_lost_too():
    signals = np.zeros((400, 3, 50), dtype=np.float32)
    signals[:, 0] = 1 + np.linspace(-2, 2, 50)
    signals[:, 1] = -1
    found = phase_randomised(signals, np.random.default_rng(7))
    assert np.abs(found.mean(axis=0)).max() < 0.5
    np.testing.assert_allclose(np.abs(found[:, 1]), 1, atol=1e-5)


def test_a_response_common_to_all_windows_is_lost():
    signals = waves(313) + 50 * np.sin(np.arange(313) / 10).astype(np.float32)
    found = phase_randomised(signals, np.random.default_rng(3))
    assert signals.mean(axis=0).std() > 30
    assert found.mean(axis=0).std() < 6


@pytest.mark.parametrize("surrogate", [gaussian_noise, phase_randomised])
def test_equal_seeds_draw_equal_surrogates(surrogate):
    signals = waves(30, n=5)
    first, same, other = (surrogate(signals, np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


@pytest.mark.parametrize("surrogate", [gaussian_noise, phase_randomised])
def test_refuses_no_windows(surrogate):
    with pytest.raises(ValueError, match="at least one window"):
        surrogate(np.zeros((0, 2, 3)), np.random.default_rng(0))
