"""All of the generator that is not learned step by step: closed forms on training showings."""

from itertools import product

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from phosphene._checks import check_at_least
from phosphene.models.encoders.gabor_energies import GaborEnergies
from phosphene.models.generators.lfp_flow import MAX_FEATURE, LFPFlow
from phosphene.recipes.phosphene_best_lfp.ridge import Ridge, fit_ridge
from phosphene.training.seeding import derive_seed, seeded

NOTHING = 1e-6
"""Share of the largest singular value, or of unit spread, below which a direction is rounding."""
OVERSAMPLING = 16
"""Directions more than are wanted in the random search for components (Halko et al., 2011)."""
HIGH = 0.2
"""Share of the highest frequency above which noise is measured: 125 Hz of 625."""
TINY = 1e-12
"""Least power that is divided by, of windows whose mean square is 1."""
FIELD_STEP = 0.15
"""Distance of the receptive fields that are tried first, in heights of the picture."""
FIELD_SDS = (0.06, 0.1, 0.16, 0.25, 0.4)
"""Their standard deviations, likewise."""
N_REFINEMENTS = 3
"""How often the distance is halved afterwards."""
BATCH = 256
"""Windows whose spectra are in memory at a time."""


@torch.no_grad()
def fit_generator(
    generator: LFPFlow,
    signals: Float[np.ndarray, "window chan time"],
    picture: Int[np.ndarray, " window"],
    pictures: Float[Tensor, "picture 1 height width"],
    *,
    n_folds: int,
    remainder: bool,
    equal_noise: bool,
    seed: int,
) -> Ridge | None:
    """Fill the buffers of a generator from training showings alone.

    Parameters
    ----------
    generator
        Whose buffers are filled in place.
    signals
        Training windows, z-scored.
    picture
        Row of `pictures` for each window.
    pictures
        In [-1, 1]; only rows in `picture` are looked at.
    n_folds
        Of the cross-validation over pictures that chooses the ridge penalty.
    remainder
        Whether noise stands for what components leave over; else it is left out.
    equal_noise
        Whether the windows get the size at which their high frequencies are equally strong; else
        they stay z-scored.
    seed
        Of folds and of the search for components.

    Returns
    -------
    ridge
        How the response is predicted; None for a generator without pictures.

    Raises
    ------
    ValueError
        With fewer windows than components.
    """
    n, shape = len(signals), signals.shape[1:]
    if n <= generator.n_components:
        raise ValueError(
            f"components need more showings than there are of them; got {n} showings and "
            f"{generator.n_components} components. Lower --n-components, or record more."
        )
    generator.gain_weights.zero_()
    if equal_noise:
        generator.gain_weights.copy_(gain_weights(signals))
        parts = torch.from_numpy(signals).split(BATCH)
        signals = torch.cat([generator.equalise(part) for part in parts]).numpy()
    windows = torch.from_numpy(signals.reshape(n, -1))
    generator.mean.copy_(torch.from_numpy(_picture_means(signals, picture).mean(0)))
    ridge = None
    condition = windows.new_zeros(n, 0)
    if generator.picture_encoder is not None:
        ridge = _fit_response(generator, signals, picture, pictures, n_folds=n_folds, seed=seed)
        shown, index = np.unique(picture, return_inverse=True)
        known = generator.condition(pictures[shown], n=len(shown))
        condition = known[torch.from_numpy(index.astype(np.int64))]
    deviations = windows - generator.predict(condition).flatten(1)
    with seeded(derive_seed(seed, "components")):
        n_search = min(generator.n_components + OVERSAMPLING, *deviations.shape)
        _, lengths, directions = torch.svd_lowrank(deviations, q=n_search, niter=3)
    directions = directions[:, : generator.n_components]
    lengths = lengths[: generator.n_components]
    if lengths[-1] <= NOTHING * lengths[0]:
        raise ValueError(
            f"showings must vary in as many directions as there are components; they do in "
            f"{int((lengths > NOTHING * lengths[0]).sum())} and {len(lengths)} are wanted. Lower "
            "--n-components."
        )
    generator.components.copy_(directions.T.unflatten(1, shape))
    generator.scale.copy_(lengths / n**0.5)
    generator.remainder.zero_()
    if remainder:
        left = deviations - deviations @ directions @ directions.T
        generator.remainder.copy_(spectral_factors(left.unflatten(1, shape)))
    return ridge


def spectral_factors(
    windows: Float[Tensor, "window chan time"],
) -> Float[Tensor, "freq chan chan 2"]:
    """Return what turns white noise into noise with the mean cross-spectra of windows.

    At each frequency the Hermitian square root of the mean of ``x x*``, where x is the window's
    Fourier coefficient of all channels; real and imaginary parts stand in the last axis.
    """
    total = torch.zeros(1, dtype=torch.complex128)
    for part in windows.split(BATCH):
        spectra = torch.fft.rfft(part.double(), norm="ortho")
        total = total + torch.einsum("bcf,bdf->fcd", spectra, spectra.conj())
    powers, vectors = torch.linalg.eigh(total / len(windows))
    roots = vectors * powers.clamp(min=0).sqrt()[:, None] @ vectors.mH
    return torch.view_as_real(roots).float()


