"""How strong signals are, and what to do about files that name the wrong unit."""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from phosphene import _checks
from phosphene.data.recording import Recording

FAR = 50.0
"""Signals this many times stronger or weaker than others are in another unit, or no EEG."""
NORMAL = 1.4826
"""SD of a normal law over its median absolute deviation."""


def scale_signal(recording: Recording, factor: float) -> Recording:
    """Return the recording with its signal multiplied, as where a file names the wrong unit."""
    _checks.check_positive("scale-signals", factor)
    if factor == 1:
        return recording
    return replace(recording, signal=(recording.signal * factor).astype(np.float32))


def robust_sd(signal: Float[np.ndarray, "*dims chan time"]) -> Float[np.ndarray, " chan"]:
    """Return the standard deviation of each channel, which rare artefacts hardly move."""
    flat = np.moveaxis(np.asarray(signal, dtype=np.float64), -2, 0).reshape(signal.shape[-2], -1)
    centred = flat - np.median(flat, axis=1, keepdims=True)
    return NORMAL * np.median(np.abs(centred), axis=1)


def check_amplitude(
    found: Float[np.ndarray, " chan"],
    expected: Float[np.ndarray, " chan"],
    *,
    source: str,
    unit: str = "V",
    rescale: str = "if the file names the wrong unit, give --scale-signals",
) -> None:
    """Refuse signals that are far stronger or weaker than those a model was trained on.

    Parameters
    ----------
    found
        SD of each channel in `unit`.
    expected
        The same of the training trials.
    source
        What the signals are called.
    unit
        Of both; V is shown as uV.
    rescale
        What to do about a wrong unit, to be followed by the factor; "" where nothing can be done.

    Raises
    ------
    ValueError
        When the median ratio lies beyond `FAR`, with the factor that a wrong unit calls for.
    """
    ratio = float(np.median(found / expected))
    if 1 / FAR < ratio < FAR:
        return
    shown, times = ("uV", 1e6) if unit == "V" else (unit, 1.0)
    size = f"{np.median(found) * times:.3g} {shown}; the training trials had "
    size += f"{np.median(expected) * times:.3g} {shown}"
    remedy = "check its unit and the amplifier."
    if rescale and ratio > 0 and math.isfinite(ratio):
        power = -3 * round(math.log10(ratio) / 3)
        if power and 1 / FAR < ratio * 10.0**power < FAR:
            remedy = f"{rescale} 1e{power}."
    raise ValueError(
        f"signals must be about as strong as the training trials; the SD of {source} is {size}; "
        f"{remedy}"
    )
