"""Splits: which trials train and which test, with the unit that was kept apart."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene._checks.structure import check_structure
from phosphene.data.shared_samples import count_shared_samples
from phosphene.data.trials import Trials

UNITS = ("trial", "block", "recording", "session", "subject")

_STORED = {
    "unit": str,
    "folds": [{"key": str, "train": [str], "test": [str], "val?": [str]}],
    "seed": int,
    "leak_reason": (None, str),
    "doubt?": (None, str),
    "sha256": str,
}
HALVES = ("x_train", "x_test")
"""What stands in place of a recording where only windows were published, in two halves."""
PUBLISHED = "published half"
"""Unit of a split that the authors of the data made."""
PUBLISHED_SPLIT = "published split"
"""The same where they listed trials; windows of one recording may stand on both sides."""
STIMULUS = "stimulus"
"""Unit of a split by picture: all showings of a picture train, or all test."""
PICTURE = "picture"
"""Unit of a split of pictures where there are no trials; ids are those of pictures."""
SEAM = 1
"""Samples that a test window may share with a training window where pictures are kept apart."""
_ALL_UNITS = (*UNITS, PUBLISHED, PUBLISHED_SPLIT, STIMULUS, PICTURE)
DOUBT = (
    "the source does not say which samples its windows hold, so those that train and those that "
    "test may overlap or come from one recording, and intervals count each as if it stood alone"
)


@dataclass(frozen=True)
class Fold:
    """Ids of the trials that train and of those that test, perhaps of some that validate."""

    key: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    val: tuple[str, ...] = ()
    """Trials that may choose a checkpoint; they neither train nor test."""

    def indices(self, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of the training and of the test trials, int64."""
        return self._positions(trials, self.train), self._positions(trials, self.test)

    def val_indices(self, trials: Trials) -> np.ndarray:
        """Return the positions of the validation trials, int64."""
        return self._positions(trials, self.val)

    def _positions(self, trials: Trials, ids: tuple[str, ...]) -> np.ndarray:
        position = {name: i for i, name in enumerate(trials.table["trial"])}
        unknown = [name for name in ids if name not in position]
        if unknown:
            raise ValueError(
                f"a split must belong to the data; fold '{self.key}' names {len(unknown)} trials "
                f"that are not there, the first {unknown[0]}; split these data anew."
            )
        return np.array([position[name] for name in ids], dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; without validation trials they are not named."""
        stored = {"key": self.key, "train": list(self.train), "test": list(self.test)}
        return {**stored, "val": list(self.val)} if self.val else stored


@dataclass(frozen=True)
class Split:
    """Folds of trial ids.

    Parameters
    ----------
    unit
        What was kept apart: one of `UNITS`, `PUBLISHED`, `STIMULUS`, or `PICTURE`.
    folds
        At least one.
    seed
        Of the shuffle; 0 where nothing was shuffled.
    leak_reason
        Why an overlap between training and test is accepted; stamped on every score.
    doubt
        Why an overlap cannot be excluded, though none was found; stamped on every score as well.
    """

    unit: str
    folds: tuple[Fold, ...]
    seed: int = 0
    leak_reason: str | None = None
    doubt: str | None = None

    def __post_init__(self) -> None:
        _checks.check_option("unit", self.unit, _ALL_UNITS)
        keys = [fold.key for fold in self.folds]
        if len(set(keys)) < len(keys):
            raise ValueError(f"fold keys must differ; got {keys}; rename one.")
        for fold in self.folds:
            if not fold.train or not fold.test:
                raise ValueError(
                    f"each fold needs trials on both sides; '{fold.key}' has {len(fold.train)} to "
                    f"train and {len(fold.test)} to test; choose another unit or fewer folds."
                )

    @property
    def sha256(self) -> str:
        """Hash of unit, seed and folds."""
        folds = [
            [fold.key, fold.train, fold.test, *([fold.val] if fold.val else [])]
            for fold in self.folds
        ]
        text = json.dumps([self.unit, self.seed, folds], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, the hash included."""
        return {
            "unit": self.unit,
            "seed": self.seed,
            "leak_reason": self.leak_reason,
            **({} if self.doubt is None else {"doubt": self.doubt}),
            "sha256": self.sha256,
            "folds": [fold.to_json() for fold in self.folds],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Split":
        """Read what `to_json` returned; a split that was changed since is refused."""
        check_structure(value, _STORED, where="a saved split", remedy="split the data anew.")
        folds = tuple(
            Fold(f["key"], tuple(f["train"]), tuple(f["test"]), tuple(f.get("val", ())))
            for f in value["folds"]
        )
        reason, doubt = value["leak_reason"], value.get("doubt")
        split = cls(value["unit"], folds, value["seed"], reason, doubt)
        if split.sha256 != value["sha256"]:
            raise ValueError(
                f"a saved split must have its own hash, {value['sha256'][:12]}; this one has "
                f"{split.sha256[:12]}; it was edited: split the data anew."
            )
        return split

    def check(self, trials: Trials, *, allow_leak: str | None = None) -> "Split":
        """Refuse an overlap between the training and the test trials of a fold.

        Looked for: the same trial, the same source samples under two names, the same unit, and
        windows that share samples of a recording. Windows of which the source does not say what
        samples they hold may always share some: between published halves that is a `doubt`, within
        one it is refused. Pictures shown back to back may share the `SEAM` of their windows, which
        is a `doubt` as well where the unit is the stimulus.

        Parameters
        ----------
        trials
            The data that the split belongs to.
        allow_leak
            Accept an overlap for this reason.

        Returns
        -------
        Split
            This split; stamped with the reason if there is an overlap, with a doubt at a seam.
        """
        if allow_leak is not None and not allow_leak.strip():
            raise ValueError("a leak needs a reason; got an empty one; write why it is accepted.")
        groups = groups_of(trials, self.unit)
        for fold in self.folds:
            train, test = fold.indices(trials)
            leak = _find_leak(trials.table, groups, train, test, self.unit)
            if not leak and fold.val:  # what chooses a checkpoint must not hold test trials either
                leak = _find_leak(trials.table, groups, fold.val_indices(trials), test, self.unit)
            if not leak:
                continue
            if allow_leak is None:
                raise ValueError(
                    f"training and test must not overlap; in fold '{fold.key}' {leak}; "
                    f"{_way_out(self.unit, trials)} or give a reason with --allow-leak."
                )
            return replace(self, leak_reason=allow_leak)
        return self._with_seams(trials) if self.unit == STIMULUS else self

    def _with_seams(self, trials: Trials) -> "Split":
        """Say in the doubt how many test windows share a sample with training windows."""
        n_shared = n_test = 0
        for fold in self.folds:
            train, test = fold.indices(trials)
            known = np.concatenate([train, fold.val_indices(trials)])
            n_shared += count_shared_samples(trials.table, known, test)
            n_test += len(test)
        said = (
            f"{n_shared} of {n_test} test windows share their first or last sample with a window "
            "of another side, for the pictures were shown back to back"
        )
        if not n_shared or said in (self.doubt or ""):
            return self
        return replace(self, doubt="; ".join(filter(None, (self.doubt, said))))

    def check_classes(self, trials: Trials, *, n_folds: int | None = None) -> "Split":
        """Refuse folds that lack a class to train on, and a first fold that lacks one to score.

        The first fold is scored before the others are there, so it must hold every class itself.

        Parameters
        ----------
        trials
            The data that the split belongs to.
        n_folds
            Folds to look at, counted from the first; None looks at all.

        Returns
        -------
        Split
            This split.
        """
        folds = self.folds[:n_folds]
        sides = [("training", fold, fold.indices(trials)[0]) for fold in folds]
        sides.insert(0, ("held-out", folds[0], folds[0].indices(trials)[1]))
        for side, fold, rows in sides:
            counts = np.bincount(trials.labels[rows], minlength=trials.n_classes)
            lacking = [trials.classes[label] for label in np.flatnonzero(counts == 0)]
            if lacking:
                raise ValueError(
                    f"every class must be among the {side} trials; in fold '{fold.key}' they lack "
                    f"{', '.join(map(repr, lacking))}; "
                    "split into fewer folds (--n-folds), keep another unit apart (--split-unit), "
                    "or leave that class out at import."
                )
        return self


def leave_one_group_out(trials: Trials, unit: str = "recording") -> Split:
    """Leave out every recording (or session, subject, block) in turn."""
    groups = groups_of(trials, unit)
    names = list(dict.fromkeys(groups))
    if unit == "trial" or len(names) < 2:
        raise ValueError(
            f"leaving one out needs at least 2 units larger than a trial; got {len(names)} of unit "
            f"'{unit}'; choose another unit{_others(trials, unit)}."
        )
    folds = [
        _fold(key, trials, np.flatnonzero(groups == name))
        for key, name in zip(_fold_keys(names), names, strict=True)
    ]
    return Split(unit, tuple(folds))


def group_k_fold(trials: Trials, unit: str, n_folds: int, *, seed: int = 0) -> Split:
    """Share the units among folds, each class evenly where the units allow it."""
    from sklearn.model_selection import StratifiedGroupKFold

    groups = groups_of(trials, unit)
    _check_n_folds(n_folds, len(set(groups)), f"units of '{unit}'", _others(trials, unit))
    # falls back by itself where a unit holds one class only: it minimises the imbalance
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    rows = np.zeros(len(trials))
    folds = [
        _fold(str(k), trials, test)
        for k, (_, test) in enumerate(splitter.split(rows, trials.labels, groups))
    ]
    return Split(unit, tuple(folds), seed)


def published_split(trials: Trials) -> Split:
    """Train on the published training half and test on the other, in one fold.

    It carries a `doubt`: the source does not say which samples the windows hold.
    """
    if not has_published_halves(trials):
        raise ValueError(
            f"a published split needs windows in the halves {' and '.join(HALVES)}; these data "
            "have recordings; keep those apart."
        )
    test = np.flatnonzero(trials.table["recording"].to_numpy(dtype=str) == HALVES[1])
    return Split(PUBLISHED, (_fold(HALVES[1], trials, test),), doubt=DOUBT)


def has_published_halves(trials: Trials) -> bool:
    """Say whether the source held only windows, already split by its authors."""
    return set(trials.table["recording"]) == set(HALVES) and bool((trials.table["start"] < 0).all())


def k_fold(trials: Trials, n_folds: int, *, seed: int = 0) -> Split:
    """Share single trials among folds; refused by `check` where windows overlap."""
    from sklearn.model_selection import KFold, StratifiedKFold

    _check_n_folds(n_folds, len(trials), "trials")
    counts = np.bincount(trials.labels, minlength=trials.n_classes)
    kind = StratifiedKFold if counts[counts > 0].min() >= n_folds else KFold
    splitter = kind(n_folds, shuffle=True, random_state=seed)
    rows = np.zeros(len(trials))
    folds = [
        _fold(str(k), trials, test)
        for k, (_, test) in enumerate(splitter.split(rows, trials.labels))
    ]
    return Split("trial", tuple(folds), seed)


def groups_of(trials: Trials, unit: str) -> np.ndarray:
    """Return the unit of each trial as text; blocks and sessions are told apart across subjects."""
    _checks.check_option("unit", unit, _ALL_UNITS)
    table = trials.table
    if unit in (PUBLISHED, PUBLISHED_SPLIT):
        return table["recording" if unit == PUBLISHED else "trial"].to_numpy(dtype=str)
    if unit in ("block", STIMULUS) and (table[unit] == "").any():
        raise ValueError(
            f"unit '{unit}' needs the {unit} of every trial; the data do not name it; take "
            "'recording'."
        )
    if unit == "block":
        return (table["recording"] + "/" + table["block"]).to_numpy(dtype=str)
    if unit == "session":
        return (table["subject"] + "/" + table["session"]).to_numpy(dtype=str)
    return table[unit].to_numpy(dtype=str)


def _fold_keys(names: list[str]) -> list[str]:
    """Name folds after units, in characters that may name a folder; names stay different."""
    keys: list[str] = []
    for name in names:
        plain = re.sub(r"[^\w.-]+", "_", str(name)).strip(".") or "unnamed"
        twins = (f"{plain}_{number}" for number in range(2, len(names) + 2))
        keys.append(plain if plain not in keys else next(key for key in twins if key not in keys))
    return keys


def _others(trials: Trials, unit: str) -> str:
    """Name the units that the data hold more than one of, as a remark in brackets."""
    counts = {}
    for other in UNITS:
        if other != unit and (other != "block" or (trials.table["block"] != "").all()):
            counts[other] = len(set(groups_of(trials, other)))
    found = [f"{n} of '{other}'" for other, n in counts.items() if n > 1]
    return f" (--split-unit; the data hold {', '.join(found)})" if found else ""


def _way_out(unit: str, trials: Trials) -> str:
    """Say what to do about an overlap."""
    if unit in (PUBLISHED, PUBLISHED_SPLIT):
        return "remove the doubles from the source"
    if has_published_halves(trials):
        return "keep the published halves apart (--split-unit recording)"
    return "keep a larger unit apart (recording, session, subject)"


def _fold(key: str, trials: Trials, test: np.ndarray) -> Fold:
    ids = trials.table["trial"].to_numpy()
    held_out = np.zeros(len(ids), dtype=bool)
    held_out[test] = True
    return Fold(key, tuple(ids[~held_out].tolist()), tuple(ids[held_out].tolist()))


def _check_n_folds(n_folds: int, n: int, what: str, others: str = "") -> None:
    if n < 2:
        raise ValueError(
            f"n_folds needs at least 2 {what}; the data hold {n}; choose another unit{others}."
        )
    if not 2 <= n_folds <= n:
        raise ValueError(
            f"n_folds must be from 2 to the {n} {what}; got {n_folds}; "
            f"take fewer folds or another unit{others}."
        )


def _find_leak(
    table: pd.DataFrame, groups: np.ndarray, train: np.ndarray, test: np.ndarray, unit: str
) -> str:
    """Say in words how training and test overlap; empty when they do not."""
    both = np.intersect1d(train, test)
    if len(both):
        return f"{len(both)} trials stand on both sides, the first {table['trial'].iloc[both[0]]}"
    shared = np.intersect1d(groups[train], groups[test])
    if unit != "trial" and len(shared):
        return f"{len(shared)} of unit '{unit}' stand on both sides, the first '{shared[0]}'"
    content = table["content"].to_numpy(dtype=str)
    same = np.isin(content[test], content[train])
    if same.any():
        twin = table.iloc[test[same.argmax()]]
        return (
            f"{int(same.sum())} test trials have the same samples as training trials, the first "
            f"{twin.trial} of recording '{twin.recording}'"
        )
    recording, unknown = table["recording"].to_numpy(dtype=str), table["start"].to_numpy() < 0
    shared_unknown = set(recording[train][unknown[train]]) & set(recording[test][unknown[test]])
    if shared_unknown and unit != PUBLISHED_SPLIT:  # there it is a doubt, as between halves
        return "windows may share samples, for the source does not say which samples they hold"
    tolerated = SEAM if unit == STIMULUS else 0
    overlaps = count_shared_samples(table, train, test, more_than=tolerated)
    return f"{overlaps} test windows share samples with training windows" if overlaps else ""