def gain_weights(signals: Float[np.ndarray, "window chan time"]) -> Float[Tensor, "chan freq"]:
    """Return weights of powers by which `LFPFlow.equalise` finds the size of a window.

    Each channel and frequency above `HIGH` counts by the inverse of its mean power, so that as many
    values as possible say how strong the noise is; their number makes the sum 1 on average.
    """
    n_freqs = signals.shape[2] // 2 + 1
    powers = np.zeros((signals.shape[1], n_freqs))
    for first in range(0, len(signals), BATCH):
        spectra = np.fft.rfft(signals[first : first + BATCH], norm="ortho")
        powers += (np.abs(spectra) ** 2).sum(0)
    high = np.arange(n_freqs) >= HIGH * n_freqs
    weights = np.where(high, 1 / np.maximum(powers / len(signals), TINY), 0.0)
    return torch.from_numpy(weights / (high.sum() * len(powers))).float()


def _fit_response(
    generator: LFPFlow,
    signals: np.ndarray,
    picture: np.ndarray,
    pictures: Tensor,
    *,
    n_folds: int,
    seed: int,
) -> Ridge:
    """Fit what the picture's features say of the mean response, as strengths of patterns."""
    assert generator.picture_encoder is not None
    shown = np.unique(picture)
    check_at_least("number of training pictures", len(shown), 3)
    rng = np.random.default_rng(derive_seed(seed, "ridge folds"))
    folds = rng.permutation(len(shown)) % min(n_folds, len(shown))
    responses = _picture_means(signals, picture).reshape(len(shown), -1)
    responses = responses - responses.mean(0)
    left, lengths, right = np.linalg.svd(responses, full_matrices=False)
    if isinstance(generator.picture_encoder, GaborEnergies):
        find_field(generator.picture_encoder, pictures[shown], left * lengths, folds=folds)
    features = generator.picture_encoder(pictures[shown])
    known, mean, sd = standardise(features)
    ridge = fit_ridge(known, left * lengths, folds=folds)
    _, strengths, turns = np.linalg.svd(known @ ridge.weights, full_matrices=False)
    n_found = int((strengths > NOTHING * strengths[0]).sum()) if strengths[0] > 0 else 0
    n_kept = min(n_found, generator.n_patterns)
    spread = strengths[:n_kept] / len(shown) ** 0.5  # standard deviation over training pictures
    readout = np.zeros(generator.readout.shape)
    readout[:, :n_kept] = ridge.weights @ turns[:n_kept].T / spread
    patterns = np.zeros((generator.n_patterns, signals[0].size))
    patterns[:n_kept] = spread[:, None] * (turns[:n_kept] @ right)
    for name, values in {
        "feature_mean": mean,
        "feature_sd": sd,
        "readout": readout,
        "patterns": patterns.reshape(-1, *signals.shape[1:]),
    }.items():
        getattr(generator, name).copy_(torch.from_numpy(values))
    return ridge


def find_field(
    encoder: GaborEnergies,
    pictures: Float[Tensor, "picture 1 height width"],
    responses: Float[np.ndarray, "picture output"],
    *,
    folds: Int[np.ndarray, " picture"],
) -> float:
    """Set the receptive field from which responses to pictures left out are best predicted.

    A coarse grid of centres and sizes, then `N_REFINEMENTS` finer ones around the best.

    Returns
    -------
    explained
        Share of the variance that is predicted from there.
    """
    maps = encoder.maps(pictures)
    width = encoder.size[1] / encoder.size[0]
    tried: dict[tuple[float, ...], float] = {}

    def explained(field: tuple[float, ...]) -> float:
        if field not in tried:
            encoder.field.copy_(torch.tensor(field))
            known = standardise(encoder.pool(maps))[0]
            tried[field] = fit_ridge(known, responses, folds=folds).explained
        return tried[field]

    step = FIELD_STEP
    centres = step * np.arange(-2, 3)
    fields = product(centres.tolist(), (width * centres).tolist(), FIELD_SDS)
    best = max(fields, key=explained)
    for _ in range(N_REFINEMENTS):
        step /= 2
        row, column, sd = best
        shifts = (-step, 0.0, step)
        near = product(shifts, shifts, (0.8, 1.0, 1.25))
        best = max(((row + a, column + b, sd * c) for a, b, c in near), key=explained)
    encoder.field.copy_(torch.tensor(best))
    return tried[best]


def standardise(
    features: Float[Tensor, "picture feature"],
) -> tuple[Float[np.ndarray, "picture feature"], np.ndarray, np.ndarray]:
    """Return features with mean 0 and deviation 1, clipped as the generator does; both moments.

    A feature in which the pictures do not differ is 0, and says nothing.
    """
    values = features.double().numpy()
    mean, sd = values.mean(0), values.std(0)
    sd = np.where(sd > NOTHING, sd, 1.0)
    return ((values - mean) / sd).clip(-MAX_FEATURE, MAX_FEATURE), mean, sd


def _picture_means(signals: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Return the mean window of each picture, in the order of their rows."""
    return np.stack(
        [signals[picture == row].mean(0, dtype=np.float64) for row in np.unique(picture)]
    )
