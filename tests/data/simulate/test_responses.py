import numpy as np
import pytest

from phosphene.data.simulate.head_model import load_lead_field
from phosphene.data.simulate.responses import make_responses, n_responses, picture_weights

SFREQ = 128.0


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 50)
    return rng.integers(0, 256, (200, 16, 16, 1), dtype=np.uint8), labels


def responses(weights=None, *, n_subjects=3, subject_sd=0.2, seed=0):
    return make_responses(
        load_lead_field("emotiv14"),
        np.zeros((1, n_responses())) if weights is None else weights,
        sfreq=SFREQ,
        duration=0.6,
        n_subjects=n_subjects,
        subject_sd=subject_sd,
        seed=seed,
    )


def test_weights_have_unit_variance_and_hide_what_is_not_shown(pictures):
    shown = np.arange(200) % 5 > 0
    weights = picture_weights(*pictures, shown=shown, share=0.3, seed=0)
    assert not weights[~shown].any()
    assert weights[shown].std() == pytest.approx(1, rel=0.15)


def test_share_splits_class_and_picture(pictures):
    shown = np.ones(200, bool)
    of_class = picture_weights(*pictures, shown=shown, share=0.0, seed=0)
    assert len(np.unique(of_class.round(9), axis=0)) == 4
    of_picture = picture_weights(*pictures, shown=shown, share=1.0, seed=0)
    assert len(np.unique(of_picture.round(9), axis=0)) == 200


def test_picture_part_is_linear_in_pixels(pictures):
    pixels, labels = pictures
    weights = picture_weights(pixels, labels, shown=np.ones(200, bool), share=1.0, seed=0)
    design = np.column_stack([pixels.reshape(200, -1)[:, :], np.ones(200)]).astype(float)
    fitted = design @ np.linalg.lstsq(design, weights, rcond=None)[0]
    np.testing.assert_allclose(fitted, weights, atol=1e-6)


def test_identical_pictures_carry_no_picture_part():
    pixels, labels = np.full((6, 8, 8, 1), 7, np.uint8), np.repeat([0, 1], 3)
    weights = picture_weights(pixels, labels, shown=np.ones(6, bool), share=1.0, seed=0)
    assert not weights.any()


def test_responses_begin_and_end_at_zero():
    basis = responses().basis
    assert basis.shape == (3, n_responses(), 14, round(0.6 * SFREQ))
    assert not basis[..., [0, -1]].any()
    assert np.abs(basis).max() < 5e-6  # V for the moment of one class's source


def test_components_peak_at_their_latencies():
    found = responses(n_subjects=1, subject_sd=0.0)
    evoked = np.einsum("k,kct->ct", found.common, found.basis[0])
    names = load_lead_field("emotiv14").ch_names
    times = np.arange(evoked.shape[1]) / SFREQ
    p1, n170 = evoked[names.index("O1")], evoked[names.index("P8")]
    assert times[p1.argmax()] == pytest.approx(0.1, abs=0.03)
    assert times[n170.argmin()] == pytest.approx(0.17, abs=0.03)
    assert 2e-6 < p1.max() < 15e-6


def test_subjects_differ_mildly():
    basis = responses().basis.reshape(3, -1)
    similarity = np.corrcoef(basis)[np.triu_indices(3, 1)]
    assert (similarity > 0.6).all()
    assert (similarity < 0.995).all()


def test_more_subjects_do_not_change_the_first():
    few, many = responses(n_subjects=2).basis, responses(n_subjects=3).basis
    np.testing.assert_array_equal(few, many[:2])


def test_gaze_is_strongest_at_the_front():
    gaze = np.abs(responses().gaze).max(2)  # (movement, chan)
    names = load_lead_field("emotiv14").ch_names
    front = [names.index(name) for name in ("AF3", "AF4", "F7", "F8")]
    assert set(gaze.argmax(1)) <= set(front)
    assert gaze.max() == pytest.approx(1, abs=0.05)
