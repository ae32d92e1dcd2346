"""Trials as MNE epochs, for what MNE and the programs around it can do with them."""

import os
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phosphene.data.montage import load_montage
from phosphene.data.trials import Trials

if TYPE_CHECKING:
    import mne

SUFFIXES = ("-epo.fif", "_epo.fif", "-epo.fif.gz", "_epo.fif.gz")
MAX_BYTES = 1_900_000_000
"""Above this MNE writes several files, which cannot be put in place at once."""


def epochs_from_trials(
    trials: Trials,
    *,
    montage: str | None = None,
    with_margin: bool = False,
    description: str = "",
) -> "mne.EpochsArray":
    """Make MNE epochs.

    Parameters
    ----------
    trials
        Epochs; those in V become EEG channels, those in another unit miscellaneous ones.
    montage
        Standard montage whose positions are set for the channels that it knows.
    with_margin
        Keep the samples before and after the window.
    description
        Free text for ``info``.

    Returns
    -------
    mne.EpochsArray
        One event per trial, at consecutive samples because trials of several recordings have no
        common time; ``event_id`` is the class name's label plus 1; ``metadata`` is the trial table,
        with the true onsets. No baseline is applied.

    Raises
    ------
    ValueError
        For no trials, or an unknown montage.
    """
    if not len(trials):
        raise ValueError("epochs need a trial; got none; import again with other --events.")
    import mne

    data = trials.epochs_with_margin if with_margin else trials.epochs
    tmin = trials.tmin - (trials.margin / trials.sfreq if with_margin else 0)
    kind = "eeg" if trials.unit == "V" else "misc"
    with mne.use_log_level("error"):
        info = mne.create_info(list(trials.ch_names), trials.sfreq, kind)
        info["description"] = description or None
        if montage is not None and kind == "eeg":
            info.set_montage(load_montage(montage), on_missing="ignore")
        samples = np.arange(len(trials)) * data.shape[2] + max(0, round(-tmin * trials.sfreq))
        events = np.stack([samples, np.zeros_like(samples), trials.labels + 1], axis=1)
        present = set(trials.labels.tolist())
        return mne.EpochsArray(
            np.asarray(data, dtype=np.float64),
            info,
            events=events,
            tmin=tmin,
            event_id={n: i + 1 for i, n in enumerate(trials.classes) if i in present},
            baseline=None,
            proj=False,
            metadata=trials.table.reset_index(drop=True).copy(),
        )


def save_epochs(path: Path, epochs: "mne.EpochsArray") -> None:
    """Write epochs to a FIF file, whole or not at all, in single precision.

    Raises
    ------
    ValueError
        When the file exists, its name does not end as MNE wants it, or the epochs take more than
        1.9 GB.
    """
    path = Path(path)
    if not path.name.endswith(SUFFIXES) or path.name in SUFFIXES:
        raise ValueError(
            f"a file of epochs is called ...-epo.fif; got {path.name}; rename it, as in x-epo.fif."
        )
    if path.exists() or path.is_symlink():
        raise ValueError(f"a file is written once; {path} exists; choose another name.")
    size = len(epochs) * len(epochs.ch_names) * len(epochs.times) * 4
    if size > MAX_BYTES:
        raise ValueError(
            f"a file of epochs holds at most {MAX_BYTES} bytes; {len(epochs)} epochs take {size}; "
            f"export fewer."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4().hex[:8]}.{path.name}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of names, which were checked
            epochs.save(draft, fmt="single", verbose="error")
        handle = os.open(draft, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
