"""Trials: epochs cut from recordings, and a table that says where each one comes from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from phosphene import _checks

TRIAL_COLUMNS = {
    "trial": "str",
    "label": "int64",
    "class_name": "str",
    "subject": "str",
    "session": "str",
    "recording": "str",
    "block": "str",
    "onset": "float64",
    "stimulus": "str",
    "start": "int64",
    "stop": "int64",
    "content": "str",
}
"""Columns of the trial table and their dtypes."""

TRIAL_ORIGIN = ("subject", "session", "recording", "block", "stimulus")
"""Columns of the trial table that splits and pairs of trial and picture depend on."""

REJECTED_COLUMNS = {"recording": "str", "sample": "int64", "code": "str", "reason": "str"}
"""Columns of the table of rejected trials; ``sample`` is the event's, in the source."""


@dataclass(frozen=True, eq=False)
class Trials:
    """What models see: one epoch and one table row per trial.

    Parameters
    ----------
    epochs_with_margin
        ``(trial, chan, time)`` float32 in `unit`; ``margin`` samples more on each side than the
        window.
    margin
        Samples kept before and after the window, for other filters, shifts and the pre-stimulus
        window.
    sfreq
        Samples per second.
    tmin
        Start of the window (without margin) after the event, in s.
    ch_names
        One name per channel.
    classes
        Class names; a label is an index into them.
    table
        One row per trial with the columns `TRIAL_COLUMNS`. ``trial`` is a hash of epoch and
        identity, ``content`` a hash of the window's source samples alone (equal for the same
        samples under two names), ``onset`` is in s, ``start`` and ``stop`` bound the window in
        samples of the source.
    preprocessing
        Every step that was applied, as plain JSON values.
    unit
        Unit of the epochs.

    Raises
    ------
    ValueError
        When shapes, dtype, labels or trial ids contradict one another.
    """

    epochs_with_margin: np.ndarray
    margin: int
    sfreq: float
    tmin: float
    ch_names: tuple[str, ...]
    classes: tuple[str, ...]
    table: pd.DataFrame
    preprocessing: dict[str, Any]
    unit: str = "V"

    def __post_init__(self) -> None:
        shape = (len(self.table), len(self.ch_names), None)
        _checks.check_shape("epochs", self.epochs_with_margin.shape, shape, "trial chan time")
        if self.epochs_with_margin.dtype != np.float32:
            raise ValueError(
                f"epochs are float32; got {self.epochs_with_margin.dtype}; convert them with "
                f"astype."
            )
        if self.margin < 0 or self.n_times < 1:
            raise ValueError(
                f"the margin must leave a window; {self.margin} samples on each side of "
                f"{self.epochs_with_margin.shape[2]} leave {self.n_times}; take a smaller margin."
            )
        missing = [name for name in TRIAL_COLUMNS if name not in self.table.columns]
        if missing:
            raise ValueError(f"the trial table lacks the columns {missing}; add them.")
        if len(self.table) and not self.table["label"].between(0, self.n_classes - 1).all():
            raise ValueError(
                f"labels are indices of the {self.n_classes} classes; got "
                f"{self.table['label'].min()} to {self.table['label'].max()}; name every class."
            )
        if self.table["trial"].duplicated().any():
            twice = self.table.loc[self.table["trial"].duplicated(), "trial"].iloc[0]
            raise ValueError(f"trial ids must differ; {twice} occurs twice; remove the double.")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def epochs(self) -> np.ndarray:
        """The window without margin, ``(trial, chan, time)``: a view."""
        return self.epochs_with_margin[:, :, self.margin : self.margin + self.n_times]

    @property
    def n_chans(self) -> int:
        """Channels per epoch."""
        return len(self.ch_names)

    @property
    def n_times(self) -> int:
        """Samples per epoch, margin not counted."""
        return int(self.epochs_with_margin.shape[2]) - 2 * self.margin

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def labels(self) -> np.ndarray:
        """Class of each trial, int64."""
        return self.table["label"].to_numpy(dtype=np.int64)

    @property
    def times(self) -> np.ndarray:
        """Time of each sample of the window after the event, in s."""
        return self.tmin + np.arange(self.n_times) / self.sfreq

    @property
    def preprocessing_hash(self) -> str:
        """Sixteen hex digits that change when a preprocessing step does."""
        return json_hash(self.preprocessing)

    def data_hash(self, origin: Sequence[str] = TRIAL_ORIGIN) -> str:
        """Hash what a model can see and a split depends on, to sixteen hex digits.

        Epochs (through the trial ids), labels, names, rate, and where each trial comes from.

        Parameters
        ----------
        origin
            Columns of the table to hash; data sets of old leave all out.
        """
        identity: dict[str, Any] = {
            "trials": self.table["trial"].tolist(),
            "labels": self.table["label"].tolist(),
            "classes": list(self.classes),
            "ch_names": list(self.ch_names),
            "window": [self.sfreq, self.tmin, self.n_times, self.margin],
            "preprocessing": self.preprocessing_hash,
        }
        if origin:
            identity["origin"] = {name: self.table[name].tolist() for name in origin}
        return json_hash(identity)

    def select(self, index: np.ndarray | Sequence[int]) -> "Trials":
        """Return the trials of an integer or boolean index, in its order."""
        rows = np.asarray(index)
        if rows.dtype == bool:
            _checks.check_shape("index", rows.shape, (len(self),), "trial")
            rows = np.flatnonzero(rows)
        rows = rows.astype(np.int64)
        return replace(
            self,
            epochs_with_margin=self.epochs_with_margin[rows],
            table=self.table.iloc[rows].reset_index(drop=True),
        )


def json_hash(value: object) -> str:
    """Hash plain JSON values to sixteen hex digits, whatever the order of their keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def content_hash(samples: np.ndarray) -> str:
    """Hash an array's samples to sixteen hex digits."""
    return hashlib.sha256(np.ascontiguousarray(samples).tobytes()).hexdigest()[:16]


def trial_id(epoch: np.ndarray, identity: Mapping[str, str | int]) -> str:
    """Hash an epoch and what it is called to sixteen hex digits."""
    digest = hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode())
    digest.update(np.ascontiguousarray(epoch).tobytes())
    return digest.hexdigest()[:16]
