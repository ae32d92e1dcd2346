"""The same trials cut from the recordings again, in another window or through another filter."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from phosphene.data.dataset import Dataset, load_recordings
from phosphene.data.preprocess import BUTTERWORTH_ORDER, cut_epochs
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.recording import Recording
from phosphene.data.trials import Trials
from phosphene.experiment.controls.control import ControlNotPossibleError
from phosphene.export.spec import preprocessing_from

MIN_SHARE = 0.5
"""Least share of the trials that another window must leave."""
GAP = 2
"""Samples left out before the onset, for what resampling spreads in time."""
MAX_RATE = 256.0
"""Rate in Hz that recordings are brought to before filters are compared, where theirs is higher."""
ROOM = 0.45
"""Highest edge of a band, over the rate."""
BANDS: dict[str, tuple[float, float] | None] = {
    "no filter": None,
    "1-45 Hz": (1.0, 45.0),
    "5-95 Hz": (5.0, 95.0),
    "14-70 Hz": (14.0, 70.0),
}
"""Filters of published systems (14-70 Hz: Spampinato et al. 2017; 5-95 Hz: their critics)."""


def recordings_of(dataset: Dataset) -> list[Recording]:
    """Return the recordings that the trials were cut from.

    Raises
    ------
    ControlNotPossibleError
        If the data set keeps none, or does not say how its trials were cut.
    """
    found = [] if dataset.path is None else load_recordings(dataset.path)
    if not found:
        raise ControlNotPossibleError(
            "the data set holds windows without their recordings, so no other window and no other "
            "filter can be had"
        )
    if "settings" not in dataset.trials.preprocessing or not dataset.info["events"]:
        raise ControlNotPossibleError("the data set does not say how its trials were cut")
    return found


def cutting(dataset: Dataset) -> Preprocessing:
    """Return the settings that the trials were cut with."""
    spec = {"preprocessing": dataset.trials.preprocessing, "sfreq": dataset.trials.sfreq}
    return preprocessing_from(spec, path=Path(dataset.name))


def cut_again(
    dataset: Dataset, recordings: Sequence[Recording], preprocessing: Preprocessing
) -> tuple[Trials, np.ndarray]:
    """Cut the trials of a data set again.

    Parameters
    ----------
    dataset
        Data set.
    recordings
        What to cut from: its own, perhaps filtered.
    preprocessing
        Settings; rejected by size is nothing, so that the trials stay those of the data set.

    Returns
    -------
    trials
        With the labels and names of the data set's trials.
    rows
        The position of each in the data set: a window that leaves its recording is not there.

    Raises
    ------
    ControlNotPossibleError
        If fewer than half are left, or the recordings do not allow these settings.
    """
    settings = replace(preprocessing, reject=None, margin=0.0)
    try:
        cut, _ = cut_epochs(recordings, settings, events=dataset.info["events"])
    except ValueError as error:
        raise ControlNotPossibleError(f"the recordings cannot be cut so: {error}") from None
    place = {key: row for row, key in enumerate(_keys(dataset.trials))}
    found = [(place[key], row) for row, key in enumerate(_keys(cut)) if key in place]
    rows = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    if len(rows) < MIN_SHARE * len(dataset.trials):
        raise ControlNotPossibleError(
            f"another window leaves {len(rows)} of {len(dataset.trials)} trials inside their "
            "recordings, fewer than half"
        )
    table = dataset.trials.table.iloc[rows[:, 0]].reset_index(drop=True)
    epochs = cut.epochs_with_margin[rows[:, 1]]
    return replace(cut, epochs_with_margin=epochs, table=table), rows[:, 0]


def _keys(trials: Trials) -> list[tuple[str, float, str]]:
    table = trials.table
    names = zip(table["recording"], table["onset"], table["class_name"], strict=True)
    return [(str(recording), float(onset), str(name)) for recording, onset, name in names]


def pre_stimulus(dataset: Dataset) -> tuple[Trials, np.ndarray]:
    """Cut a window as long as the trials' that ends at the onset, as `cut_again` does.

    It is filtered forwards only. A zero-phase filter, as trials are cut with, spreads the response
    into the time before it: with a lower edge of 1 Hz for about half a second.
    """
    settings = cutting(dataset)
    recordings = recordings_of(dataset)
    length = dataset.trials.n_times / dataset.trials.sfreq
    end = -GAP / dataset.trials.sfreq
    if settings.band is not None:
        recordings = [forward_filtered(each, settings.band) for each in recordings]
    before = replace(settings, band=None, notch=None, tmin=end - length, tmax=end, baseline=None)
    trials, rows = cut_again(dataset, recordings, before)
    stored = {**trials.preprocessing["settings"], "band": settings.band}  # decides the thinning
    return replace(trials, preprocessing={**trials.preprocessing, "settings": stored}), rows


def forward_filtered(recording: Recording, band: tuple[float, float]) -> Recording:
    """Band-pass a recording by the Butterworth filter of its trials, forwards only."""
    from scipy import signal

    if band[1] >= recording.sfreq / 2:
        raise ControlNotPossibleError(
            f"{recording.source} has {recording.sfreq:g} Hz, too little for {band[1]:g} Hz"
        )
    sos = signal.butter(BUTTERWORTH_ORDER, band, "bandpass", fs=recording.sfreq, output="sos")
    samples = recording.signal.astype(np.float64)
    at_rest = signal.sosfilt_zi(sos)[:, None, :] * samples[:, :1]  # (section, chan, 2)
    filtered, _ = signal.sosfilt(sos, samples, zi=at_rest)
    return replace(recording, signal=filtered.astype(np.float32))


def sweep_band(name: str, *, sfreq: float) -> tuple[float, float] | None:
    """Return the edges of a key of `BANDS`, the upper one lowered to what the rate holds.

    Raises
    ------
    ControlNotPossibleError
        If less than an octave is left.
    """
    band = BANDS[name]
    if band is None:
        return None
    high = min(band[1], ROOM * sfreq)
    if high < 2 * band[0]:
        raise ControlNotPossibleError(
            f"{name} needs recordings of more than {2 * band[0] / ROOM:.0f} Hz; they have "
            f"{sfreq:g} Hz"
        )
    return band[0], high


def sweep_rate(recordings: Sequence[Recording]) -> float:
    """Return the rate that filters are compared at: that of the slowest recording, or less."""
    return float(min(MAX_RATE, *(each.sfreq for each in recordings)))


def through_band(dataset: Dataset, name: str) -> tuple[Trials, np.ndarray]:
    """Cut the trials through a key of `BANDS`, as `cut_again` does."""
    recordings = recordings_of(dataset)
    rate = sweep_rate(recordings)
    band = sweep_band(name, sfreq=rate)
    resample = None if all(each.sfreq == rate for each in recordings) else rate
    settings = replace(cutting(dataset), band=band, notch=None, resample=resample, baseline=None)
    return cut_again(dataset, recordings, settings)
