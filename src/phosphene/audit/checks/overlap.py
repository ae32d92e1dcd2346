"""Windows that share samples, recovered from the samples where the source does not say."""

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError, Finding, first_rows
from phosphene.audit.seams import Seams
from phosphene.audit.source import AuditSource
from phosphene.audit.stretches import Stretches, join_windows
from phosphene.data.shared_samples import count_shared_samples
from phosphene.data.splits import Split

_SHOWN = 10


def check_overlap(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Match ends and beginnings of windows, and put recordings together again.

    Found are overlaps of any length down to the one in the evidence: of equal
    samples, or of samples that are equal once each channel of each window is shifted and scaled.
    Windows that were filtered after they were cut do not match. Where the source says which
    samples its windows hold, this is left to `check_ranges` and `check_duplicates`.

    Raises
    ------
    CheckNotPossibleError
        Where raw sample ranges are known, or windows are too short or too smooth to be matched.
    """
    if source.raw_ranges_known:
        raise CheckNotPossibleError(
            "the source says which samples its windows hold, so their ranges were compared instead"
        )
    seams, n_times = source.seams, source.epochs.shape[2]
    if not seams.n_least:
        raise CheckNotPossibleError(
            f"{n_times} samples of {source.epochs.shape[1]} channels are too few or too smooth to "
            "tell an overlap from likeness"
        )
    if not (seams.lag > 0).any():
        return []
    stretches = join_windows(seams, n_windows=len(source), n_times=n_times)
    findings = [_overlap_finding(source, split, seams, stretches)]
    findings.append(_independence_finding(source, stretches))
    return findings


def _overlap_finding(
    source: AuditSource, split: Split | None, seams: Seams, stretches: Stretches
) -> Finding:
    inside = seams.lag > 0
    rows = np.unique(np.concatenate([seams.first[inside], seams.second[inside]]))
    lags, counts = np.unique(seams.lag[inside], return_counts=True)
    common = np.argsort(-counts, kind="stable")[:5]
    n_times = stretches.n_times
    evidence = {
        "windows_that_overlap": len(rows),
        "windows": len(source),
        "matched": "after shift and scale of each window" if seams.scaled else "equal samples",
        "fewest_shared_samples_looked_for": seams.n_least,
        "lags": [f"{lags[k]} samples: {counts[k]} pairs" for k in common],
        "first_second_and_lag": np.stack([seams.first, seams.second, seams.lag], axis=1)[inside][
            :_SHOWN
        ].tolist(),
        "most_that_two_windows_share": float(1 - lags[0] / n_times),
    }
    if split is None:
        return Finding(
            kind="overlap_in_samples",
            severity="warning",
            title=f"{len(rows)} of {len(source)} windows share samples with other windows",
            evidence=evidence,
            effect="A split of windows would train and test on the same samples; a decoder that "
            "remembers is then right without knowing anything of the class.",
            remedy="Keep whole recordings apart (--split recording), from a source that names "
            "them; windows of one stretch must stay together.",
            trials=first_rows(rows),
            n_trials=len(rows),
        )
    table = stretches.to_table()
    n_shared = n_known = n_test = 0
    shared_rows: list[int] = []
    for fold in source.folds(split):
        known = np.concatenate([fold.train, fold.val])
        n_test += len(fold.test)
        n_shared += count_shared_samples(table, known, fold.test)
        same = np.isin(stretches.stretch[fold.test], stretches.stretch[known])
        n_known += int(same.sum())
        shared_rows += fold.test[same].tolist()
    evidence |= {
        "test_windows": n_test,
        "test_windows_that_share_samples_with_training": n_shared,
        "test_windows_of_a_stretch_that_also_trains": n_known,
    }
    severe = n_shared > 0 or n_known > 0
    share = n_known / n_test
    return Finding(
        kind="overlap_in_samples",
        severity="severe" if severe else "note",
        title=f"{n_shared} of {n_test} test windows share samples with training windows"
        if severe
        else f"{len(rows)} windows overlap, none across this split",
        evidence=evidence,
        effect=f"{n_known} of {n_test} test windows come from a stretch of signal that also "
        "trains. A decoder that recognises the stretch and its label is right on them: its "
        f"accuracy may read {share + (1 - share) / source.n_classes:.2f} with nothing decoded, "
        f"where chance is {1 / source.n_classes:.2f}."
        if severe
        else "None, as long as this split is kept.",
        remedy="Split by recording, with all windows of a stretch on one side; a pickle that "
        "does not name its recordings cannot be split honestly: cut windows from recordings "
        "(`phosphene data import`)."
        if severe
        else "Keep this split; a split of windows would leak.",
        trials=first_rows(shared_rows if severe else rows),
        n_trials=n_known if severe else len(rows),
    )


def _independence_finding(source: AuditSource, stretches: Stretches) -> Finding:
    """Say how many independent recordings there may be at most."""
    n, n_windows, sizes = stretches.n_stretches, len(source), stretches.sizes
    labels = source.labels
    low = np.full(n, source.n_classes)
    high = np.full(n, -1)
    np.minimum.at(low, stretches.stretch, labels)
    np.maximum.at(high, stretches.stretch, labels)
    constant = low == high
    n_pure = int((constant & (sizes > 1)).sum())
    n_long = int((sizes > 1).sum())
    per_class = np.bincount(low[constant], minlength=source.n_classes)
    evidence = {
        "windows": n_windows,
        "stretches": n,
        "windows_per_stretch_median": float(np.median(sizes)),
        "windows_per_stretch_most": int(sizes.max()),
        "seconds_per_stretch_median": float(np.median(stretches.lengths) / source.sfreq),
        "stretches_of_one_class": n_pure,
        "stretches_of_two_windows_or_more": n_long,
        "fewest_stretches_of_a_class": int(per_class.min()),
    }
    pure = n_pure == n_long
    return Finding(
        kind="few_independent_recordings",
        severity="warning",
        title=f"{n_windows} windows come from at most {n} independent stretches of recording",
        evidence=evidence,
        effect=f"n is {n} at most, not {n_windows}: an interval that counts windows is about "
        f"{np.sqrt(n_windows / n):.0f} times too narrow."
        + (
            " Each stretch holds one class, so labels were assigned to stretches, and a decoder "
            "that recognises a stretch needs no class."
            if pure
            else ""
        ),
        remedy="Count stretches, not windows; permute labels of whole stretches; hold whole "
        "stretches out.",
        trials=first_rows(np.flatnonzero(stretches.stretch == int(sizes.argmax()))),
        n_trials=n_windows,
    )
