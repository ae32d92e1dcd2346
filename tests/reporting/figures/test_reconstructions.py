import numpy as np
import pytest

from phosphene.reporting.figures.reconstructions import (
    MAX_PICTURES,
    MAX_SHOWINGS,
    grey_address,
    picture_reconstructions,
    signal_reconstructions,
)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(9, 3, 20))
    picture = rng.integers(0, 256, (9, 8, 10), dtype=np.uint8)
    return {
        "real": real,
        "autoencoder": -2 * real + 1,
        "picture": picture,
        "picture_autoencoder": picture[::-1],
    }


def test_showings_stand_beside_their_reconstruction(arrays):
    found = signal_reconstructions(arrays, sfreq=1250.0, ch_names=["a"])
    assert len(found) == MAX_SHOWINGS
    assert found[0].correlation == "−1.000"  # upside down, offset and scaled
    assert ">real<" in found[0].svg
    assert ">autoencoder<" in found[0].svg


def test_a_flat_reconstruction_has_no_correlation(arrays):
    arrays["autoencoder"] = np.ones_like(arrays["real"])
    assert signal_reconstructions(arrays, sfreq=None, ch_names=[])[0].correlation == ""


def test_pictures_stand_beside_their_reconstruction(arrays):
    found = picture_reconstructions(arrays)
    assert len(found) == MAX_PICTURES
    assert found[0].picture == grey_address(arrays["picture"][0])
    assert found[0].autoencoder == grey_address(arrays["picture"][-1])


def test_what_was_not_encoded_is_not_shown(arrays):
    assert signal_reconstructions(None, sfreq=None, ch_names=[]) == []
    assert picture_reconstructions({"real": arrays["real"]}) == []


def test_pairs_of_other_shapes_are_refused(arrays):
    with pytest.raises(ValueError, match="must have the same 3 axes"):
        signal_reconstructions(
            {**arrays, "autoencoder": arrays["real"][:2]}, sfreq=None, ch_names=[]
        )
    with pytest.raises(ValueError, match="picture_autoencoder"):
        picture_reconstructions({**arrays, "picture_autoencoder": arrays["picture"][:, 1:]})
