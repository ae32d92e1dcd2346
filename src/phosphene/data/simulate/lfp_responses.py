"""How the layers answer to pictures: sinks and sources, their time courses, what drives them.

First a sink in layer 4, 40 to 60 ms after the picture comes, where the thalamus ends; then layers
2/3, 5 and 6, late a feedback sink in layer 1 and a slow rebound (Niell and Stryker 2008; Senzai et
al., Neuron 101, 2019, https://doi.org/10.1016/j.neuron.2018.12.009). All pictures share that
course. What tells them apart is how strongly their contrast, luminance, scales and orientations
drive each population: `response = common + effect * weights @ basis`, exactly, so that the mean
response of every picture is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phosphene.data.simulate.laminar_probe import LaminarProbe, current_profile
from phosphene.data.simulate.lfp_settings import FRAME, FRAMES_PER_SHOWING, LFPSimulation
from phosphene.data.simulate.oriented_filters import FEATURES, FREQUENCIES, N_ORIENTATIONS

DURATION = 0.4
"""Seconds after which a response is over; it runs into the next showing."""
TAPER = 0.08
"""Seconds of its end in which it fades."""
GREY_SHARE = 0.3
"""Answer to grey, as a share of the common response: the picture before has gone."""
MAX_DRIVE = 3.0
"""Drives saturate at this many standard deviations."""

_COARSE, _MIDDLE, _FINE = (f"scale {frequency:g} c/deg" for frequency in FREQUENCIES)


@dataclass(frozen=True, kw_only=True)
class Population:
    """Cells that draw current at some depths, after some time, driven by some features.

    Parameters
    ----------
    places
        Depth (share of the cortex) and strength of sinks (negative) and sources.
    onset, peak
        Seconds after the picture.
    common
        Largest potential of what all pictures share, relative to the others.
    drives
        Weight of each feature, in the same unit, per standard deviation of the feature.
    slope
        Take the time course's slope: the drive then makes the response earlier.
    """

    places: tuple[tuple[float, float], ...]
    onset: float
    peak: float
    common: float
    drives: Mapping[str, float] = field(default_factory=dict)
    slope: bool = False


def _orientation_populations() -> list[Population]:
    """Return layer 2/3, whose cells of different orientations lie and fire a little apart."""
    return [
        Population(
            places=((0.17 + 0.03 * index, -1.0), (0.05, 0.6), (0.42, 0.4)),
            onset=0.050 + 0.003 * index,
            peak=0.082 + 0.009 * ((index * 5) % N_ORIENTATIONS),
            common=0.16,
            drives={FEATURES[2 + len(FREQUENCIES) + index]: 0.32},
        )
        for index in range(N_ORIENTATIONS)
    ]


_L4 = ((0.42, -1.0), (0.24, 0.5), (0.62, 0.5))
POPULATIONS = (
    Population(places=_L4, onset=0.042, peak=0.063, common=1.0, drives={"contrast": 0.5}),
    Population(
        places=_L4, onset=0.042, peak=0.063, common=0.0, drives={"contrast": 0.25}, slope=True
    ),
    Population(
        places=((0.36, -1.0), (0.12, 1.0)),
        onset=0.045,
        peak=0.075,
        common=0.1,
        drives={"luminance": 0.35},
    ),
    *_orientation_populations(),
    Population(
        places=((0.62, -1.0), (0.30, 0.6), (0.85, 0.4)),
        onset=0.052,
        peak=0.105,
        common=0.5,
        drives={_COARSE: 0.3, "contrast": 0.2},
    ),
    Population(
        places=((0.85, -1.0), (0.66, 0.5), (0.98, 0.5)),
        onset=0.048,
        peak=0.090,
        common=0.3,
        drives={_FINE: 0.3},
    ),
    Population(
        places=((0.06, -1.0), (0.28, 1.0)),
        onset=0.090,
        peak=0.165,
        common=0.35,
        drives={"luminance": -0.3, _MIDDLE: 0.2},
    ),
    Population(
        places=((0.62, 1.0), (0.15, -1.0)),
        onset=0.110,
        peak=0.205,
        common=0.45,
        drives={"contrast": 0.3},
    ),
)
"""Who answers; weights are chosen here, not measured, so that all features leave a trace."""

GAMMA_DRIVES = {"contrast": 0.8, _COARSE: 0.4, "luminance": -0.45}
"""What makes a picture's gamma strong, per standard deviation of each feature; length 1."""


