"""The split that a run asks for, or the one that came with the data."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from phosphene.data.splits import (
    PUBLISHED_SPLIT,
    Fold,
    Split,
    group_k_fold,
    has_published_halves,
    k_fold,
    leave_one_group_out,
    published_split,
)
from phosphene.data.trials import Trials


def choose_split(
    trials: Trials,
    *,
    unit: str,
    n_folds: int | None = None,
    first_folds: int | None = None,
    seed: int = 0,
    allow_leak: str | None = None,
    info: Mapping[str, Any] | None = None,
) -> Split:
    """Split, refusing overlaps and folds that lack a class.

    Under the unit "recording", data that were published with a split keep it, whatever the number
    of folds.

    Parameters
    ----------
    trials
        All trials of the data set.
    unit
        What is kept apart, see `data.splits.UNITS`.
    n_folds
        Folds that the units are dealt into; None leaves every unit out in turn.
    first_folds
        Folds that will be used, counted from the first; None uses all.
    seed
        Of the shuffle.
    allow_leak
        Reason to accept an overlap.
    info
        The data set's info: `published_splits` and `doubt` are read from it.

    Raises
    ------
    ValueError
        When the data cannot be split so.
    """
    info = info or {}
    published = info.get("published_splits")
    if unit == "recording" and published:
        folds = tuple(
            Fold(f["key"], tuple(f["train"]), tuple(f["test"]), tuple(f["val"])) for f in published
        )
        split = Split(PUBLISHED_SPLIT, folds)
    elif unit == "recording" and has_published_halves(trials):
        split = published_split(trials)
    elif unit == "trial":
        split = k_fold(trials, n_folds or 5, seed=seed)
    elif n_folds is None:
        split = leave_one_group_out(trials, unit)
    else:
        split = group_k_fold(trials, unit, n_folds, seed=seed)
    if doubt := info.get("doubt"):
        split = replace(split, doubt="; ".join(filter(None, (split.doubt, doubt))))
    split = split.check_classes(trials, n_folds=first_folds)
    return split.check(trials, allow_leak=allow_leak)
