"""What the probe shows without a picture: 1/f noise, slow waves, gamma, theta, hum, drift.

All is drawn piece by piece: each piece is a stretch of shaped Gaussian noise that fades into the
next with constant power, so that recordings of any length need the memory of one piece.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from phosphene.data.simulate.background import fast_length
from phosphene.data.simulate.laminar_probe import LaminarProbe, current_profile, disc_depths
from phosphene.data.simulate.lfp_settings import LFPSimulation

PIECE = 1 << 16
"""Samples of a piece: 52 s at 1250 Hz. Part of what a seed means."""
FADE = 1 << 13
"""Samples in which a piece fades into the next."""
KNEE = 2.0
"""Below this frequency in Hz the 1/f spectrum levels off."""
FAR_FIELD = 0.4
"""Share of the 1/f background's power that is the same everywhere: it comes from far away."""
N_DIPOLES = 14
"""Places of the rest, evenly along the probe."""
DRIFT_STEP = 5.0
"""Seconds between the points of the drift's walk."""

GAMMA = (
    (45.0, ((0.24, -1.0), (0.08, 0.6), (0.45, 0.4))),
    (55.0, ((0.42, -1.0), (0.25, 0.5), (0.60, 0.5))),
    (36.0, ((0.62, -1.0), (0.40, 0.6), (0.80, 0.4))),
)
"""Centre in Hz and depths of the gamma rhythms of layers 2/3, 4 and 5."""
GAMMA_WIDTH = 6.0
"""Standard deviation of each in Hz."""
SLOW = (((0.62, -1.0), (0.15, 1.0)), ((0.30, -1.0), (0.85, 1.0)))
"""Depths of the slow waves."""

