import numpy as np
import pytest
import torch

from phosphene.models.encoders.gabor_energies import GaborEnergies
from phosphene.models.generators.lfp_flow import LFPFlow
from phosphene.recipes.phosphene_best_lfp import fitting
from phosphene.training.seeding import seeded

N_CHANS, N_TIMES, N_PICTURES, N_EACH = 3, 24, 24, 20
SIZE = (20, 26)


def make_pictures(n=N_PICTURES, size=SIZE, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(n, 1, size[0] // 2, size[1] // 2)).repeat(2, 2).repeat(2, 3)
    return torch.from_numpy(np.tanh(coarse * rng.uniform(0.1, 1, (n, 1, 1, 1)))).float()


def make_generator(**options):
    options = {"n_patterns": 3, "n_components": 6, "n_flow": 4, "width": 8, **options}
    with seeded(0):
        return LFPFlow(N_CHANS, N_TIMES, SIZE, n_blocks=1, **options).eval()


@pytest.fixture(scope="module")
def planted():
    """Windows whose response is linear in two features of the picture, in strong noise."""
    rng = np.random.default_rng(1)
    pictures = make_pictures()
    features = fitting.standardise(make_generator().picture_encoder(pictures))[0]
    patterns = rng.normal(size=(2, N_CHANS, N_TIMES)).cumsum(2) / 5
    drives = features[:, [0, -1]]
    drives = drives - drives.mean(0)
    responses = np.einsum("pd,dct->pct", drives, patterns)
    picture = np.tile(np.arange(N_PICTURES), N_EACH)
    slow = rng.normal(size=(len(picture), N_CHANS, 1)) * np.linspace(0.2, 1, N_TIMES)
    noise = 0.3 * rng.normal(size=(len(picture), N_CHANS, N_TIMES))
    return (responses[picture] + slow + noise).astype(np.float32), picture, pictures, responses


@pytest.fixture
def fit(planted, monkeypatch):
    monkeypatch.setattr(fitting, "N_REFINEMENTS", 0)
    monkeypatch.setattr(fitting, "FIELD_SDS", (0.25,))

    def run(generator, *, rows=slice(None), **options):
        signals, picture, pictures, _ = planted
        options = {"n_folds": 4, "remainder": True, "equal_noise": False, "seed": 0, **options}
        return fitting.fit_generator(generator, signals[rows], picture[rows], pictures, **options)

    return run


def test_predicts_responses_to_pictures_that_did_not_fit_it(planted, fit):
    _, picture, pictures, responses = planted
    generator = make_generator()
    test = np.arange(18, 24)
    ridge = fit(generator, rows=~np.isin(picture, test))
    assert ridge.explained > 0.7
    with torch.no_grad():
        found = generator.predict(generator.condition(pictures[test], n=6)).numpy()
    found, truth = (each - each.mean(0) for each in (found, responses[test]))
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.85


def test_strengths_of_patterns_have_deviation_1_over_training_pictures(planted, fit):
    generator = make_generator()
    fit(generator)
    known = generator.condition(planted[2], n=N_PICTURES)
    torch.testing.assert_close(known.mean(0), torch.zeros(3), atol=0.02, rtol=0)
    torch.testing.assert_close(known.std(0, correction=0), torch.ones(3), rtol=0.02, atol=0)


def test_whitened_coefficients_of_showings_are_white(planted, fit):
    signals, picture, pictures, _ = planted
    generator = make_generator()
    fit(generator)
    condition = generator.condition(pictures[picture], n=len(picture))
    encoded = generator.encode(torch.from_numpy(signals), condition)
    torch.testing.assert_close(encoded.T @ encoded / len(encoded), torch.eye(4), atol=0.05, rtol=0)
    lengths = generator.components.flatten(1)
    torch.testing.assert_close(lengths @ lengths.T, torch.eye(6), atol=1e-4, rtol=0)
    assert (generator.scale.diff() <= 0).all()


@pytest.mark.parametrize("remainder", [True, False])
def test_components_and_remainder_hold_the_variance_of_showings(planted, fit, remainder):
    signals, picture, pictures, _ = planted
    generator = make_generator(uses_flow=False)
    fit(generator, remainder=remainder)
    predicted = generator.predict(generator.condition(pictures[picture], n=len(picture)))
    wanted = (torch.from_numpy(signals) - predicted).square().sum((1, 2)).mean()
    rest = torch.view_as_complex(generator.remainder)
    n_both = torch.full((N_TIMES // 2 + 1,), 2.0)
    n_both[[0, -1]] = 1  # these frequencies have no negative twin
    noise = (rest.abs().square().sum((1, 2)) * n_both).sum()
    found = generator.scale.square().sum() + noise
    if remainder:
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=0)
    else:
        assert noise == 0
        assert found < 0.97 * wanted


def test_spectral_factors_give_back_planted_spectra():
    rng = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[1.0, 0.0], [0.8, 0.6]])
    white = torch.randn(3000, 2, 16, generator=rng)
    windows = torch.einsum("cd,bdt->bct", mixing, white)
    factors = torch.view_as_complex(fitting.spectral_factors(windows))
    expected = (mixing @ mixing.T).to(torch.complex64).expand(9, 2, 2)
    torch.testing.assert_close(factors @ factors.mH, expected, atol=0.1, rtol=0)


def test_equal_noise_undoes_the_size_of_each_window(planted, fit):
    signals, picture, pictures, _ = planted
    sizes = np.random.default_rng(2).lognormal(0, 0.5, len(signals)).astype(np.float32)
    shrunk = signals / sizes[:, None, None]
    generator = make_generator()
    fitting.fit_generator(
        generator, shrunk, picture, pictures, n_folds=4, remainder=True, equal_noise=True, seed=0
    )
    back = generator.equalise(torch.from_numpy(shrunk)).numpy()
    found = np.linalg.norm(back, axis=(1, 2)) / np.linalg.norm(signals, axis=(1, 2))
    assert np.log(found).std() < 0.2 < 0.45 < np.log(sizes).std()


def test_finds_the_receptive_field_that_drives_the_responses():
    pictures = make_pictures(40, (32, 42), seed=3)
    encoder = GaborEnergies((32, 42), wavelengths=(3, 6), n_orientations=3)
    truth = torch.tensor([-0.15, 0.2, 0.1])
    encoder.field.copy_(truth)
    drives = fitting.standardise(encoder(pictures))[0]
    responses = drives @ np.random.default_rng(0).normal(size=(drives.shape[1], 5))
    encoder.field.copy_(torch.tensor([0.0, 0.0, 0.25]))
    explained = fitting.find_field(encoder, pictures, responses, folds=np.arange(40) % 5)
    assert explained > 0.9
    torch.testing.assert_close(encoder.field, truth, atol=0.06, rtol=0)


def test_the_same_seed_fits_the_same_and_pictures_of_other_rows_are_not_looked_at(planted, fit):
    signals, picture, pictures, _ = planted
    rows = picture < 18
    states = []
    for spoil in (False, True):
        generator = make_generator()
        seen = pictures.clone()
        seen[18:] = torch.nan if spoil else seen[18:]
        fitting.fit_generator(
            generator, signals[rows], picture[rows], seen, n_folds=4, remainder=True,
            equal_noise=False, seed=0,
        )  # fmt: skip
        states.append(generator.state_dict())
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_a_generator_without_pictures_has_mean_and_components_alone(planted, fit):
    generator = make_generator(features="none")
    assert fit(generator) is None
    torch.testing.assert_close(generator.mean, torch.from_numpy(planted[0].mean(0)))
    assert generator.scale.min() > 0


def test_refuses_too_few_showings_pictures_or_directions(planted, fit):
    with pytest.raises(ValueError, match="more showings"):
        fit(make_generator(), rows=slice(6))
    with pytest.raises(ValueError, match="training pictures"):
        fit(make_generator(), rows=planted[1] < 2)
    signals, picture, pictures, _ = planted
    flat = signals[:, :1, :1] * np.ones((1, N_CHANS, N_TIMES), np.float32)
    with pytest.raises(ValueError, match="in as many directions"):
        fitting.fit_generator(
            make_generator(features="none"), flat, picture, pictures, n_folds=4, remainder=True,
            equal_noise=False, seed=0,
        )  # fmt: skip
