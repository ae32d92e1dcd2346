"""Trials and whole recordings that occur more than once."""

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from phosphene.audit.finding import Finding, first_rows
from phosphene.audit.likeness import find_copies
from phosphene.audit.recording_likeness import find_recording_copies
from phosphene.audit.source import AuditSource
from phosphene.audit.stretches import join_windows
from phosphene.data.splits import Split

WHOLE = 0.5
"""Share of a recording's trials with a copy in another one from which the recording is a copy."""
LEAST_COPIES = 3
"""Trials, too, that such recordings must share."""
_SHOWN = 10


def check_duplicates(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Find copies of trials and of recordings: exact, rescaled, shifted, resampled.

    Windows of one recording that overlap are no copies, whether the source says what samples they
    hold or that is recovered from the samples.
    """
    copies = find_copies(source.epochs, rng, is_explained=_overlaps(source))
    pairs = copies.pairs()
    hows = [copies.how[copies.group[one]] for one, _ in pairs]
    for one, other, how in (*_same_content(source, pairs), *_shifted(source)):
        pairs = np.concatenate([pairs, [[one, other]]])
        hows.append(how)
    names = source.column("recording")
    whole = _recordings_by_signal(source)
    for key, how in _recordings_by_trials(names, pairs, hows).items():
        whole.setdefault(key, how)
    findings = []
    if whole:
        findings.append(_recording_finding(source, split, whole))
    if names is not None and whole:
        apart = [_key(str(names[one]), str(names[other])) not in whole for one, other in pairs]
        pairs, hows = pairs[apart], [how for how, kept in zip(hows, apart, strict=True) if kept]
    if len(pairs):
        findings.append(_trial_finding(source, split, pairs, hows))
    return findings


def _overlaps(source: AuditSource) -> Callable[[np.ndarray], np.ndarray]:
    """Return what says of pairs whether their windows are at different places of one signal."""
    names, start, stop = (source.column(name) for name in ("recording", "start", "stop"))
    if names is None or start is None or stop is None:
        n_times = source.epochs.shape[2]
        found = join_windows(source.seams, n_windows=len(source), n_times=n_times)
        names, start, stop = found.stretch, found.start, found.start + n_times

    def is_explained(pairs: np.ndarray) -> np.ndarray:
        one, other = pairs.T
        later = np.maximum(start[one], start[other])
        shared = np.minimum(stop[one], stop[other]) - later
        return (names[one] == names[other]) & (start[one] != start[other]) & (shared > 0)

    return is_explained


def _same_content(source: AuditSource, pairs: np.ndarray) -> list[tuple[int, int, str]]:
    """Return trials cut from equal samples of a source though their epochs differ."""
    content = source.column("content")
    if content is None:
        return []
    known = {frozenset(pair) for pair in pairs.tolist()}
    _, first, inverse = np.unique(content, return_index=True, return_inverse=True)
    rows = np.flatnonzero(first[inverse] != np.arange(len(content)))
    found = [(int(first[inverse[row]]), int(row)) for row in rows]
    return [(*pair, "the same samples in the source") for pair in found if set(pair) not in known]


def _shifted(source: AuditSource) -> list[tuple[int, int, str]]:
    """Return windows that share samples though, by what the source says, they should not.

    Where it says nothing, such windows are the matter of `check_overlap`.
    """
    names, start, stop = (source.column(name) for name in ("recording", "start", "stop"))
    if names is None or start is None or stop is None:
        return []
    seams, n_times = source.seams, source.epochs.shape[2]
    found = []
    for one, other, lag in zip(seams.first, seams.second, seams.lag, strict=True):
        rate = (stop[one] - start[one]) / n_times  # samples of the source per sample of the epoch
        expected = names[one] == names[other] and abs(start[other] - start[one] - lag * rate) <= 2
        if lag > 0 and not expected:
            found.append((int(one), int(other), f"shifted by {lag} samples"))
    return found


def _recordings_by_signal(source: AuditSource) -> dict[tuple[str, str], str]:
    found = {}
    for copy in find_recording_copies(source.recordings):
        one, other = (source.recordings[k].recording for k in (copy.one, copy.other))
        words = f"{copy.how}; correlation {copy.correlation:.3f} over {copy.seconds:.0f} s"
        found[_key(one, other)] = words
    return found


def _recordings_by_trials(
    names: np.ndarray | None, pairs: np.ndarray, hows: list[str]
) -> dict[tuple[str, str], str]:
    """Return recordings of which most trials have a copy in another one."""
    if names is None:
        return {}
    sizes = Counter(names.tolist())
    shared: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    for (one, other), how in zip(pairs.tolist(), hows, strict=True):
        if names[one] != names[other]:
            shared.setdefault(_key(str(names[one]), str(names[other])), []).append(
                (one, other, how)
            )
    found = {}
    for key, rows in shared.items():
        n_least = min(sizes[name] for name in key)
        n_copies = len({other for _, other, _ in rows})
        if n_copies >= max(LEAST_COPIES, WHOLE * n_least):
            how = Counter(how for _, _, how in rows).most_common(1)[0][0]
            found[key] = f"{how}; {n_copies} of {n_least} trials have a copy"
    return found


def _key(one: str, other: str) -> tuple[str, str]:
    """Return two names in the order of the alphabet."""
    return (one, other) if one <= other else (other, one)


def _recording_finding(
    source: AuditSource, split: Split | None, whole: Mapping[tuple[str, str], str]
) -> Finding:
    names = source.column("recording")
    concerned = {name for pair in whole for name in pair}
    rows = np.flatnonzero(np.isin(names, list(concerned))) if names is not None else np.zeros(0)
    apart = _folds_with_both(source, split, whole)
    listed = [f"{one} and {other}: {how}" for (one, other), how in whole.items()]
    one_pair = " and ".join(next(iter(whole)))
    return Finding(
        kind="duplicated_recording",
        severity="warning" if split is not None and not apart else "severe",
        title=f"{len(whole)} pairs of recordings hold the same signal"
        if len(whole) > 1
        else f"The recordings {one_pair} hold the same signal",
        evidence={
            "pairs": listed[:_SHOWN],
            "n_pairs": len(whole),
            **({} if split is None else {"folds_with_a_copy_on_both_sides": apart}),
        },
        effect="Leaving one recording out does not help: its copy trains. A decoder that remembers "
        "training trials is right on all of the copy, whatever the signal holds; and the number "
        "of independent recordings is counted too high."
        if split is None or apart
        else "No fold of this split has a copy on both sides, but the recordings are counted as "
        "independent, so intervals are too narrow.",
        remedy=f"Import again without {sorted(concerned)[-1]}"
        if len(whole) == 1
        else "Import again with one recording of each pair.",
        trials=first_rows(rows),
        n_trials=len(rows),
    )


def _folds_with_both(
    source: AuditSource, split: Split | None, whole: Mapping[tuple[str, str], str]
) -> list[str]:
    names = source.column("recording")
    if split is None or names is None:
        return []
    keys = []
    for fold in source.folds(split):
        train, test = set(names[fold.train]), set(names[fold.test])
        if any(
            (one in train and other in test) or (other in train and one in test)
            for one, other in whole
        ):
            keys.append(fold.key)
    return keys


def _trial_finding(
    source: AuditSource, split: Split | None, pairs: np.ndarray, hows: list[str]
) -> Finding:
    rows = np.unique(pairs)
    names = source.column("recording")
    counts = dict(Counter(hows).most_common())
    evidence = {
        "copies": [f"{n} {how}" for how, n in counts.items()][:_SHOWN],
        "pairs": pairs[:_SHOWN].tolist(),
        "n_copies": len(pairs),
    }
    n_test, n_leaked, leaked = _copies_across(source, split, pairs)
    crosses = names is None or bool((names[pairs[:, 0]] != names[pairs[:, 1]]).any())
    if split is not None:
        evidence |= {"test_trials_with_a_copy_in_training": n_leaked, "test_trials": n_test}
    if split is not None and n_leaked:
        share = n_leaked / n_test
        effect = (
            f"A decoder that only remembers training trials is right on {n_leaked} of {n_test} "
            f"test trials: where it is otherwise at chance, its accuracy reads "
            f"{share + (1 - share) / source.n_classes:.2f} instead of {1 / source.n_classes:.2f}."
        )
    elif split is not None:
        effect = (
            "No copy stands on the other side of this split; but copies count as independent "
            "trials, so intervals are too narrow, and they weigh twice in training."
        )
    else:
        effect = (
            "A split that does not know of the copies puts them on both sides, and a decoder that "
            "remembers training trials is right on them."
        )
    severe = bool(n_leaked) if split is not None else crosses
    shown = leaked if len(leaked) else rows
    return Finding(
        kind="duplicated_trials",
        severity="severe" if severe else "warning",
        title=f"{len(pairs)} trials are copies of others ({', '.join(list(counts)[:3])})",
        evidence=evidence,
        effect=effect,
        remedy="Remove the copies from the source and import again; every trial once.",
        trials=first_rows(shown),
        n_trials=len(rows),
    )


def _copies_across(
    source: AuditSource, split: Split | None, pairs: np.ndarray
) -> tuple[int, int, np.ndarray]:
    """Return test trials, those with a copy that trains, and the rows of the latter.

    Copies are linked to the first of their group; so a group is on both sides if its rows are.
    """
    if split is None:
        return 0, 0, np.zeros(0, np.int64)
    n = len(source)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    n_test, leaked = 0, []
    for fold in source.folds(split):
        n_test += len(fold.test)
        known = np.concatenate([fold.train, fold.val])
        leaked.append(fold.test[np.isin(group[fold.test], group[known])])
    rows = np.concatenate(leaked)
    return n_test, len(rows), np.unique(rows)
