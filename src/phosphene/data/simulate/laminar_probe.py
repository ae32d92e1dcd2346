"""A probe that crosses the layers of the cortex, and what it records of currents at each depth.

Synapses draw current into cells (a sink) that leaves them elsewhere (a source). Cells of one layer
that are active together make discs of sinks and sources, whose potential on the axis of the discs
is ``phi(z) = 1 / (2 sigma) * integral of C(z') (sqrt((z - z')**2 + R**2) - |z - z'|) dz'``
(Nicholson and Freeman, J. Neurophysiology 38, 1975; Pettersen et al., J. Neuroscience Methods 154,
2006, https://doi.org/10.1016/j.jneumeth.2005.12.005). The conductivity is taken to be the same
everywhere; the jump at the surface of the brain is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phosphene.data.simulate.lfp_settings import AREA, OTHER_AREA, LFPSimulation

CONDUCTIVITY = 0.3
"""Of grey matter, in S/m (Goto et al., J. Neurophysiology 104, 2010)."""
DISC_RADIUS = 0.3e-3
"""Radius in m of the patch of cortex that is active together."""
THICKNESS = (0.6e-3, 1.2e-3)
"""Thinnest and thickest cortex in m that channels may span; mouse V1 has 0.9 mm."""
WHITE_MATTER = 0.25e-3
"""From the deepest channel of the cortex to the first one of the hippocampus in m."""
STEP = 5e-6
"""Distance of the discs in m."""
TIP = 200
"""From the probe's tip to the deepest channel in um."""

LAYERS = {
    "1": (0.0, 0.13),
    "2/3": (0.13, 0.36),
    "4": (0.36, 0.49),
    "5": (0.49, 0.73),
    "6": (0.73, 1.0),
}
"""Upper and lower border of the layers of mouse V1 as shares of its thickness."""


@dataclass(frozen=True, eq=False)
class LaminarProbe:
    """Channels along a line through the cortex, deepest first, as published files list them.

    Parameters
    ----------
    depths
        (chan,) in m below the surface of the brain.
    areas
        (chan,) where each channel lies.
    thickness
        Of the cortex in m.
    """

    depths: NDArray[np.floating]
    areas: tuple[str, ...]
    thickness: float

    @property
    def in_cortex(self) -> NDArray[np.bool_]:
        """Which channels lie in the visual cortex."""
        return np.array([area == AREA for area in self.areas])

    @property
    def vertical_positions(self) -> NDArray[np.int64]:
        """Micrometers of each channel from the tip of the probe, growing towards the surface."""
        return TIP + np.round((self.depths.max() - self.depths) * 1e6).astype(np.int64)

    def potentials(
        self, currents: NDArray[np.float64], *, at: NDArray[np.floating] | None = None
    ) -> NDArray[np.float64]:
        """Return the potential (chan, profile) in V of current densities (profile, disc) in A/m³.

        `at` are depths in m to take it at instead of the channels'.
        """
        depths = self.depths if at is None else at
        away = np.abs(depths[:, None] - disc_depths(self)[None])
        kernel = STEP / (2 * CONDUCTIVITY) * (np.hypot(away, DISC_RADIUS) - away)
        return kernel @ currents.T


def make_probe(simulation: LFPSimulation) -> LaminarProbe:
    """Place the channels.

    Raises
    ------
    ValueError
        When the channels in the cortex would span more or less than a cortex.
    """
    thickness = simulation.n_chans * simulation.spacing
    if not THICKNESS[0] <= thickness <= THICKNESS[1]:
        raise ValueError(
            f"`n_chans` channels {simulation.spacing * 1e6:g} um apart must span a mouse's cortex, "
            f"{THICKNESS[0] * 1e3:g} to {THICKNESS[1] * 1e3:g} mm; {simulation.n_chans} of them "
            f"span {thickness * 1e3:.3g} mm; change `n_chans` or `spacing`."
        )
    cortex = simulation.spacing * (np.arange(simulation.n_chans) + 0.5)
    below = simulation.spacing * np.arange(simulation.other_channels)
    depths = np.concatenate([cortex, thickness + WHITE_MATTER + below])[::-1]
    areas = (OTHER_AREA,) * simulation.other_channels + (AREA,) * simulation.n_chans
    return LaminarProbe(depths.copy(), areas, thickness)


def disc_depths(probe: LaminarProbe) -> NDArray[np.float64]:
    """Return the depths of the discs in m, from the surface to 0.5 mm below the last channel."""
    deepest = max(probe.depths.max(), probe.thickness) + 0.5e-3
    return np.arange(STEP / 2, deepest, STEP)


def current_profile(
    probe: LaminarProbe, places: Sequence[tuple[float, float]], *, spread: float = 0.07
) -> NDArray[np.float64]:
    """Return a current density (disc,) that is balanced: what enters the cells leaves them.

    Parameters
    ----------
    probe
        Where the discs are.
    places
        Depth as a share of the cortex' thickness, and strength: sinks are negative.
    spread
        Standard deviation of each in depth, as a share of the thickness.
    """
    z = disc_depths(probe) / probe.thickness
    bumps = np.stack([np.exp(-0.5 * ((z - depth) / spread) ** 2) for depth, _ in places])
    strengths = np.array([strength for _, strength in places])
    current = (strengths / bumps.sum(1)) @ bumps
    positive, negative = current.clip(min=0), current.clip(max=0)
    if not positive.any() or not negative.any():
        raise ValueError(
            f"currents that enter must leave: `places` needs sinks and sources; got {places}; "
            "add what is missing."
        )
    return positive / positive.sum() + negative / -negative.sum()
