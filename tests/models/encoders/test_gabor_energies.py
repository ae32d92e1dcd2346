from math import pi

import pytest
import torch

from phosphene.models.encoders.gabor_energies import (
    FLOOR,
    GaborEnergies,
    PictureGrid,
    gabor_filters,
)

SIZE = (54, 69)
LONG = {"wavelengths": (6, 12), "n_orientations": 4}


def grating(wavelength, *, angle=0.0, phase=0.0, size=SIZE):
    rows, columns = torch.meshgrid(
        torch.arange(size[0]).double(), torch.arange(size[1]).double(), indexing="ij"
    )
    along = columns * torch.tensor(angle).cos() + rows * torch.tensor(angle).sin()
    return (2 * pi / wavelength * along + phase).cos().float()[None, None]


def energies(encoder, picture):
    """Return (wavelength, orientation) without the floor."""
    values = encoder(picture)[0, :-1].exp() - FLOOR
    return values.reshape(len(encoder.wavelengths), encoder.n_orientations)


def test_filters_are_blind_to_brightness_and_of_equal_length():
    filters = gabor_filters(8, n_orientations=6).double()
    assert filters.shape[:2] == (12, 1)
    torch.testing.assert_close(filters.sum((1, 2, 3)), torch.zeros(12).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(filters.square().sum((1, 2, 3)), torch.ones(12).double())
    even, odd = filters[0::2, 0], filters[1::2, 0]
    torch.testing.assert_close(even.flip(1, 2), even)
    torch.testing.assert_close(odd.flip(1, 2), -odd)


@pytest.mark.parametrize("wavelength", LONG["wavelengths"])
@pytest.mark.parametrize("orientation", range(4))
def test_energy_is_largest_for_the_grating_that_the_filter_prefers(wavelength, orientation):
    encoder = GaborEnergies(SIZE, **LONG)
    found = energies(encoder, grating(wavelength, angle=orientation * pi / 4))
    place = LONG["wavelengths"].index(wavelength) * 4 + orientation
    assert found.argmax() == place
    others = found[place // 4][torch.arange(4) != orientation]
    assert found.max() > 5 * others.max()


def test_energy_does_not_change_when_the_grating_is_shifted():
    encoder = GaborEnergies(SIZE, **LONG)
    found = torch.stack(
        [energies(encoder, grating(6, phase=phase))[0, 0] for phase in torch.linspace(0, 2 * pi, 9)]
    )
    assert found.std() < 0.02 * found.mean()


def test_energy_is_the_square_of_contrast_and_brightness_stands_last():
    encoder = GaborEnergies(SIZE, **LONG)
    whole, half = (energies(encoder, c * grating(6))[0, 0] for c in (1.0, 0.5))
    assert float(whole / half) == pytest.approx(4, rel=1e-3)
    flat = encoder(torch.full((1, 1, *SIZE), 0.25))
    torch.testing.assert_close(flat[0, -1], torch.tensor(0.25))
    assert float((flat[0, :-1].exp() - FLOOR).abs().max()) < 1e-5


def test_only_what_lies_in_the_receptive_field_counts():
    encoder = GaborEnergies(SIZE, **LONG)
    encoder.field.copy_(torch.tensor([-0.3, 0.4, 0.06]))  # above the middle, to the right
    picture = torch.zeros(1, 1, *SIZE)
    picture[..., :20, 45:] = grating(6)[..., :20, 45:]
    seen = energies(encoder, picture)[0, 0]
    torch.testing.assert_close(seen, energies(encoder, grating(6))[0, 0], rtol=0.1, atol=0)
    other = torch.zeros(1, 1, *SIZE)
    other[..., 34:, :24] = grating(6)[..., 34:, :24]
    assert energies(encoder, other)[0, 0] < 1e-3 * seen


def test_a_field_outside_the_picture_sees_its_nearest_edge():
    encoder = GaborEnergies(SIZE, **LONG)
    encoder.field.copy_(torch.tensor([0.0, -9.0, 0.01]))
    picture = torch.zeros(1, 1, *SIZE)
    picture[..., 0] = 1.0
    assert float(encoder(picture)[0, -1]) == pytest.approx(1.0)


def test_pictures_are_described_one_by_one():
    encoder = GaborEnergies()
    pictures = torch.rand(3, 1, *SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = encoder(pictures)
    assert found.shape == (3, encoder.n_features) == (3, 31)
    torch.testing.assert_close(found[1:2], encoder(pictures[1:2]), rtol=1e-4, atol=1e-5)
    assert not list(encoder.parameters())
    assert set(encoder.state_dict()) == {"field", *(f"filters_{k}" for k in range(5))}


def test_a_grid_holds_the_brightness_of_its_places():
    picture = torch.zeros(1, 1, *SIZE)
    picture[..., :27, :23] = 1.0
    found = PictureGrid(SIZE, grid=(2, 3))(picture)
    torch.testing.assert_close(found, torch.tensor([[1.0, 0, 0, 0, 0, 0]]))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: GaborEnergies(wavelengths=(2, 4)), "span 3 pixels"),
        (lambda: GaborEnergies(wavelengths=()), "span 3 pixels"),
        (lambda: GaborEnergies(n_orientations=1), "n_orientations"),
        (lambda: GaborEnergies((0, 9)), "a pixel at least"),
        (lambda: PictureGrid((4, 4), grid=(5, 2)), "coarser grid"),
        (lambda: gabor_filters(0, n_orientations=3), "wavelength"),
        (lambda: GaborEnergies()(torch.zeros(1, 1, 69, 54)), "must have the size"),
        (lambda: PictureGrid()(torch.zeros(1, 1, 69, 54)), "must have the size"),
    ],
)
def test_refuses_what_it_was_not_built_for(make, match):
    with pytest.raises(ValueError, match=match):
        make()
