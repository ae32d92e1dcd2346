import numpy as np
import pytest

from phosphene.data.simulate.background import (
    Background,
    fast_length,
    mains_line,
    make_background,
    rfft_weights,
    slow_drift,
)
from phosphene.data.simulate.head_model import load_lead_field

SFREQ = 128.0


@pytest.fixture
def background() -> Background:
    return make_background(
        load_lead_field("emotiv14"),
        sfreq=SFREQ,
        background=12e-6,
        exponent=1.4,
        alpha=5e-6,
        noise=1e-6,
    )


def test_density_sums_to_the_amplitudes_asked_for(background):
    n_times = 4096
    density = background.density(n_times)
    variance = np.einsum("fcc,f->c", density, rfft_weights(n_times)) / n_times
    pink, alpha, noise = ((mixing**2).sum(1) for mixing in background.mixings)
    np.testing.assert_allclose(variance, pink + alpha + noise, rtol=1e-9)
    assert np.sqrt(pink.mean()) == pytest.approx(12e-6)
    assert np.sqrt(alpha.max()) == pytest.approx(5e-6)
    assert np.sqrt(noise) == pytest.approx(1e-6)


@pytest.mark.parametrize("n_times", [1024, 1025])
def test_samples_have_the_density(background, n_times):
    rng = np.random.default_rng(0)
    spectra = [np.fft.rfft(background.sample(n_times, rng).astype(float)) for _ in range(300)]
    spectra = np.array(spectra)  # (draw, chan, freq)
    measured = np.einsum("ncf,ndf->fcd", spectra, spectra.conj()).real / len(spectra) / n_times
    expected = background.density(n_times)
    for freq in (0, 1, 80, 200, n_times // 2):
        scale = np.sqrt(np.outer(*[np.diagonal(expected[freq])] * 2))
        error = np.abs(measured[freq] - expected[freq]) / scale
        assert error.max() < 0.35  # 4 standard errors of the real bins
    # Summed over frequencies the comparison is sharp.
    np.testing.assert_allclose(measured.mean(0), expected.mean(0), rtol=0.05, atol=3e-12)


def test_spectrum_falls_and_has_an_alpha_peak(background):
    freqs = np.fft.rfftfreq(4096, 1 / SFREQ)
    power = np.diagonal(background.density(4096), axis1=1, axis2=2).mean(1)
    at = {freq: power[np.abs(freqs - freq).argmin()] for freq in (2, 5, 10, 20)}
    assert at[2] > at[5] > at[20]
    assert at[10] > 1.5 * at[5]


def test_lengths_are_fast_and_enough():
    assert fast_length(1021) >= 1021
    assert fast_length(1024) == 1024


def test_drift_is_slow_and_as_large_as_asked():
    n_times = round(300 * SFREQ)
    drift = slow_drift(200, n_times, sfreq=SFREQ, sd=30e-6, rng=np.random.default_rng(0))
    assert drift[:, 0].std() == pytest.approx(30e-6, rel=0.15)
    assert (drift[:, -1] - drift[:, 0]).std() == pytest.approx(30e-6, rel=0.15)
    power = np.abs(np.fft.rfft(np.diff(drift * np.hanning(n_times)))) ** 2
    freqs = np.fft.rfftfreq(n_times - 1, 1 / SFREQ)
    assert power[:, freqs > 1].sum() < 1e-3 * power.sum()


def test_mains_peaks_at_its_frequency():
    rng = np.random.default_rng(0)
    line = mains_line(50, 12800, sfreq=SFREQ, frequency=50.0, amplitude=3e-6, rng=rng)
    freqs = np.fft.rfftfreq(12800, 1 / SFREQ)
    peak = freqs[np.abs(np.fft.rfft(line * np.hanning(12800))).argmax(1)]
    np.testing.assert_allclose(peak, 50, atol=0.03)
    assert np.median(line.std(1)) == pytest.approx(3e-6, rel=0.15)


def test_mains_above_half_the_rate_is_filtered_by_the_headset():
    rng = np.random.default_rng(0)
    line = mains_line(2, 100, sfreq=100.0, frequency=60.0, amplitude=3e-6, rng=rng)
    assert not line.any()
