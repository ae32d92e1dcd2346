"""Showings of pictures: their windows, and splits that keep pictures apart."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene.data.preprocess import cut_epochs
from phosphene.data.preprocessing import LFP_WINDOW, Preprocessing
from phosphene.data.recording import Recording
from phosphene.data.splits import SEAM, STIMULUS, Fold, Split
from phosphene.data.trials import Trials

SHOWN = "shown"
"""Event code of a showing of a picture."""
GREY = "grey"
"""Event code of a showing of the grey screen."""
NATURAL_SCENE = "natural scene"
"""The one class of all pictures."""
PICTURES = "pictures"
"""Key of the one fold of a split by picture."""


def lfp_preprocessing() -> Preprocessing:
    """Return how windows are cut by default: `LFP_WINDOW`."""
    return LFP_WINDOW


def cut_showings(recording: Recording, preprocessing: Preprocessing) -> tuple[Trials, pd.DataFrame]:
    """Cut the window after the onset of each showing of a picture.

    The window of `LFP_WINDOW`, 0.2504 s, is the LFPGAN thesis' 313 samples at 1250 Hz. Allen
    sessions show a picture every 0.25021 s, so that the windows of neighbours may share one sample.

    Parameters
    ----------
    recording
        With events of the codes `SHOWN` and `GREY`, the former with ``stimulus``.
    preprocessing
        Settings; without filters and new rate the signal is read from its memory map, not copied.

    Returns
    -------
    trials, rejected
        As `cut_epochs` does; one class, `NATURAL_SCENE`.

    Raises
    ------
    ValueError
        When there are no showings, a window reaches beyond the next onset by more than one sample,
        or all windows are rejected.
    """
    _check_next_onset(recording, preprocessing)
    return cut_epochs([recording], preprocessing, events={SHOWN: NATURAL_SCENE})


def picture_split(trials: Trials, *, test_share: float = 0.2, seed: int) -> Split:
    """Keep pictures apart: all showings of some test, all showings of the others train.

    Of 118 pictures at a share of 0.2, 94 train and 24 test, as in the LFPGAN thesis (section 3.2),
    which does not say which. Windows of pictures that were shown back to back may share one sample;
    the split's `doubt` says of how many test windows that is so. The brain's response to a picture
    also outlasts its window: what the split keeps apart are pictures and samples.

    Parameters
    ----------
    trials
        Each names its picture in ``stimulus``.
    test_share
        Share of the pictures that test, above 0 and below 1; rounded to whole pictures.
    seed
        Of the shuffle of the pictures' sorted names.

    Returns
    -------
    Split
        Of unit "stimulus" with the one fold "pictures".

    Raises
    ------
    ValueError
        When a trial names no picture, a side would have none, or windows of the two sides share
        more than one sample.
    """
    _checks.check_share("test_share", test_share, below_one=True)
    stimuli = trials.table["stimulus"].to_numpy(dtype=str)
    if (stimuli == "").any():
        raise ValueError(
            f"a split by picture needs the picture of every trial; {int((stimuli == '').sum())} of "
            f"{len(trials)} trials name none; import the data with their pictures."
        )
    names = np.unique(stimuli)
    n_test = round(len(names) * test_share)
    if not 0 < n_test < len(names):
        raise ValueError(
            f"a split by picture needs pictures on both sides; a share of {test_share:g} of "
            f"{len(names)} pictures leaves {n_test} to test; change the share or show more."
        )
    held_out = np.random.default_rng(seed).permutation(names)[:n_test]
    tests = np.isin(stimuli, held_out)
    ids = trials.table["trial"].to_numpy()
    fold = Fold(PICTURES, tuple(ids[~tests].tolist()), tuple(ids[tests].tolist()))
    return Split(STIMULUS, (fold,), seed).check(trials)


def picture_ranges(
    recording: Recording, stimuli: Iterable[str], preprocessing: Preprocessing
) -> list[tuple[int, int]]:
    """Return the samples ``(start, stop)`` of all showings of some pictures.

    As `Windows` excludes them. Those whose windows were rejected, as at a gap, are among them.

    Parameters
    ----------
    recording
        With events.
    stimuli
        Names of the pictures, as of those that test.
    preprocessing
        Gives the window.
    """
    events = recording.events[recording.events["stimulus"].isin(set(stimuli))]
    shift = round(preprocessing.tmin * recording.sfreq)
    n_times = round((preprocessing.tmax - preprocessing.tmin) * recording.sfreq)
    starts = (events["sample"].to_numpy(dtype=np.int64) + shift).tolist()
    return [(start, start + n_times) for start in starts]


def _check_next_onset(recording: Recording, preprocessing: Preprocessing) -> None:
    """Refuse windows that hold the response to the next picture as well."""
    events = recording.events
    if not (events["code"] == SHOWN).any():
        raise ValueError(
            f"a recording of showings needs some; {recording.source} has none; import the session "
            "in which the pictures were shown."
        )
    codes = events["code"].isin([SHOWN, GREY]).to_numpy()
    onsets = np.sort(events["sample"].to_numpy()[codes])
    n_times = round((preprocessing.tmax - preprocessing.tmin) * recording.sfreq)
    gaps = np.searchsorted(np.asarray(recording.gaps, dtype=np.int64), onsets, side="right")
    steps = np.diff(onsets)
    steps[np.diff(gaps) > 0] = n_times  # samples are missing: a window that spans them is rejected
    if len(steps) and n_times - steps.min() > SEAM:
        step, longest = int(steps.min()), int(steps.min()) / recording.sfreq
        raise ValueError(
            f"a window must end where the next picture begins; {n_times} samples (--tmin "
            f"{preprocessing.tmin:g} --tmax {preprocessing.tmax:g}) are longer than the {step} "
            f"from one onset of {recording.source} to the next, the nearest two at sample "
            f"{int(onsets[steps.argmin()])}; take a window of at most {longest:.4f} s."
        )