@dataclass(frozen=True, eq=False)
class LFPResponses:
    """The deterministic part of every showing.

    Parameters
    ----------
    evoked
        (picture, chan, time) in V, of `DURATION`; the last row answers to grey.
    gamma
        (picture,) amplitude of the induced gamma relative to an average picture; grey has 0.
    common
        (chan, time) in V: the part that all pictures share.
    """

    evoked: NDArray[np.float32]
    gamma: NDArray[np.float64]
    common: NDArray[np.float64]

    def true_means(self, *, n_times: int, sfreq: float) -> NDArray[np.float32]:
        """Return (picture, chan, time) in V: the mean of a showing's window in random order.

        Before it answers, cortex still shows the end of its answer to the showing before, on
        average that to any picture or grey. Gamma has no fixed phase and averages to nothing.
        """
        step = FRAMES_PER_SHOWING * FRAME * sfreq  # samples from showing to showing
        mean = self.evoked.mean(0, dtype=np.float64)
        whole, part = int(step), step % 1
        tail = np.zeros((mean.shape[0], n_times))
        for offset, share in ((whole, 1 - part), (whole + 1, part)):  # onsets are rounded
            rest = mean[:, offset : offset + n_times]
            tail[:, : rest.shape[1]] += share * rest
        return (self.evoked[:-1, :, :n_times] + tail).astype(np.float32)


def standardise(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (picture, feature) with mean 0 and standard deviation 1 over pictures, clipped.

    A feature in which the pictures do not differ drives nothing.
    """
    spread = features.std(0)
    same = spread < 1e-9
    drives = (features - features.mean(0)) / np.where(same, 1.0, spread)
    return np.where(same, 0.0, drives).clip(-MAX_DRIVE, MAX_DRIVE)


def make_responses(
    simulation: LFPSimulation, probe: LaminarProbe, features: NDArray[np.float64]
) -> LFPResponses:
    """Return how the probe answers to each picture.

    Parameters
    ----------
    simulation
        Strengths.
    probe
        Its channels.
    features
        (picture, feature) from `picture_features`.
    """
    drives = standardise(features)
    n_times = round(DURATION * simulation.sfreq)
    times = np.arange(n_times) / simulation.sfreq
    basis = np.stack([_potential(population, probe, times) for population in POPULATIONS])
    common = np.einsum("k,kct->ct", [population.common for population in POPULATIONS], basis)
    mixing = np.array(
        [[population.drives.get(name, 0.0) for name in FEATURES] for population in POPULATIONS]
    )
    specific = np.einsum("pf,kf,kct->pct", drives, mixing, basis)

    cortex, window = probe.in_cortex, simulation.n_times
    common *= simulation.evoked / np.abs(common[cortex]).max()
    power = np.square(common[cortex, :window]).mean()
    found = np.square(specific[:, cortex, :window]).mean()
    share = simulation.picture_share
    if found > 0:
        specific *= np.sqrt(share / (1 - share) * power / found)
    evoked = np.concatenate([common + simulation.effect * specific, [GREY_SHARE * common]])

    weights = np.array([GAMMA_DRIVES.get(name, 0.0) for name in FEATURES])
    tuning = simulation.effect * simulation.gamma_tuning * (drives @ weights)
    gamma = np.append(np.exp(tuning.clip(-2, 2)), 0.0)
    return LFPResponses(evoked.astype(np.float32), gamma, common)


def _potential(
    population: Population, probe: LaminarProbe, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (chan, time): the population's potential, 1 where it is largest in the cortex."""
    depth = probe.potentials(current_profile(probe, population.places)[None])[:, 0]
    course = _time_course(times, onset=population.onset, peak=population.peak)
    if population.slope:
        course = np.gradient(course, times)
        course = course / np.abs(course).max()
    return (depth / np.abs(depth[probe.in_cortex]).max())[:, None] * course


def _time_course(times: NDArray[np.float64], *, onset: float, peak: float) -> NDArray[np.float64]:
    """Return (time,): 0 until the onset, 1 at the peak, then a slower decay to 0."""
    since = np.maximum((times - onset) / (peak - onset), 0.0)
    fade = np.clip((DURATION - times) / TAPER, 0.0, 1.0)
    return (since * np.exp(1 - since)) ** 2 * np.sin(np.pi / 2 * fade) ** 2
