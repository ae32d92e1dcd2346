"""Run every check on a data set and collect what it finds."""

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from phosphene.audit.checks.channels import check_channels
from phosphene.audit.checks.design import check_groups, check_imbalance, check_order
from phosphene.audit.checks.duplicates import check_duplicates
from phosphene.audit.checks.overlap import check_overlap
from phosphene.audit.checks.scaling import check_scaling
from phosphene.audit.checks.sharing import (
    check_leave_one_out,
    check_raw_ranges,
    check_same_trials,
    check_shared_groups,
    check_shared_stimuli,
)
from phosphene.audit.checks.signals import (
    check_mains,
    check_prestimulus,
    check_signal_mean,
    check_signal_variance,
)
from phosphene.audit.checks.times import check_time_stamps, check_trial_index
from phosphene.audit.checks.units import check_units
from phosphene.audit.finding import AuditReport, CheckNotPossibleError, Finding
from phosphene.audit.randomisation import unit_of
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split

Check = Callable[[AuditSource, Split | None, np.random.Generator], list[Finding]]
"""A check. It raises `CheckNotPossibleError` where the data do not allow it."""

CHECKS: tuple[tuple[str, Check], ...] = (
    ("trials on both sides of the split", check_same_trials),
    ("raw sample ranges", check_raw_ranges),
    ("recordings, blocks, sessions and subjects on both sides", check_shared_groups),
    ("pictures on both sides", check_shared_stimuli),
    ("leave-one-out of windows", check_leave_one_out),
    ("class against block, recording, session and subject", check_groups),
    ("class against order", check_order),
    ("class from time stamps", check_time_stamps),
    ("class from trial index", check_trial_index),
    ("class from the signal before the picture", check_prestimulus),
    ("class from the signal's mean", check_signal_mean),
    ("class from the signal's size", check_signal_variance),
    ("class from the mains", check_mains),
    ("balance of classes", check_imbalance),
    ("number of independent units", check_units),
    ("copies of trials and recordings", check_duplicates),
    ("windows that share samples", check_overlap),
    ("class or trigger in a channel", check_channels),
    ("scaling over all trials", check_scaling),
)
"""Name, as the report prints it, and function of each check, in the order in which they run."""


def run_audit(
    source: AuditSource,
    *,
    split: Split | None = None,
    seed: int = 0,
    effect: float | None = None,
) -> AuditReport:
    """Look for everything that `CHECKS` knows.

    Parameters
    ----------
    source
        What to look at.
    split
        Folds that somebody means to use; without one, only what any split would suffer from is
        looked for.
    seed
        Of permutations and subsets. Each check has a generator of its own.
    effect
        Balanced accuracy that the data should be able to show; None asks for none.

    Returns
    -------
    AuditReport
        Findings, worst first; checks that were made, and those that were not, with the reason.

    Raises
    ------
    ValueError
        If the split names trials that are not there, or `effect` is not between chance and 1.
    """
    findings: list[Finding] = []
    done: list[str] = []
    not_done: list[tuple[str, str]] = []
    for name, check in CHECKS:
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        if check is check_units:
            check = partial(check_units, effect=effect)
        try:
            findings += check(source, split, rng)
        except CheckNotPossibleError as reason:
            not_done.append((name, str(reason)))
        else:
            done.append(name)
    about = describe(source, split)
    return AuditReport(tuple(findings), tuple(done), tuple(not_done), about)


def describe(source: AuditSource, split: Split | None) -> dict[str, Any]:
    """Return the data and the split in plain numbers, None where something is not known."""
    counts = np.bincount(source.labels, minlength=source.n_classes)
    unit, reason = unit_of(source)

    def how_many(name: str) -> int | None:
        values = source.column(name)
        return None if values is None else len(set(values.tolist()))

    return {
        "n_trials": len(source),
        "classes": list(source.classes),
        "trials_per_class": counts.tolist(),
        "n_chans": len(source.ch_names),
        "n_times": int(source.epochs.shape[2]),
        "sfreq": float(source.sfreq),
        "n_subjects": how_many("subject"),
        "n_sessions": how_many("session"),
        "n_recordings": how_many("recording"),
        "n_blocks": how_many("block"),
        "n_stimuli": how_many("stimulus"),
        "recordings_at_hand": len(source.recordings),
        "raw_ranges_known": source.raw_ranges_known,
        "unit": unit,
        "unit_reason": reason,
        "split": None
        if split is None
        else {
            "unit": split.unit,
            "n_folds": len(split.folds),
            "leak_reason": split.leak_reason,
            "doubt": split.doubt,
        },
    }
