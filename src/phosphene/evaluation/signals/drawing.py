"""Signals as grey pictures, for networks that know pictures only."""

import numpy as np
from jaxtyping import Float, UInt8

from phosphene._checks import check_positive
from phosphene.evaluation.signals.windows import check_windows


def signals_as_pictures(
    signals: Float[np.ndarray, "window chan time"], *, limit: float = 4.0
) -> UInt8[np.ndarray, "window chan time color"]:
    """Draw windows as grey pictures, channels as height and samples as width (thesis, 4.5).

    The thesis does not say how it scaled them. Here minus `limit` is black, 0 the middle grey and
    plus `limit` white, the same for all sets, and what lies beyond is cut.

    Parameters
    ----------
    signals
        Z-scored windows.
    limit
        In standard deviations.

    Returns
    -------
    pictures
        (window, chan, time, 1), uint8.

    Raises
    ------
    ValueError
        If there is no window, a value is not finite, or `limit` is not above 0.
    """
    check_windows("signals", signals)
    check_positive("limit", limit)
    found = np.empty((*signals.shape, 1), dtype=np.uint8)
    for row, window in enumerate(signals):  # one at a time: no second copy of the set
        grey = (np.asarray(window, dtype=np.float64) / limit + 1) * 127.5
        found[row, ..., 0] = np.rint(grey.clip(0, 255))
    return found
