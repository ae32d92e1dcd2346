"""A session in memory: windows of showings, their pictures, and which of them test."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from phosphene.data.dataset import Dataset, load_dataset, load_extra, load_recordings
from phosphene.data.pairing import pictures_of
from phosphene.data.picture_scale import scale_pictures
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.recording import Recording
from phosphene.data.showings import PICTURES, picture_ranges, picture_split
from phosphene.data.splits import Split
from phosphene.data.windows import Windows, zscore_windows
from phosphene.experiment.responses.settings import ResponseSettings

SETS = ("train", "test")
TRUE_RESPONSES = "true_responses"


@dataclass(frozen=True, eq=False)
class Session:
    """What all stages read; nothing here changes while a run goes on."""

    dataset: Dataset
    recording: Recording
    split: Split
    rows: dict[str, np.ndarray]
    """Trials of the pictures that train and of those that test."""
    signals: np.ndarray = field(repr=False)
    """``(trial, chan, time)`` float32, z-scored window by window."""
    mean: float
    """Mean over training windows of their means, in V."""
    sd: float
    """Mean over training windows of their standard deviations, in V."""
    picture: np.ndarray
    """Row of the pictures for each trial."""
    pictures: Tensor = field(repr=False)
    """``(picture, 1, row, column)`` float32 in [-1, 1], as networks see them."""
    truth: np.ndarray | None = field(repr=False)
    """``(picture, chan, time)`` true mean responses in V, of simulated data."""

    @property
    def n_chans(self) -> int:
        """Channels of the probe."""
        return self.dataset.trials.n_chans

    @property
    def n_times(self) -> int:
        """Samples of a window."""
        return self.dataset.trials.n_times

    @property
    def sfreq(self) -> float:
        """Samples per second."""
        return float(self.dataset.trials.sfreq)

    @property
    def stimuli(self) -> np.ndarray:
        """Name of each picture."""
        assert self.dataset.images is not None
        return self.dataset.images.table["stimulus"].to_numpy(dtype="U")

    @property
    def preprocessing(self) -> Preprocessing:
        """How windows were cut."""
        stored: dict[str, Any] = self.dataset.trials.preprocessing["settings"]
        settings: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in stored.items()
        }
        return Preprocessing(**settings)

    def windows(self, *, everything: bool) -> Windows:
        """Return all windows of the recording, or those that touch no showing of a test picture."""
        recording, excluded = self.recording, []
        if not everything:
            tests = set(self.stimuli[self.picture[self.rows["test"]]].tolist())
            excluded = picture_ranges(recording, tests, self.preprocessing)
        return Windows(
            recording.signal, n_times=self.n_times, excluded=excluded, gaps=recording.gaps
        )


def prepare_session(settings: ResponseSettings, data: Path) -> Session:
    """Load a data set of showings, divide its pictures and scale windows and pictures.

    Raises
    ------
    ValueError
        When it holds no pictures, does not say which was shown, or holds several recordings.
    """
    dataset = load_dataset(data)
    remedy = "Import a session with `phosphene data import-lfp`."
    if dataset.images is None or dataset.pairing.kind != "paired":
        raise ValueError(
            f"this recipe needs the picture of every showing; of {dataset.name} "
            f"{dataset.pairing.reason}. {remedy}"
        )
    recordings = load_recordings(data)
    if len(recordings) != 1:
        raise ValueError(
            f"this recipe needs one recording; {dataset.name} holds {len(recordings)}. {remedy}"
        )
    trials = dataset.trials
    if trials.preprocessing["settings"].get("band") or trials.sfreq != recordings[0].sfreq:
        raise ValueError(
            "windows of showings and of the rest of the recording must be alike; those of "
            f"{dataset.name} were filtered or resampled. Import again without --band, --resample."
        )
    split = picture_split(trials, test_share=settings.test_share, seed=settings.split_seed)
    train, test = split.folds[0].indices(trials)
    signals, mean, sd = zscore_windows(np.asarray(trials.epochs))
    return Session(
        dataset=dataset,
        recording=recordings[0],
        split=split,
        rows={"train": train, "test": test},
        signals=signals,
        mean=float(mean[train].mean()),
        sd=float(sd[train].mean()),
        picture=pictures_of(trials, dataset.images, seed=settings.split_seed),
        pictures=torch.from_numpy(scale_pictures(dataset.images.pixels, settings.picture_size)),
        truth=load_extra(data, TRUE_RESPONSES),
    )


def scored_rows(settings: ResponseSettings, session: Session) -> dict[str, np.ndarray]:
    """Return the trials of each set that are scored, equally many per picture as far as they go.

    The same for all runs of one `split_seed`.
    """
    chosen = {}
    for name in SETS:
        rows = session.rows[name]
        rng = np.random.default_rng([settings.split_seed, SETS.index(name)])
        order = rng.permutation(rows)
        picture = session.picture[order]
        turn = np.zeros(len(order), dtype=np.int64)  # how often its picture came before
        for each in np.unique(picture):
            mine = np.flatnonzero(picture == each)
            turn[mine] = np.arange(len(mine))
        chosen[name] = np.sort(order[np.argsort(turn, kind="stable")][: settings.n_scored])
    return chosen


FOLD = PICTURES
"""Key of the one fold."""
