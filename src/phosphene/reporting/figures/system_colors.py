"""One colour for each system that makes signals, the same in all figures of a report."""

from phosphene.reporting.figures.palette import INK, LIGHT
from phosphene.reporting.signal_contents import REAL

KNOWN = {
    REAL: INK,
    "autoencoder": LIGHT[2],
    "pre-trained GAN": LIGHT[0],
    "GAN": LIGHT[1],
    "pre-trained GAN without pictures": LIGHT[5],
    "GAN without pictures": LIGHT[4],
    "phase-randomised": LIGHT[3],
    "noise": LIGHT[8],
}
FREE = (LIGHT[7], LIGHT[6])
"""For systems that a recipe names itself."""


def system_color(name: str) -> str:
    """Return the hexadecimal colour of a system; names that are not known share two."""
    return KNOWN.get(name) or FREE[sum(name.encode()) % len(FREE)]
