import numpy as np
import pytest

from phosphene.data.simulate.oriented_filters import (
    FEATURES,
    FIELD_OF_VIEW,
    FREQUENCIES,
    N_ORIENTATIONS,
    oriented_energy,
    picture_features,
)


def grating(angle, frequency, *, phase=0.0, contrast=1.0, shape=(306, 392)):
    """Draw bars; angle 0 stands for vertical ones, growing counter-clockwise."""
    step = FIELD_OF_VIEW / shape[1]  # degrees of the visual field per pixel
    y, x = (step * (np.arange(n) - n / 2) for n in shape)
    along = x * np.cos(angle) - y[:, None] * np.sin(angle)
    wave = np.cos(2 * np.pi * frequency * along + phase)
    return (127.5 * (1 + contrast * wave)).round().astype(np.uint8)


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("index", range(N_ORIENTATIONS))
def test_gratings_excite_the_matching_filter(index, frequency):
    energy, _ = oriented_energy(grating(np.pi * index / N_ORIENTATIONS, frequency))
    best = np.unravel_index(energy.argmax(), energy.shape)
    assert best == (FREQUENCIES.index(frequency), index)
    assert energy[best] > 2 * np.partition(energy[best[0]], -2)[-2]


def test_energy_does_not_depend_on_phase():
    totals = [oriented_energy(grating(0.5, 0.08, phase=p))[0].sum() for p in (0, 1, 2, 3)]
    np.testing.assert_allclose(totals, totals[0], rtol=0.02)


def test_contrast_saturates_and_shares_stay():
    weak, middle, strong = (
        picture_features(grating(0.0, 0.08, contrast=c)) for c in (0.1, 0.5, 1.0)
    )
    assert 0 < weak[0] < middle[0] < strong[0] < 1
    assert strong[0] - middle[0] < 0.5 * (middle[0] - weak[0])
    np.testing.assert_allclose(middle[2:], strong[2:], atol=0.01)
    n_scales = len(FREQUENCIES)
    assert strong[2 : 2 + n_scales].sum() == pytest.approx(1)
    assert strong[2 + n_scales :].sum() == pytest.approx(1)


def test_only_the_receptive_field_counts():
    picture = np.full((306, 392), 128, np.uint8)
    corner, centre = picture.copy(), picture.copy()
    corner[:40, :40] = grating(0.0, 0.08)[:40, :40]
    centre[133:173, 176:216] = grating(0.0, 0.08)[133:173, 176:216]
    empty, far, near = (oriented_energy(p)[0].sum() for p in (picture, corner, centre))
    assert empty < 1e-12
    assert far < 0.02 * near


def test_grey_drives_by_its_luminance_alone():
    features = dict(zip(FEATURES, picture_features(np.full((60, 80), 255, np.uint8)), strict=True))
    assert features.pop("luminance") == pytest.approx(1.0)
    assert max(np.abs(list(features.values()))) < 1e-6
