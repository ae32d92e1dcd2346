"""What can be audited: data set folders, published windows and segments, raw recordings.

Everything is read as `data import` reads it, with the same limits on files of others. Nothing is
refused that an audit is there to name: a recording that occurs twice, or a split that overlaps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from phosphene import _checks
from phosphene._checks.files import read_json
from phosphene.audit.source import AuditSource
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.splits import (
    HALVES,
    PUBLISHED_SPLIT,
    STIMULUS,
    UNITS,
    Fold,
    Split,
    group_k_fold,
    has_published_halves,
    k_fold,
    leave_one_group_out,
    published_split,
)
from phosphene.data.trials import Trials

WINDOW, PUBLISHED_WORD = "window", "published"
SPLIT_WORDS = (WINDOW, *UNITS, STIMULUS, PUBLISHED_WORD)
"""Splits that have a name; ``window`` and ``trial`` share single trials among five folds."""


@dataclass(frozen=True, eq=False)
class AuditInput:
    """Data that were read, and what to call them."""

    source: AuditSource
    trials: Trials
    kind: str
    """In words: what sort of file it was."""
    name: str
    folds: tuple[Fold, ...] = ()
    """Those that were published with the data."""
    rejected: int = 0


def open_dataset(folder: Path) -> AuditInput:
    """Read a data set folder, verified, with its recordings memory-mapped."""
    from phosphene.data.dataset import load_dataset

    dataset = load_dataset(folder)
    folds = tuple(_fold(f) for f in dataset.info.get("published_splits") or ())
    return AuditInput(
        AuditSource.from_dataset(dataset),
        dataset.trials,
        "data set",
        dataset.name,
        folds,
        len(dataset.rejected),
    )


def open_thoughtviz(path: Path, *, set_name: str | None = None) -> AuditInput:
    """Read a pickle of windows without recordings; classes have numbers unless the set is named."""
    from phosphene.data.formats.thoughtviz import SETS, read_halves, trials_from

    halves, others = read_halves(path)
    trials = trials_from(halves, set_name=set_name or next(iter(SETS)))
    if set_name is None:
        classes = tuple(f"label {number}" for number in range(trials.n_classes))
        names = np.array(classes)[trials.labels]
        trials = replace(trials, classes=classes, table=trials.table.assign(class_name=names))
    info = {"windows": {"source": path.name, "set": set_name or "unknown"}, "others": list(others)}
    source = AuditSource.from_trials(trials, info=info)
    return AuditInput(source, trials, "ThoughtViz pickle", path.name)


def open_eeg_imagenet40(
    path: Path, *, split_file: Path | None = None, subject: int | None = None
) -> AuditInput:
    """Read a file of segments, perhaps with the split that was published with it."""
    from phosphene.data.formats.eeg_imagenet40 import read_source, trials_from
    from phosphene.data.formats.eeg_imagenet40_splits import folds_from, read_splits

    found = read_source(path)
    splits = () if split_file is None else read_splits(split_file, n_items=len(found.items))
    trials, rejected, places = trials_from(found, subject=subject)
    folds = tuple(_fold(fold) for fold in folds_from(splits, trials, places))
    source = AuditSource.from_trials(trials, info={"segments": {"source": path.name}})
    return AuditInput(source, trials, "EEG-ImageNet40 file", path.name, folds, len(rejected))


def open_recordings(
    paths: Sequence[Path],
    preprocessing: Preprocessing,
    *,
    events: Mapping[str, str],
    **reading: Any,
) -> AuditInput:
    """Read recordings and cut them as `data import` would; copies of a recording are let in.

    Parameters
    ----------
    paths
        Files, or folders that are searched for them.
    preprocessing
        How trials are cut.
    events
        Event code to class name.
    **reading
        Options of `read_recordings`.
    """
    from phosphene.data.formats import find_recordings, read_recordings
    from phosphene.data.preprocess import cut_epochs

    recordings = read_recordings(find_recordings(paths), **reading)
    names = [recording.recording for recording in recordings]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f"recording names must differ, or their trials could not be told apart; '{twice}' "
            "occurs twice; rename one of the files."
        )
    trials, rejected = cut_epochs(recordings, preprocessing, events=events)
    source = AuditSource.from_trials(trials, recordings=recordings)
    name = paths[0].name if len(paths) == 1 else f"{len(paths)} sources"
    return AuditInput(source, trials, "recordings", name, (), len(rejected))


def choose_audited_split(
    data: AuditInput, wanted: str | None, *, n_folds: int | None = None, seed: int = 0
) -> tuple[Split | None, str]:
    """Return the folds to look at, whatever is wrong with them, and what they are in words.

    Parameters
    ----------
    data
        What was opened.
    wanted
        One of `SPLIT_WORDS`; the path of a split that was saved as JSON, such as split.json of a
        run; None takes what `train` would: the published split, else whole recordings, and without
        two of them no split.
    n_folds
        Folds for units; None leaves every unit out in turn.
    seed
        Of the shuffle.

    Raises
    ------
    ValueError
        For a word that is none, and units that the data do not hold.
    """
    trials = data.trials
    if wanted is None:
        return _usual_split(data)
    if wanted in (WINDOW, "trial"):
        return k_fold(trials, n_folds or 5, seed=seed), "single windows shared among folds"
    if wanted == PUBLISHED_WORD:
        if data.folds:
            return Split(PUBLISHED_SPLIT, data.folds), "the split published with the data"
        return published_split(trials), f"the published halves {' and '.join(HALVES)}"
    if wanted in SPLIT_WORDS:
        if n_folds is None:
            return leave_one_group_out(trials, wanted), f"one {wanted} left out in turn"
        folds = group_k_fold(trials, wanted, n_folds, seed=seed)
        return folds, f"{n_folds} folds of whole {wanted}s"
    path = Path(wanted)
    if not path.is_file():
        _checks.check_option("split", wanted, SPLIT_WORDS)
    saved = Split.from_json(read_json(path, remedy="name a split.json that `train` wrote."))
    return saved, f"{path.name}, unit '{saved.unit}'"


def _usual_split(data: AuditInput) -> tuple[Split | None, str]:
    trials = data.trials
    if data.folds:
        return Split(PUBLISHED_SPLIT, data.folds), "the split published with the data"
    if has_published_halves(trials):
        return published_split(trials), f"the published halves {' and '.join(HALVES)}"
    if trials.table["recording"].nunique() > 1:
        return leave_one_group_out(trials, "recording"), "one recording left out in turn"
    return None, "none: there is one recording; --split window looks at a split of trials"


def _fold(said: Mapping[str, Any]) -> Fold:
    return Fold(
        str(said["key"]), tuple(said["train"]), tuple(said["test"]), tuple(said.get("val", ()))
    )
