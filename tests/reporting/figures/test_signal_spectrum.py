from dataclasses import replace

import numpy as np
import pytest

from phosphene.reporting.contents import read_contents
from phosphene.reporting.figures.signal_spectrum import (
    MAX_CURVES,
    amplitude_range,
    log_band,
    spectra,
    spectrum_progress,
)


@pytest.fixture(scope="module")
def signals(make_signal_run):
    return read_contents(make_signal_run(GAN=0.5, noise=0.0)).signals


def test_the_band_is_that_of_a_log_normal_amplitude():
    rng = np.random.default_rng(0)
    amplitude = np.exp(rng.normal(-2, 0.7, 400_000))
    low, high = log_band(np.array([amplitude.mean()]), np.array([amplitude.std()]))
    np.testing.assert_allclose(np.log(low), -2.7, atol=0.02)
    np.testing.assert_allclose(np.log(high), -1.3, atol=0.02)


def test_the_lower_edge_needs_no_clipping():
    low, high = log_band(np.array([1.0, 0.0]), np.array([5.0, 1.0]))  # mean less spread: below 0
    assert 0 < low[0] < 1 < high[0]
    assert np.isnan(low[1])  # no amplitude, no place on a logarithmic axis


def test_systems_stand_on_real_signals_of_the_same_showings(signals):
    found = spectra(signals, ch_names=[f"c{i}" for i in range(6)])
    order = [("GAN", "test"), ("noise", "test"), ("GAN", "train"), ("noise", "train")]
    assert [(panels.system, panels.of) for panels in found] == order
    svg = found[0].panels[0].svg
    assert svg.count('fill="var(--muted)" fill-opacity') == 1
    assert svg.count('fill="var(--class-1)" fill-opacity') == 1
    assert ">Hz<" in svg
    assert len(found[0].every) == 6


def test_the_range_holds_all_of_real_signals_and_five_decades_at_most(signals):
    real = signals.real(of="test")
    mean, spread = real.spectrum_mean, real.spectrum_sd
    low, high = log_band(mean[:, 1:], spread[:, 1:])
    silent = replace(real, spectrum_mean=1e-12 * mean, spectrum_sd=1e-12 * spread)
    alone, beside = amplitude_range([real], [real]), amplitude_range([real, silent], [real])
    assert alone.low < low.min() < high.max() < alone.high
    assert beside.high == pytest.approx(alone.high)
    assert 1e5 * beside.low == pytest.approx(beside.high)


def test_signals_without_amplitude_are_not_drawn(signals):
    still = tuple(
        replace(s, spectrum_mean=0 * s.spectrum_mean, spectrum_sd=0 * s.spectrum_sd)
        for s in signals.summaries
    )
    assert spectra(replace(signals, summaries=still), ch_names=[]) == []


def test_training_is_shown_from_faint_to_strong():
    freqs = np.array([0.0, 4.0, 8.0, 16.0])
    real = np.ones((5, 4))
    steps = np.arange(1, 31) * 100
    mean = real * np.linspace(0.1, 1, 30)[:, None, None]
    progress = {
        "steps": steps,
        "spectrum_mean": mean,
        "freqs": freqs,
        "real_spectrum_mean": real,
    }
    panels, drawn = spectrum_progress(progress, ch_names=[])
    assert [panel.channel for panel in panels] == [f"channel {n}" for n in (1, 2, 4, 5)]
    assert len(drawn) == MAX_CURVES
    assert (drawn[0], drawn[-1]) == (("100", 0.25), ("3,000", 1.0))
    assert panels[0].svg.count('stroke="var(--accent)"') == MAX_CURVES
    assert spectrum_progress(None, ch_names=[]) == ((), ())
    silent = {**progress, "spectrum_mean": 0 * mean, "real_spectrum_mean": 0 * real}
    assert spectrum_progress(silent, ch_names=[]) == ((), ())
    with pytest.raises(ValueError, match=r"must be \(step, chan, freq\)"):
        spectrum_progress({**progress, "spectrum_mean": mean[:2]}, ch_names=[])
