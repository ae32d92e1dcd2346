"""What the cortex answers to a picture: components weighed by its class and its pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phosphene.data.simulate.head_model import CORTEX, LeadField, cortex_directions, cortex_names

# place, latency in s, width (standard deviation) in s, moment common to all pictures in A m;
# a positive moment points outwards and makes the scalp above it positive.
COMPONENTS: tuple[tuple[str, float, float, float], ...] = (
    ("occipital", 0.100, 0.016, 18e-9),  # P1
    ("occipital", 0.210, 0.030, 10e-9),  # P2
    ("lateral occipital", 0.120, 0.018, 14e-9),
    ("lateral occipital", 0.190, 0.026, -12e-9),
    ("ventral temporal", 0.165, 0.020, -26e-9),  # N170
    ("ventral temporal", 0.260, 0.034, -8e-9),  # N250
    ("anterior temporal", 0.310, 0.040, 5e-9),
    ("parietal", 0.230, 0.032, 8e-9),
    ("parietal", 0.370, 0.048, 22e-9),  # P3
    ("frontal", 0.180, 0.026, 8e-9),
    ("frontal", 0.400, 0.048, 6e-9),
)
"""Each component has a left and a right source that share latency and width."""

GAZE = ((0.24, 0.045), (0.42, 0.055))
"""Latency and width in s of the small eye movements that follow a picture."""

CLASS_MOMENT = 10e-9
"""Standard deviation of a source's moment over classes and pictures at effect 1, in A m."""

N_PICTURE_COMPONENTS = 8
"""Principal components of the pictures that drive the sources."""

LATENCY_SD = 0.006
"""Standard deviation of a subject's latency shift in s."""


@dataclass(frozen=True)
class Responses:
    """Linear model of the evoked response: a picture's weights times a subject's basis.

    Parameters
    ----------
    basis
        (subject, response, chan, time) in V: what a unit weight adds to the channels.
    weights
        (picture, response) at effect 1; the rows of pictures that were never shown are zero.
    common
        (response,) weights of the onset response that all pictures share; it carries no class.
    places
        (response,) index of the response's place in `CORTEX`.
    gaze
        (movement, chan, time): eye movements after the onset, 1 where they are strongest.
    """

    basis: NDArray[np.float64]
    weights: NDArray[np.float64]
    common: NDArray[np.float64]
    places: NDArray[np.int64]
    gaze: NDArray[np.float64]


def make_responses(
    lead_field: LeadField,
    weights: np.ndarray,
    *,
    sfreq: float,
    duration: float,
    n_subjects: int,
    subject_sd: float,
    seed: int,
) -> Responses:
    """Give every subject a basis: the same anatomy with his own gains, orientations and latencies.

    Parameters
    ----------
    lead_field
        From `load_lead_field`.
    weights
        (picture, response) from `picture_weights`.
    sfreq
        Sampling rate in Hz.
    duration
        Length of a response in s; it is exactly zero outside.
    n_subjects
        Subjects.
    subject_sd
        How much subjects differ: standard deviation of log gain and of the tilt of dipoles in
        radians.
    seed
        Same seed, same brains.
    """
    rng = np.random.default_rng([seed, 1])
    names = cortex_names()
    sources = [names.index(f"{c[0]} {side}") for c in COMPONENTS for side in ("right", "left")]
    upright = cortex_directions()
    upright = upright + 0.4 * rng.standard_normal(upright.shape)
    basis = []
    for _ in range(n_subjects):
        tilted = upright + subject_sd * rng.standard_normal(upright.shape)
        tilted /= np.linalg.norm(tilted, axis=1, keepdims=True)
        gains = np.exp(subject_sd * (rng.standard_normal() + rng.standard_normal(len(names))))
        topography = np.einsum("sa,sac->sc", gains[:, None] * tilted, lead_field.cortex)
        shift = LATENCY_SD * rng.standard_normal()
        moments = [(c[1] + shift, c[2]) for c in COMPONENTS]
        courses = np.repeat(_time_courses(moments, sfreq=sfreq, duration=duration), 2, axis=0)
        basis.append(CLASS_MOMENT * topography[sources][:, :, None] * courses[:, None, :])
    turns = _time_courses(GAZE, sfreq=sfreq, duration=duration)
    gaze = lead_field.gaze[:, None, :, None] * turns[:, None, :]
    return Responses(
        basis=np.array(basis),
        weights=weights,
        common=np.repeat([c[3] for c in COMPONENTS], 2) / CLASS_MOMENT,
        places=np.repeat([list(CORTEX).index(c[0]) for c in COMPONENTS], 2),
        gaze=gaze.reshape(-1, *gaze.shape[2:]),
    )


def n_responses() -> int:
    """Return how many responses (source and time course) a picture weighs."""
    return 2 * len(COMPONENTS)


def picture_weights(
    pixels: np.ndarray,
    labels: np.ndarray,
    *,
    shown: np.ndarray,
    share: float,
    seed: int,
) -> NDArray[np.float64]:
    """Draw the weights of every picture: one part of its class, one linear in its pixels.

    Parameters
    ----------
    pixels
        (picture, height, width, color).
    labels
        (picture,) classes, counted from 0.
    shown
        (picture,) True where the picture is shown; the others get zeros.
    share
        Share of the variance that the picture itself drives, from 0 to 1.
    seed
        Same seed, same weights.

    Returns
    -------
    weights
        (picture, response), of unit variance over the shown pictures.
    """
    rng = np.random.default_rng([seed, 2])
    of_class = rng.standard_normal((int(labels.max()) + 1, n_responses()))
    of_class = (of_class - of_class.mean(0)) / of_class.std(0).clip(min=1e-12)
    projection = rng.standard_normal((N_PICTURE_COMPONENTS, n_responses()))
    seen = _principal_components(pixels[shown], N_PICTURE_COMPONENTS)
    of_picture = seen @ projection[: seen.shape[1]] / np.sqrt(max(seen.shape[1], 1))
    weights = np.zeros((len(labels), n_responses()))
    weights[shown] = np.sqrt(1 - share) * of_class[labels[shown]] + np.sqrt(share) * of_picture
    return weights


def _principal_components(pixels: np.ndarray, n_components: int) -> np.ndarray:
    """Return the leading components of coarse grey pictures, each scaled to unit variance."""
    n, height, width, _ = pixels.shape
    rows, columns = (max(1, size // 16) for size in (height, width))
    grey = pixels.mean(-1)[:, : height // rows * rows, : width // columns * columns]
    coarse = grey.reshape(n, height // rows, rows, width // columns, columns).mean((2, 4))
    flat = coarse.reshape(n, -1) - coarse.reshape(n, -1).mean(0)
    _, axes = np.linalg.eigh(flat.T @ flat)
    axes = axes[:, ::-1][:, :n_components]
    axes *= np.where(
        axes[np.abs(axes).argmax(0), range(axes.shape[1])] < 0, -1, 1
    )  # no sign lottery
    scores = flat @ axes
    scale = scores.std(0)
    return scores[:, scale > 1e-9] / scale[scale > 1e-9]


def _time_courses(
    moments: Sequence[tuple[float, float]], *, sfreq: float, duration: float
) -> np.ndarray:
    """Return (moment, time) bumps of given latency and width that are zero at both ends."""
    times = np.arange(round(duration * sfreq)) / sfreq
    ramp = np.clip(np.minimum(times, times[-1] - times) / 0.05, 0, 1)
    taper = np.sin(np.pi / 2 * ramp) ** 2
    latencies, widths = np.array(moments).T[..., None]
    return taper * np.exp(-0.5 * ((times - latencies) / widths) ** 2)