Shape = Callable[[NDArray[np.floating]], NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class LFPBackground:
    """Everything but the pictures.

    Parameters
    ----------
    simulation, probe
        Strengths and channels.
    mixings
        (chan, source) matrices in V by the name of their part.
    """

    simulation: LFPSimulation
    probe: LaminarProbe
    mixings: Mapping[str, NDArray[np.float32]]

    def pieces(
        self, induced: Callable[[int, int], NDArray[np.float32]]
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Draw the recording piece by piece.

        Parameters
        ----------
        induced
            Called with the first and past-the-last sample of a piece; returns the gamma that
            pictures induce (time,), 1 being that of an average picture at its height.

        Yields
        ------
        start
            First sample of the piece.
        signal
            (chan, time) in V.
        """
        simulation, n_samples = self.simulation, self.simulation.n_samples
        n_chans = len(self.probe.depths)
        drift = self._drift_walk()
        hum = _hum(n_chans, simulation)
        shapes = self._shapes()
        tail: NDArray[np.float32] | None = None
        rise = np.sin(np.linspace(0, np.pi / 2, FADE)).astype(np.float32)
        for index, start in enumerate(range(0, n_samples, PIECE)):
            rng = np.random.default_rng([simulation.seed, 13, index])
            rows = _shaped_noise(shapes, PIECE + FADE, sfreq=simulation.sfreq, rng=rng)
            if tail is not None:
                rows[:, :FADE] = rows[:, :FADE] * rise + tail * rise[::-1]
            tail = rows[:, PIECE:].copy()
            n_times = min(PIECE, n_samples - start)
            parts = self._split(rows[:, :n_times])
            _, slow, gamma, _, moods = parts
            slow *= np.exp(0.5 * moods[0] - 0.25)  # mean square 1
            bursts = simulation.gamma * np.exp(0.6 * moods[1:] - 0.36)
            gamma *= bursts + simulation.gamma_induced * induced(start, start + n_times)
            signal = rng.standard_normal((n_chans, PIECE), dtype=np.float32)[:, :n_times]
            signal *= np.float32(simulation.noise)
            for name, part in zip(("pink", "slow", "gamma", "theta"), parts[:4], strict=True):
                signal += self.mixings[name] @ part
            times = np.arange(start, start + n_times) / simulation.sfreq
            signal += drift(times).T.astype(np.float32)
            if simulation.mains_amplitude > 0:
                signal += hum(times)
            yield start, signal

    def _shapes(self) -> list[Shape]:
        """Return the power spectrum of every row of noise, in the order of `_split`."""
        exponent = self.simulation.exponent
        shapes: list[Shape] = [lambda f: (KNEE**2 + f**2) ** (-exponent / 2)] * self._count("pink")
        shapes += [lambda f: np.exp(-0.5 * ((f - 2.2) / 0.7) ** 2)] * self._count("slow")
        shapes += [
            lambda f, c=centre: np.exp(-0.5 * ((f - c) / GAMMA_WIDTH) ** 2) for centre, _ in GAMMA
        ]
        shapes += [lambda f: np.exp(-0.5 * ((f - 7.0) / 0.6) ** 2)]
        shapes += [lambda f: np.exp(-0.5 * (f / 0.15) ** 2)]  # arousal: slow waves come and go
        return shapes + [lambda f: np.exp(-0.5 * (f / 2.0) ** 2)] * len(GAMMA)  # bursts

    def _split(self, rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Part the rows: 1/f, slow waves, gamma, theta, and the logs of their envelopes."""
        counts = [self._count(name) for name in ("pink", "slow", "gamma", "theta")]
        return np.split(rows, np.cumsum(counts))

    def _count(self, name: str) -> int:
        return self.mixings[name].shape[1]

    def _drift_walk(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Return the drift (time, chan) in V as a smooth function of time in s."""
        from scipy.interpolate import make_interp_spline

        simulation = self.simulation
        rng = np.random.default_rng([simulation.seed, 11])
        n_points = int(simulation.n_samples / simulation.sfreq / DRIFT_STEP) + 5
        steps = rng.standard_normal((n_points, len(self.probe.depths))) * np.sqrt(DRIFT_STEP / 300)
        walk = simulation.drift * np.cumsum(steps, axis=0)
        return make_interp_spline(DRIFT_STEP * np.arange(n_points), walk - walk.mean(0), k=3)


def make_lfp_background(simulation: LFPSimulation, probe: LaminarProbe) -> LFPBackground:
    """Place the sources of the background and scale them to their amplitudes at the channels."""
    cortex = probe.in_cortex
    reach = (probe.depths.max() + 0.2e-3) / probe.thickness
    depths = np.linspace(0.02, reach, N_DIPOLES)
    dipoles = [current_profile(probe, ((z, -1.0), (z + 0.2, 1.0)), spread=0.08) for z in depths]
    near = probe.potentials(np.stack(dipoles))
    near = near * np.sqrt((1 - FAR_FIELD) / np.square(near[cortex]).sum(1).mean())
    far = np.full((len(cortex), 1), np.sqrt(FAR_FIELD))
    profiles = {
        "slow": np.stack([current_profile(probe, places) for places in SLOW]),
        "gamma": np.stack([current_profile(probe, places) for _, places in GAMMA]),
    }
    mixings = {name: probe.potentials(profile) for name, profile in profiles.items()}
    mixings = {
        name: mixing / np.sqrt(np.square(mixing[cortex]).sum(1).max())
        for name, mixing in mixings.items()
    }
    ca1 = 1 + 0.3e-3 / probe.thickness
    currents = current_profile(probe, ((ca1, 1.0), (ca1 + 0.35, -1.0)), spread=0.08)[None]
    strongest = np.abs(probe.potentials(currents, at=disc_depths(probe))).max()
    mixings["slow"] = mixings["slow"] * simulation.slow
    mixings["pink"] = np.concatenate([near, far], axis=1) * simulation.background
    mixings["theta"] = probe.potentials(currents) * (simulation.theta / strongest)
    return LFPBackground(
        simulation, probe, {name: mixing.astype(np.float32) for name, mixing in mixings.items()}
    )


def _shaped_noise(
    shapes: list[Shape], n_times: int, *, sfreq: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw (row, time) Gaussian noise of unit variance with the given power spectra."""
    length = fast_length(n_times)
    freqs = np.fft.rfftfreq(length, 1 / sfreq)
    rows = np.empty((len(shapes), n_times), np.float32)
    for row, shape in zip(rows, shapes, strict=True):
        power = shape(freqs)
        power[0] = 0
        amplitude = np.sqrt(power * length / 2 / (2 * power.sum() / length)).astype(np.float32)
        white = rng.standard_normal((len(freqs), 2), dtype=np.float32).view(np.complex64)[:, 0]
        row[:] = np.asarray(scipy.fft.irfft(white * amplitude, length))[:n_times]
    return rows


def _hum(
    n_chans: int, simulation: LFPSimulation
) -> Callable[[NDArray[np.float64]], NDArray[np.float32]]:
    """Return the mains hum (chan, time) in V as a function of time in s."""
    rng = np.random.default_rng([simulation.seed, 12])
    strength = simulation.mains_amplitude * np.exp(0.3 * rng.standard_normal(n_chans))
    frequency = simulation.mains + rng.uniform(-0.02, 0.02)
    phase = rng.uniform(0, 2 * np.pi)

    def hum(times: NDArray[np.float64]) -> NDArray[np.float32]:
        wave = np.sqrt(2) * np.sin(2 * np.pi * frequency * times + phase)
        return np.outer(strength, wave).astype(np.float32)

    return hum
