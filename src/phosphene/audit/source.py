"""What an audit looks at: epochs, a table, and the recordings behind them where there are any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene.audit.seams import Seams, find_seams
from phosphene.data.dataset import Dataset, load_recordings
from phosphene.data.recording import Recording
from phosphene.data.splits import HALVES, Split
from phosphene.data.trials import Trials

NAMELESS = ("", "unknown")
"""What a column holds where the source does not say."""


@dataclass(frozen=True, eq=False)
class FoldRows:
    """Rows of the table that train, test and validate in one fold, int64."""

    key: str
    train: np.ndarray
    test: np.ndarray
    val: np.ndarray


@dataclass(frozen=True, eq=False)
class AuditSource:
    """A neutral view of any data: what is not known is None or empty.

    Parameters
    ----------
    epochs_with_margin
        ``(trial, chan, time)``, array or memory map; ``margin`` samples more on each side than the
        window.
    margin
        Samples before and after the window.
    sfreq
        Samples per second.
    tmin
        Start of the window (without margin) after the event, in s; None where windows are not
        cut around events.
    ch_names
        One name per channel.
    table
        One row per trial with ``trial`` and ``label``, and what is known of the other columns of
        `TRIAL_COLUMNS`.
    classes
        Class names; a label is an index into them.
    recordings
        Continuous signals; empty where there are only windows.
    raw_ranges_known
        Whether ``start`` and ``stop`` of the table are samples of recordings.
    preprocessing
        `Trials.preprocessing`; None where nobody knows.
    info
        The data set's info.json, or what else is known of the file.

    Raises
    ------
    ValueError
        When shapes contradict one another, or the table lacks ``trial`` or ``label``.
    """

    epochs_with_margin: np.ndarray
    sfreq: float
    tmin: float | None
    ch_names: tuple[str, ...]
    table: pd.DataFrame
    classes: tuple[str, ...]
    margin: int = 0
    recordings: tuple[Recording, ...] = ()
    raw_ranges_known: bool = False
    preprocessing: Mapping[str, Any] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [name for name in ("trial", "label") if name not in self.table.columns]
        if missing:
            raise ValueError(f"an audit needs the columns trial and label; {missing} are missing.")
        shape = (len(self.table), len(self.ch_names), None)
        _checks.check_shape("epochs", self.epochs_with_margin.shape, shape, "trial chan time")
        _checks.check_positive("sfreq", self.sfreq)
        if not len(self.table):
            raise ValueError("an audit needs a trial; got none; name data with trials.")

    @classmethod
    def from_trials(
        cls,
        trials: Trials,
        *,
        recordings: Sequence[Recording] = (),
        info: Mapping[str, Any] | None = None,
    ) -> "AuditSource":
        """View trials, and the recordings that they were cut from where those are at hand."""
        starts = trials.table["start"].to_numpy()
        halves = set(trials.table["recording"]) <= set(HALVES)
        known = bool(len(starts)) and bool((starts >= 0).all())
        return cls(
            epochs_with_margin=trials.epochs_with_margin,
            margin=trials.margin,
            sfreq=float(trials.sfreq),
            tmin=None if halves else float(trials.tmin),
            ch_names=trials.ch_names,
            table=trials.table,
            classes=trials.classes,
            recordings=tuple(recordings),
            raw_ranges_known=known,
            preprocessing=trials.preprocessing,
            info=info or {},
        )

    @classmethod
    def from_dataset(cls, dataset: Dataset) -> "AuditSource":
        """View a data set folder, its recordings memory-mapped."""
        recordings = [] if dataset.path is None else load_recordings(dataset.path)
        return cls.from_trials(dataset.trials, recordings=recordings, info=dataset.info)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def epochs(self) -> np.ndarray:
        """The window without margin, ``(trial, chan, time)``: a view."""
        stop = self.epochs_with_margin.shape[2] - self.margin
        return self.epochs_with_margin[:, :, self.margin : stop]

    @property
    def labels(self) -> np.ndarray:
        """Class of each trial, int64."""
        return self.table["label"].to_numpy(dtype=np.int64)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def column(self, name: str) -> np.ndarray | None:
        """Return a column of the table; None where it is missing or says nothing of any trial.

        Names are text; sessions come with their subject before them and blocks with their
        recording, so that equal names of different ones stay apart. Samples below 0 mean that the
        source does not say: ``start`` and ``stop`` are None without `raw_ranges_known`.
        """
        if name not in self.table.columns:
            return None
        values = self.table[name].to_numpy()
        if name in ("start", "stop"):
            return values.astype(np.int64) if self.raw_ranges_known else None
        if name == "label":
            return values.astype(np.int64)
        if name == "onset":
            return values.astype(np.float64) if np.isfinite(values.astype(float)).all() else None
        values = values.astype(str)
        if np.isin(values, NAMELESS).all() or (name == "recording" and set(values) <= set(HALVES)):
            return None
        parent = {"session": "subject", "block": "recording"}.get(name)
        if parent in self.table.columns:
            values = np.char.add(np.char.add(self.table[parent].to_numpy(dtype=str), "/"), values)
        return values

    @cached_property
    def seams(self) -> Seams:
        """Pairs of windows that hold the same samples at different places; searched once."""
        return find_seams(self.epochs, np.random.default_rng(0))  # of salts, not of results

    def folds(self, split: Split) -> list[FoldRows]:
        """Return the rows of every fold of a split.

        Raises
        ------
        ValueError
            If the split names trials that are not there.
        """
        position = {str(name): row for row, name in enumerate(self.table["trial"])}

        def rows(key: str, ids: Sequence[str]) -> np.ndarray:
            unknown = [name for name in ids if name not in position]
            if unknown:
                raise ValueError(
                    f"a split must belong to the data; fold '{key}' names {len(unknown)} trials "
                    f"that are not there, the first {unknown[0]}; split these data anew."
                )
            return np.array([position[name] for name in ids], dtype=np.int64)

        return [
            FoldRows(f.key, rows(f.key, f.train), rows(f.key, f.test), rows(f.key, f.val))
            for f in split.folds
        ]
