"""How far epochs can be thinned without a filter."""

from collections.abc import Mapping
from typing import Any

from phosphene._checks import check_positive

OVERSAMPLING = 2.1
"""Least rate that is left, over the upper edge of the band."""
ENOUGH_HZ = 64.0
"""About the rate that linear baselines are thinned to where the band allows it."""


def thinning_step(sfreq: int | float, *, edge: int | float | None) -> int:
    """Return every how many samples can be taken so that nothing in the band folds back.

    That is the step nearest to 64 Hz, or the largest that leaves 2.1 times the band's upper edge if
    that is less. Without a known edge, or with one that the rate itself does not hold, every sample
    is taken.

    Parameters
    ----------
    sfreq
        Sampling rate of the epochs, Hz.
    edge
        Frequency above which the epochs were low-passed, Hz; None if nobody knows.
    """
    check_positive("sfreq", sfreq)
    if edge is None:
        return 1
    check_positive("edge", edge)
    return max(1, min(round(sfreq / ENOUGH_HZ), int(sfreq / (OVERSAMPLING * edge))))


def baseline_step(preprocessing: Mapping[str, Any], *, sfreq: int | float) -> int:
    """Return every how many samples linear baselines see of trials that were cut so.

    Parameters
    ----------
    preprocessing
        `Trials.preprocessing`; where it does not say the band, every sample is taken.
    sfreq
        Sampling rate of the epochs, Hz.
    """
    settings = preprocessing.get("settings")
    band = settings.get("band") if isinstance(settings, Mapping) else None
    return thinning_step(sfreq, edge=float(band[1]) if band else None)
