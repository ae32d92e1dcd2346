"""The true mean response to each picture, where a simulator knows it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phosphene import _checks
from phosphene._checks.arrays import read_npz

TRUE_RESPONSES = "true_responses"
"""Name of the data set's extra array: ``(picture, chan, time)`` in V, rows as in its ImageSet."""
KEYS = {"responses": "biuf", "stimulus": "U", "sfreq": "biuf"}
RATE_TOLERANCE = 1e-3


def read_true_responses(
    path: Path,
    *,
    stimuli: Sequence[str],
    columns: Sequence[int],
    n_columns: int,
    n_times: int,
    sfreq: float,
) -> np.ndarray:
    """Read true mean responses in the order of the pictures and channels of a data set.

    Parameters
    ----------
    path
        An .npz file with ``responses`` (picture, chan, time) in V, the channels as in the probe
        file, ``stimulus`` (the picture of each row) and ``sfreq`` in Hz.
    stimuli
        The data set's pictures, in order; each must have a row.
    columns
        Channel of the probe file behind each channel of the data set.
    n_columns
        Channels of the probe file.
    n_times
        Samples of the data set's windows, which `responses` must have too.
    sfreq
        Rate of the data set; the file's may differ by a thousandth, as a clock's does.

    Returns
    -------
    np.ndarray
        ``(picture, chan, time)`` float32 in V.

    Raises
    ------
    ValueError
        For an .npz file that is damaged or holds other arrays, shapes or rates, or lacks a picture.
    """
    arrays = read_npz(Path(path))
    name = Path(path).name
    for key, kinds in KEYS.items():
        if key not in arrays or arrays[key].dtype.kind not in kinds:
            raise ValueError(
                f"true responses are an .npz file with {', '.join(KEYS)}; {name} lacks {key}, or it"
                " holds something else; write the file again."
            )
    responses, names = arrays["responses"], arrays["stimulus"]
    _checks.check_shape(
        f"responses of {name}",
        responses.shape,
        (names.shape[0] if names.ndim == 1 else -1, n_columns, n_times),
        "picture chan time",
    )
    _checks.check_finite(f"responses of {name}", responses)
    rate = arrays["sfreq"]
    if rate.size != 1 or not abs(float(rate.reshape(())) - sfreq) <= RATE_TOLERANCE * sfreq:
        raise ValueError(
            f"true responses must have the rate of the windows, {sfreq:g} Hz; {name} has "
            f"{rate.tolist()}; set --resample to it or write the file again."
        )
    row_of = {str(stimulus): row for row, stimulus in enumerate(names)}
    missing = [stimulus for stimulus in stimuli if stimulus not in row_of]
    if missing or len(row_of) < len(names):
        said = f"{missing[0]} is missing" if missing else "some stand there twice"
        raise ValueError(
            f"each picture needs one true response; in {name} {said}; write the file again."
        )
    rows = [row_of[stimulus] for stimulus in stimuli]
    return responses[rows][:, list(columns)].astype(np.float32)
