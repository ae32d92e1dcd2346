"""A channel that carries the class, or the trigger of the stimulus, instead of a signal."""

from dataclasses import dataclass

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError, Finding, first_rows
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split

TELLS = 0.6
"""Share of a value's variance that classes must explain. Single trials of EEG stay far below."""
ALONE = 3.0
"""How many times more it must be than in the rest of the channels; brains reach several."""
LARGER = 5.0
"""Or how many times larger its class effect must be than in the median of the others, in V: an
average reference spreads what is in one channel over all, each of n channels getting 1/n of it."""
PREFERRED = 0.05
"""How much more than any sample a statistic of the epoch must explain to be named instead."""
LOCKED = 0.8
"""Share of a channel's variance over time that the mean over trials must explain, for a trigger."""
NOT_LOCKED = 0.3
"""Most of that in the rest of the channels."""
FEW_VALUES = 32
"""Distinct values that a digital channel may have, and a signal has not."""
_CHUNK = 1 << 24
_STATISTICS = ("mean", "largest value", "smallest value", "log of the variance")


@dataclass(frozen=True, eq=False)
class _Scan:
    """What classes explain in each channel: the best sample or statistic of it."""

    share: np.ndarray
    """``(chan,)`` share of variance between classes, adjusted for chance."""
    effect: np.ndarray
    """``(chan,)`` standard deviation of class means at the best place, in the unit of epochs."""
    where: list[str]
    values: np.ndarray
    """``(trial, chan)`` the values at the best place."""


