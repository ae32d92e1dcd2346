from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.simulate.laminar_probe import make_probe
from phosphene.data.simulate.lfp_responses import GREY_SHARE, make_responses, standardise
from phosphene.data.simulate.lfp_settings import LFPSimulation
from phosphene.data.simulate.oriented_filters import FEATURES

SIMULATION = LFPSimulation(n_pictures=40)
PROBE = make_probe(SIMULATION)
FEATURE_ROWS = np.random.default_rng(0).normal(size=(40, len(FEATURES)))


def respond(**changes):
    return make_responses(replace(SIMULATION, **changes), PROBE, FEATURE_ROWS)


def test_first_sink_is_in_layer_4_and_then_above():
    evoked = respond(effect=0.0).evoked[0][PROBE.in_cortex]
    depths = PROBE.depths[PROBE.in_cortex] / PROBE.thickness
    times = np.arange(evoked.shape[1]) / SIMULATION.sfreq
    csd = -np.diff(evoked, 2, axis=0)
    early = depths[1:-1][csd[:, np.abs(times - 0.060).argmin()].argmin()]
    late = depths[1:-1][csd[:, np.abs(times - 0.095).argmin()].argmin()]
    assert 0.36 < early < 0.49
    assert 0.13 < late < 0.36
    strength = np.abs(evoked).max(0)
    onset = times[(strength > 0.1 * strength.max()).argmax()]
    assert 0.040 < onset < 0.060


def test_potential_reverses_along_the_probe_at_the_peak():
    evoked = respond(effect=0.0).evoked[0][PROBE.in_cortex]
    peak = evoked[:, np.abs(evoked).max(0).argmax()]
    assert peak.min() < -0.3 * np.abs(peak).max()
    late = evoked[:, round(0.2 * SIMULATION.sfreq)]
    assert late.min() < 0 < late.max()


def test_strength_is_what_was_asked_for():
    found = respond(effect=0.0).evoked[0][PROBE.in_cortex]
    assert np.abs(found).max() == pytest.approx(SIMULATION.evoked, rel=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_share_of_power_that_differs_between_pictures(share):
    window = slice(0, SIMULATION.n_times)
    responses = respond(picture_share=share)
    evoked = responses.evoked[:-1, PROBE.in_cortex, window].astype(float)
    common = responses.common[PROBE.in_cortex, window]
    specific = np.square(evoked - common).mean()
    assert specific / (specific + np.square(common).mean()) == pytest.approx(share, rel=1e-4)


def test_effect_scales_what_differs_and_nothing_else():
    none, one, two = (respond(effect=effect) for effect in (0.0, 1.0, 2.0))
    assert np.ptp(none.evoked[:-1], axis=0).max() == 0
    assert set(none.gamma) == {0.0, 1.0}
    specific = one.evoked - none.evoked
    np.testing.assert_allclose(two.evoked - none.evoked, 2 * specific, atol=1e-10)
    np.testing.assert_allclose(np.log(two.gamma[:-1]), 2 * np.log(one.gamma[:-1]), atol=1e-6)


def test_each_feature_leaves_a_trace():
    base = np.zeros((4, len(FEATURES)))
    for column in range(len(FEATURES)):
        features = base.copy()
        features[:2, column] = 1
        evoked = make_responses(replace(SIMULATION, n_pictures=4), PROBE, features).evoked
        assert np.abs(evoked[0] - evoked[2]).max() > 1e-6


def test_contrast_makes_responses_larger_and_earlier():
    features = np.zeros((2, len(FEATURES)))
    features[:, FEATURES.index("contrast")] = (0.2, 0.8)
    evoked = make_responses(replace(SIMULATION, n_pictures=2), PROBE, features).evoked
    weak, strong = np.abs(evoked[:2, PROBE.in_cortex]).max(1)
    assert strong.max() > 1.2 * weak.max()
    early = round(0.055 * SIMULATION.sfreq)
    assert strong[early] / strong.max() > weak[early] / weak.max()


def test_true_mean_is_the_own_response_and_the_tail_of_the_one_before():
    responses = respond()
    truth = responses.true_means(n_times=SIMULATION.n_times, sfreq=SIMULATION.sfreq)
    assert truth.shape == (40, 26, 313)
    tail = truth - responses.evoked[:-1, :, :313]
    assert np.ptp(tail, axis=0).max() < 1e-9  # the same before every picture
    mean = responses.evoked.mean(0)
    np.testing.assert_allclose(tail[0, :, 10], 0.25 * mean[:, 322] + 0.75 * mean[:, 323], atol=1e-7)
    assert np.abs(tail[0, :, 200:]).max() < 1e-9


def test_grey_has_a_small_answer_and_no_gamma():
    responses = respond()
    np.testing.assert_allclose(responses.evoked[-1], GREY_SHARE * responses.common, atol=1e-9)
    assert responses.gamma[-1] == 0


def test_features_in_which_pictures_do_not_differ_drive_nothing():
    drives = standardise(np.array([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_array_equal(drives, [[-1.0, 0.0], [1.0, 0.0]])
