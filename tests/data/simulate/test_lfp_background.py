from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import welch

from phosphene.data.simulate.laminar_probe import make_probe
from phosphene.data.simulate.lfp_background import FADE, PIECE, make_lfp_background
from phosphene.data.simulate.lfp_settings import LFPSimulation

QUIET = LFPSimulation(
    n_chans=8,
    spacing=1e-4,
    other_channels=2,
    n_pictures=2,
    n_repeats=1,
    n_blocks=1,
    rest=100.0,
    background=0.0,
    slow=0.0,
    gamma=0.0,
    gamma_induced=0.0,
    theta=0.0,
    noise=0.0,
    drift=0.0,
)


def draw(induced=0.0, **changes):
    """Return the recording (chan, time), the cortex only, and its probe."""
    simulation = replace(QUIET, **changes)
    probe = make_probe(simulation)
    background = make_lfp_background(simulation, probe)
    level = np.float32(induced)
    pieces = background.pieces(lambda start, stop: np.full(stop - start, level))
    signal = np.concatenate([piece for _, piece in pieces], axis=1)
    assert signal.shape == (10, simulation.n_samples)
    assert signal.dtype == np.float32
    return signal, probe


def spectrum(signal):
    freqs, power = welch(signal, QUIET.sfreq, nperseg=4096)
    return freqs, power.mean(0)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_slope_of_the_spectrum_is_what_was_asked_for(exponent):
    signal, probe = draw(background=100e-6, exponent=exponent)
    freqs, power = spectrum(signal[probe.in_cortex])
    band = (freqs > 10) & (freqs < 200)
    slope = np.polyfit(np.log(freqs[band]), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.12)
    assert np.sqrt(np.square(signal[probe.in_cortex]).mean()) == pytest.approx(100e-6, rel=0.1)


def test_background_is_smooth_over_depth():
    signal, probe = draw(background=100e-6)
    correlation = np.corrcoef(signal[probe.in_cortex])
    neighbours, ends = np.diag(correlation, 1), correlation[0, -1]
    assert neighbours.min() > 0.8
    assert ends < neighbours.min() - 0.15


@pytest.mark.parametrize(
    ("part", "band"),
    [("slow", (0.8, 4.5)), ("gamma", (25.0, 75.0)), ("theta", (5.0, 9.0))],
)
def test_rhythms_stay_in_their_bands(part, band):
    signal, probe = draw(**{part: 50e-6})
    cortex = signal if part == "theta" else signal[probe.in_cortex]
    freqs, power = spectrum(cortex)
    inside = (freqs > band[0]) & (freqs < band[1])
    assert power[inside].sum() > 0.95 * power.sum()
    strongest = np.sqrt(np.square(cortex).mean(1).max())
    assert strongest == pytest.approx(50e-6, rel=0.35)


def test_slow_waves_reverse_over_depth_and_theta_comes_from_below():
    slow, probe = draw(slow=50e-6)
    cortex = slow[probe.in_cortex]
    assert np.corrcoef(cortex).min() < -0.3
    theta, _ = draw(theta=50e-6)
    strength = theta.std(1)  # deepest first
    assert strength[0] > 3 * strength[-1]


def test_gamma_comes_in_bursts_and_grows_with_what_pictures_induce():
    bursts, probe = draw(gamma=20e-6)
    row = bursts[probe.in_cortex][4]
    assert np.mean(row.astype(float) ** 4) / np.mean(row.astype(float) ** 2) ** 2 > 4  # of noise 3
    induced, _ = draw(gamma_induced=20e-6, induced=1.5)
    strongest = np.sqrt(np.square(induced[probe.in_cortex]).mean(1).max())
    assert strongest == pytest.approx(30e-6, rel=0.1)


def test_pieces_join_without_a_seam():
    signal, probe = draw(background=100e-6, exponent=0.0)
    cortex = signal[probe.in_cortex]
    inside = np.square(cortex[:, PIECE : PIECE + FADE]).mean()
    assert inside / np.square(cortex).mean() == pytest.approx(1, abs=0.06)
    smooth, _ = draw(background=100e-6, exponent=3.0)
    steps = np.abs(np.diff(smooth, axis=1)).max(0)
    assert steps[PIECE - 2 : PIECE + 2].max() < 4 * np.median(steps)


def test_hum_is_a_line_and_drift_is_slow():
    hum, probe = draw(mains_amplitude=5e-6, mains=60.0)
    freqs, power = spectrum(hum)
    assert freqs[power.argmax()] == pytest.approx(60, abs=0.5)
    assert 3e-6 < np.median(hum.std(1)) < 8e-6
    drift, _ = draw(drift=20e-6)
    freqs, power = spectrum(drift - drift.mean(1, keepdims=True))
    assert power[freqs < 1].sum() > 0.95 * power.sum()
    assert drift[probe.in_cortex].std() > 2e-6


def test_noise_is_independent_between_channels():
    noise, _ = draw(noise=4e-6)
    assert noise.std() == pytest.approx(4e-6, rel=0.02)
    assert np.abs(np.corrcoef(noise) - np.eye(10)).max() < 0.02