def check_channels(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Find channels in which the class, or the moment of the stimulus, is written.

    A signal of the brain reaches every electrode; what is in one channel alone, and explains most
    of a single value's variance, came in another way. For each channel the best sample of the
    epoch (margin included) and the best of mean, extremes and variance are looked at.

    Raises
    ------
    CheckNotPossibleError
        With fewer than 3 channels, fewer than 4 trials of a class, or one class only.
    """
    labels = source.labels
    counts = np.bincount(labels, minlength=source.n_classes)
    epochs, n_chans = source.epochs_with_margin, source.epochs.shape[1]
    if n_chans < 3:
        raise CheckNotPossibleError(
            f"{n_chans} channels are too few to tell what is in one of them alone"
        )
    if (counts > 0).sum() < 2 or counts[counts > 0].min() < 4:
        raise CheckNotPossibleError("two classes with 4 trials each are needed")
    scan = _scan(epochs, labels, counts, source)
    telling = _telling(scan)
    findings = [_class_finding(source, scan, channel) for channel in telling]
    for channel, why in _triggers(epochs).items():
        if channel not in telling:
            findings.append(_trigger_finding(source, channel, why))
    return findings


def _scan(epochs: np.ndarray, labels: np.ndarray, counts: np.ndarray, source: AuditSource) -> _Scan:
    n, n_chans, n_times = epochs.shape
    share = np.full(n_chans, -np.inf)
    effect, where = np.zeros(n_chans), [""] * n_chans
    values = np.zeros((n, n_chans))
    present = np.flatnonzero(counts)
    begin_s = (source.tmin or 0.0) - source.margin / source.sfreq
    step = max(1, _CHUNK // (n * n_times))
    for first in range(0, n_chans, step):
        part = np.asarray(epochs[:, first : first + step], dtype=np.float64)
        variance = part.var(axis=2)
        tiny = 1e-12 * (variance.max() + 1e-300)
        statistics = [part.mean(axis=2), part.max(axis=2), part.min(axis=2)]
        statistics.append(np.log(variance + tiny))
        for kind, each in enumerate([part, *(s[:, :, None] for s in statistics)]):
            between, total = _variances(each, labels, counts, present)
            varies = total > 1e-10 * each.mean(axis=0) ** 2  # the rest is rounding
            explained = np.where(varies, between / np.where(varies, total, 1.0), 0.0)
            adjusted = 1 - (1 - explained) * (n - 1) / (n - len(present))
            best = adjusted.argmax(axis=1)
            for k, at in enumerate(best):
                channel = first + k
                least = share[channel] + (PREFERRED if kind else 0.0)
                if adjusted[k, at] > least:
                    share[channel] = adjusted[k, at]
                    effect[channel] = 0.0 if kind == 4 else np.sqrt(between[k, at])  # log: no unit
                    values[:, channel] = each[:, k, at]
                    where[channel] = (
                        f"its value at {begin_s + at / source.sfreq:.3f} s"
                        if kind == 0
                        else f"its {_STATISTICS[kind - 1]}"
                    )
    return _Scan(np.where(np.isfinite(share), share, 0.0), effect, where, values)


def _variances(
    values: np.ndarray, labels: np.ndarray, counts: np.ndarray, present: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return variance between classes and in all, ``(chan, time)`` each."""
    mean = values.mean(axis=0)
    total = values.var(axis=0)
    between = np.zeros_like(mean)
    for label in present:
        between += counts[label] * (values[labels == label].mean(axis=0) - mean) ** 2
    return between / len(values), total


def _telling(scan: _Scan) -> list[int]:
    """Return channels that tell the class while most others do not; at most a quarter of all."""
    n_chans = len(scan.share)
    most = max(1, n_chans // 4)
    best_last = np.argsort(scan.share, kind="stable")
    rest = max(0.0, float(scan.share[best_last[n_chans - most - 1]]))  # best but for the `most`
    kept = []
    for channel in np.flatnonzero(scan.share >= TELLS):
        typical = float(np.median(np.delete(scan.effect, channel)))
        alone = scan.share[channel] >= ALONE * rest
        if alone or scan.effect[channel] >= LARGER * typical > 0:
            kept.append(int(channel))
    return kept if len(kept) <= most else []


def _class_finding(source: AuditSource, scan: _Scan, channel: int) -> Finding:
    accuracy = _held_out_accuracy(scan.values[:, channel], source)
    name, chance = source.ch_names[channel], 1 / source.n_classes
    others = np.delete(scan.share, channel)
    return Finding(
        kind="label_in_channel",
        severity="severe",
        title=f"Channel {name} tells the class: {scan.where[channel]} alone decodes "
        f"{accuracy:.2f} (chance {chance:.2f})",
        evidence={
            "channel": name,
            "place": scan.where[channel],
            "share_of_variance_explained_by_class": float(scan.share[channel]),
            "the_same_in_the_next_channel": float(others.max()),
            "the_same_in_the_median_channel": float(np.median(others)),
            "held_out_balanced_accuracy_of_this_value": accuracy,
        },
        effect=f"Any decoder reads the class from {name}, up to about {accuracy:.2f}, whatever the "
        "brain does.",
        remedy=f"Leave the channel out: phosphene data import ... --drop-channels {name}; then "
        "look where its cable goes, and whether its neighbours got a part of it.",
        trials=first_rows(np.arange(len(source))),
        n_trials=len(source),
    )


def _held_out_accuracy(values: np.ndarray, source: AuditSource) -> float:
    """Decode by the nearest class mean of every second trial, and score the others."""
    labels = source.labels
    right = np.zeros(len(labels), dtype=bool)
    order = np.argsort(labels, kind="stable")
    half = np.zeros(len(labels), dtype=bool)
    half[order[::2]] = True
    for train in (half, ~half):
        classes = np.unique(labels[train])
        means = np.array([values[train & (labels == label)].mean() for label in classes])
        nearest = np.abs(values[~train][:, None] - means).argmin(axis=1)
        right[~train] = classes[nearest] == labels[~train]
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _triggers(epochs: np.ndarray) -> dict[int, str]:
    """Return channels locked to the stimulus, or digital, while the others are neither."""
    n, n_chans, _ = epochs.shape
    locked = np.zeros(n_chans)
    n_values = np.zeros(n_chans, dtype=int)
    some = np.unique(np.linspace(0, n - 1, min(n, 400)).astype(int))
    for channel in range(n_chans):
        part = np.asarray(epochs[some, channel], dtype=np.float64)
        total = part.var()
        evoked = part.mean(axis=0).var() - part.var(axis=0).mean() / len(some)
        locked[channel] = evoked / total if total > 0 else 0.0
        n_values[channel] = len(np.unique(part)) if total > 0 else 0
    found = {}
    usual_locked, usual_values = np.median(locked), np.median(n_values)
    for channel in range(n_chans):
        if 1 < n_values[channel] <= FEW_VALUES and usual_values > 10 * FEW_VALUES:
            found[channel] = f"it has {n_values[channel]} distinct values"
        elif locked[channel] >= LOCKED and usual_locked <= NOT_LOCKED:
            found[channel] = (
                f"its mean over trials explains {locked[channel]:.0%} of its variance (median of "
                f"all channels {max(usual_locked, 0.0):.0%})"
            )
    return found


def _trigger_finding(source: AuditSource, channel: int, why: str) -> Finding:
    name = source.ch_names[channel]
    return Finding(
        kind="trigger_in_channel",
        severity="warning",
        title=f"Channel {name} looks like a trigger: {why}",
        evidence={"channel": name, "why": why},
        effect="It tells when a picture came, and with other settings of the stimulus computer "
        "which one; here it does not tell the class.",
        remedy=f"Leave the channel out: phosphene data import ... --drop-channels {name}.",
    )
