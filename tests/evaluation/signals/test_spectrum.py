import numpy as np
import pytest

from phosphene.evaluation.signals.spectrum import BANDS, power_spectra, spectrum_scores

PICTURE = np.repeat(np.arange(6), 20)


def filtered(rng, gain):
    """Return white noise of 2 channels; `gain` says what happens to each frequency."""
    spectra = np.fft.rfft(rng.standard_normal((120, 2, 313)))
    freqs = np.fft.rfftfreq(313, 1 / 1250)
    return np.fft.irfft(spectra * gain(freqs), n=313).astype(np.float32)


def scores_of(real, generated, sfreq=1250.0, **kwargs):
    kwargs = {"picture": PICTURE, "method": "GAN"} | kwargs
    return {s.name: s for s in spectrum_scores(real, generated, sfreq=sfreq, **kwargs)}


@pytest.mark.parametrize("gain", [2.0, 0.5])
def test_doubled_and_halved_amplitudes_are_6_db_in_their_band_alone(gain):
    rng = np.random.default_rng(0)
    real = filtered(rng, np.ones_like)
    fake = filtered(rng, lambda f: np.where((f >= 80) & (f < 200), gain, 1.0))
    found = scores_of(real, fake)
    assert set(found) == {f"spectrum distance, {band}" for band in BANDS} | {
        "high-frequency spectrum error"
    }
    high = found["spectrum distance, high 80-200 Hz"]
    assert high.value == pytest.approx(20 * np.log10(2), abs=0.4)
    assert high.low < high.value < high.high
    assert found["spectrum distance, very high 200-500 Hz"].value < 0.4
    assert found["spectrum distance, gamma 30-80 Hz"].value < 0.8
    # 120 of 420 Hz are off by 6 dB, the rest by little
    assert found["high-frequency spectrum error"].value == pytest.approx(6 * 120 / 420, abs=0.7)
    assert (high.n, high.unit, high.higher_is_better) == (6, "pictures", False)


def test_equal_signals_are_at_zero_and_order_of_windows_is_nothing():
    real = filtered(np.random.default_rng(1), np.ones_like)
    found = scores_of(real, real[np.argsort(PICTURE, kind="stable")])
    assert [score.value for score in found.values()] == [0] * 7


def test_channels_do_not_cancel():
    real = filtered(np.random.default_rng(2), np.ones_like)
    fake = real * np.array([[[2.0], [0.5]]], dtype=np.float32)
    for score in scores_of(real, fake).values():
        assert score.value == pytest.approx(20 * np.log10(2), rel=1e-4)


def test_missing_power_is_limited():
    real = filtered(np.random.default_rng(3), np.ones_like)
    found = scores_of(real, np.zeros_like(real))
    assert all(90 < score.value <= 120 for score in found.values())


def test_a_taper_shows_high_frequencies_beside_slow_waves():
    time = np.arange(313) / 1250
    slow = 1000 * np.cos(2 * np.pi * 2 * time)[None, None]  # half a wave: its ends do not meet
    freqs, power = power_spectra(slow, sfreq=1250.0)
    at = np.abs(freqs - 300).argmin()
    untapered = np.abs(np.fft.rfft(slow - slow.mean()))[0, 0] ** 2
    assert power[0, at] / power[0].max() < 1e-8
    assert untapered[at] / untapered.max() > 1e-5


def test_bands_that_the_recording_does_not_hold_have_no_score():
    real = np.random.default_rng(4).standard_normal((120, 2, 50))
    found = scores_of(real, real, sfreq=250.0)  # 5 Hz apart, up to 125 Hz
    assert list(found) == [f"spectrum distance, {band}" for band in list(BANDS)[1:4]]


def test_a_dead_real_channel_is_refused():
    real = np.random.default_rng(5).standard_normal((120, 2, 50))
    dead = real * np.array([[1.0], [0.0]])
    with pytest.raises(ValueError, match="no power in channel 1"):
        scores_of(dead, real)


def test_a_rate_of_zero_is_refused():
    with pytest.raises(ValueError, match="`sfreq` must be greater"):
        power_spectra(np.ones((1, 1, 4)), sfreq=0.0)
