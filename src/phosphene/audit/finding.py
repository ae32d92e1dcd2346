"""Findings of an audit, and the report that holds them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from phosphene._checks import check_option

SEVERITIES = ("severe", "warning", "note")
"""From worst: a score would lie, may be flattered, should be read with the remark in mind."""

KINDS = (
    "same_trial_on_both_sides",
    "overlapping_windows",
    "overlap_in_samples",
    "shared_recording",
    "shared_block",
    "shared_session",
    "shared_subject",
    "shared_stimulus",
    "leave_one_window_out",
    "class_aligned_with_block",
    "class_aligned_with_recording",
    "class_aligned_with_session",
    "class_aligned_with_subject",
    "class_aligned_with_order",
    "class_from_time_stamps",
    "class_from_trial_index",
    "class_from_prestimulus",
    "class_from_signal_mean",
    "class_from_signal_variance",
    "class_from_mains",
    "class_imbalance",
    "too_few_units",
    "duplicated_trials",
    "duplicated_recording",
    "few_independent_recordings",
    "label_in_channel",
    "trigger_in_channel",
    "scaling_across_split",
)
"""What an audit can find; ``docs/audit.md`` has a paragraph on each."""

MAX_TRIALS = 20
"""Trials that a finding lists; `n_trials` counts all of them."""


class CheckNotPossibleError(Exception):
    """A check cannot be made on these data; its message says why, without a full stop."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a score would suffer from.

    Parameters
    ----------
    kind
        One of `KINDS`.
    severity
        One of `SEVERITIES`.
    title
        One line with the number that matters.
    evidence
        Numbers, texts and lists of them, by name; numpy's become Python's.
    effect
        What it would do to a score, in a sentence or two.
    remedy
        How to mend it: an option, a file, another design.
    trials
        Rows of the table that show it, at most `MAX_TRIALS`.
    n_trials
        All rows that are affected.
    """

    kind: str
    severity: str
    title: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    effect: str
    remedy: str
    trials: tuple[int, ...] = ()
    n_trials: int = 0

    def __post_init__(self) -> None:
        check_option("kind", self.kind, KINDS)
        check_option("severity", self.severity, SEVERITIES)
        object.__setattr__(self, "evidence", _plain(dict(self.evidence)))
        object.__setattr__(self, "trials", tuple(int(row) for row in self.trials[:MAX_TRIALS]))
        object.__setattr__(self, "n_trials", int(self.n_trials))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "trials": list(self.trials)}


@dataclass(frozen=True)
class AuditReport:
    """What an audit found, what it looked at, and what it could not look at.

    Parameters
    ----------
    findings
        Worst first, then in the order of `KINDS`, however they are passed.
    done
        Names of the checks that were made.
    not_done
        Names of those that were not, and why.
    about
        The data and the split in numbers, plain JSON values.
    """

    findings: tuple[Finding, ...]
    done: tuple[str, ...]
    not_done: tuple[tuple[str, str], ...]
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        def rank(finding: Finding) -> tuple[int, int]:
            return SEVERITIES.index(finding.severity), KINDS.index(finding.kind)

        object.__setattr__(self, "findings", tuple(sorted(self.findings, key=rank)))
        object.__setattr__(self, "about", _plain(dict(self.about)))

    @property
    def severe(self) -> tuple[Finding, ...]:
        """The severe findings."""
        return tuple(finding for finding in self.findings if finding.severity == "severe")

    def count(self, severity: str) -> int:
        """Return how many findings are of a severity."""
        check_option("severity", severity, SEVERITIES)
        return sum(finding.severity == severity for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values: ``about``, ``counts``, ``findings``, ``done``, ``not_done``."""
        return {
            "about": dict(self.about),
            "counts": {severity: self.count(severity) for severity in SEVERITIES},
            "findings": [finding.to_json() for finding in self.findings],
            "done": list(self.done),
            "not_done": [{"check": name, "why": why} for name, why in self.not_done],
        }


def first_rows(rows: Iterable[int] | np.ndarray) -> tuple[int, ...]:
    """Return the first `MAX_TRIALS` rows as plain integers, for `Finding.trials`."""
    return tuple(int(row) for row in list(rows)[:MAX_TRIALS])


def _plain(value: Any) -> Any:
    """Turn numpy's numbers and arrays into Python's, all the way down."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
