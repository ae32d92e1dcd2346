import numpy as np
import pytest

from phosphene.data.simulate.laminar_probe import (
    CONDUCTIVITY,
    DISC_RADIUS,
    LaminarProbe,
    current_profile,
    disc_depths,
    make_probe,
)
from phosphene.data.simulate.lfp_settings import LFPSimulation


@pytest.fixture(scope="module")
def probe():
    return make_probe(LFPSimulation())


def test_channels_lie_as_in_published_files(probe):
    assert probe.areas == ("CA1",) * 4 + ("VISp",) * 22
    assert (np.diff(probe.depths) < 0).all()  # deepest first
    positions = probe.vertical_positions
    assert (np.diff(positions) > 0).all()
    assert set(np.diff(positions[probe.in_cortex])) == {40}
    assert probe.depths[-1] == pytest.approx(20e-6)
    assert probe.thickness == pytest.approx(0.88e-3)


def test_potential_of_one_thin_disc_is_that_of_physics(probe):
    discs = disc_depths(probe)
    current = np.zeros((1, len(discs)))
    current[0, 80] = 2e5  # A/m³ in 5 um: 1 A/m² in all
    away = np.array([0.0, 1e-4, 5e-4])
    at = discs[80] + away
    found = probe.potentials(current, at=at)[:, 0]
    expected = (np.sqrt(away**2 + DISC_RADIUS**2) - away) / (2 * CONDUCTIVITY)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_second_difference_gives_the_currents_back():
    """CSD analysis of a dense probe finds the sink where it was put (wide discs)."""
    settings = LFPSimulation(n_chans=44, spacing=20e-6)
    probe = make_probe(settings)
    profile = current_profile(probe, ((0.42, -1.0), (0.24, 0.5), (0.62, 0.5)))
    potential = probe.potentials(profile[None])[:, 0][probe.in_cortex]
    depths = probe.depths[probe.in_cortex]
    csd = -np.diff(potential, 2)
    assert depths[1:-1][csd.argmin()] == pytest.approx(0.42 * probe.thickness, abs=40e-6)


def test_dipoles_reverse_polarity_between_sink_and_source(probe):
    profile = current_profile(probe, ((0.62, -1.0), (0.15, 1.0)))
    potential = probe.potentials(profile[None])[:, 0][probe.in_cortex]
    depths = probe.depths[probe.in_cortex] / probe.thickness
    assert depths[potential.argmin()] == pytest.approx(0.62, abs=0.08)
    assert depths[potential.argmax()] == pytest.approx(0.15, abs=0.08)
    assert (np.diff(np.sign(potential)) != 0).sum() == 1


def test_currents_are_balanced(probe):
    profile = current_profile(probe, ((0.4, -1.0), (0.2, 0.8), (0.7, 0.1)))
    assert profile.sum() == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="currents that enter must leave"):
        current_profile(probe, ((0.4, -1.0),))


@pytest.mark.parametrize(("n_chans", "spacing"), [(22, 100e-6), (8, 40e-6)])
def test_channels_that_fit_no_cortex_are_refused(n_chans, spacing):
    with pytest.raises(ValueError, match="must span a mouse's cortex"):
        make_probe(LFPSimulation(n_chans=n_chans, spacing=spacing))


def test_far_away_little_is_left():
    probe = LaminarProbe(np.array([1.5e-3, 0.4e-3]), ("CA1", "VISp"), 0.88e-3)
    profile = current_profile(probe, ((0.42, -1.0), (0.24, 0.5), (0.62, 0.5)))
    far, near = np.abs(probe.potentials(profile[None])[:, 0])
    assert far < 0.05 * near
