"""Scores that every recipe takes from the folds of its run folder in the same way."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from phosphene.data.splits import PUBLISHED, PUBLISHED_SPLIT
from phosphene.evaluation.control_range import renamed_ranges, widest_range
from phosphene.evaluation.permutation import pair_reuse
from phosphene.run_dir import RunDir
from phosphene.score import Score

NULL_RANGE = (
    "chance range the widest of 200 linear decoders, each trained on other permuted labels, of "
    "these decisions against permuted labels, and of these decisions with classes renamed"
)
NOISE = "nothing retrained; held-out signals replaced by noise like each recording"


def split_words(split: Mapping[str, Any], *, n_folds: int | None, n_decoded: int) -> str:
    """Say in words how a split keeps training and test apart.

    Parameters
    ----------
    split
        The content of split.json.
    n_folds
        Folds that were asked for; None where every unit is left out in turn.
    n_decoded
        Folds whose held-out trials were decoded so far.
    """
    unit, n = split["unit"], len(split["folds"])
    words = f"leave one {unit} out"
    if n_folds is not None or unit == "trial":
        words = f"{n} folds of {unit}s"
    if unit in (PUBLISHED, PUBLISHED_SPLIT):
        words = "published split"
    return words if n_decoded == n else f"{words}, {n_decoded} of {n} decoded"


def leak_stamps(split: Mapping[str, Any]) -> str:
    """Return what a run's split says against its scores, empty where it says nothing."""
    stamps = {"leak allowed": split.get("leak_reason"), "doubt": split.get("doubt")}
    return "; ".join(f"{name}: {reason}" for name, reason in stamps.items() if reason)


def stamp_scores(scores: list[Score], split: Mapping[str, Any]) -> list[Score]:
    """Put the leak that was allowed and the doubt of a split into the note of every score."""
    stamp = leak_stamps(split)
    if not stamp:
        return scores
    return [replace(s, note=f"{stamp}; {s.note}" if s.note else stamp) for s in scores]


def ceiling_scores(dataset: Mapping[str, Any]) -> list[Score]:
    """Return the best accuracy that any decoder can reach, where dataset.json knows it."""
    found = dataset.get("ceiling") or {}
    if found.get("accuracy") is None:
        return []
    return [
        Score(
            name="balanced accuracy",
            value=found["accuracy"],
            low=found.get("low"),
            high=found.get("high"),
            n=int(found.get("n") or 1),
            unit="draws",
            chance=found.get("chance"),
            section="ceiling",
            role="reference",
            method="best possible decoder",
            interval="Monte Carlo",
            note="from the simulator's class-conditional distributions; knows gain and drift",
        )
    ]


def pool_arrays(run: RunDir, keys: Iterable[str], name: str) -> dict[str, np.ndarray]:
    """Return the arrays that all folds have in a file, one after the other, and each row's fold.

    Parameters
    ----------
    run
        The run folder.
    keys
        Folds, in the order in which they are wanted; those without the file are passed over.
    name
        Such as decoding.npz; must hold `labels`.
    """
    parts = [
        {**run.read_arrays(f"folds/{key}/{name}"), "fold": np.array(key)}
        for key in keys
        if run.has(f"folds/{key}/{name}")
    ]
    if not parts:
        return {}
    for part in parts:
        part["fold"] = np.full(len(part["labels"]), str(part["fold"]))
    common = [key for key in parts[0] if all(key in part for part in parts)]
    return {key: np.concatenate([part[key] for part in parts]) for key in common}


def null_ranges(
    run: RunDir, fold_of_trial: np.ndarray, folds: list[str]
) -> dict[str, tuple[float, float]]:
    """Return the 95 % range of balanced accuracy and AUC over decoders of permuted labels.

    Folds count by their trials; each has linear_null.npz, see `retrained_null.linear_null`. Those
    in which a score cannot be told, such as the AUC of a single trial, are left out of its range.
    """
    weights = np.array([(fold_of_trial == key).sum() for key in folds], dtype=np.float64)
    nulls = np.stack([run.read_arrays(f"folds/{key}/linear_null.npz")["scores"] for key in folds])
    known = np.all(np.isfinite(nulls), axis=1)  # (fold, score)
    ranges = {}
    for i, name in enumerate(("balanced accuracy", "AUC")):
        if (some := known[:, i]).any():
            mean = np.tensordot(weights[some] / weights[some].sum(), nulls[some], 1)[:, i]
            low = np.quantile(mean, 0.025, method="lower")
            high = np.quantile(mean, 0.975, method="higher")
            ranges[name] = (float(low), float(high))
    return ranges


def put_null_ranges(
    scores: Iterable[Score],
    linear: Mapping[str, tuple[float, float]],
    *,
    arrays: Mapping[str, np.ndarray],
    key: str,
) -> list[Score]:
    """Give scores of decoders of permuted labels the range that fits these decoders.

    The widest of three: linear decoders trained on other permuted labels, these decisions against
    permuted labels (the range that scores bring, see `decoding_scores` with ``reuse=0``), and
    these decisions with classes renamed (`renamed_ranges`), which holds for decoders that answer in
    lumps.

    Parameters
    ----------
    scores
        Balanced accuracy and AUC; none where the decoder was not trained again.
    linear
        From `null_ranges`.
    arrays
        Of null.npz, pooled over folds: labels, fold, recording and probabilities.
    key
        Name of the probabilities.
    """
    scores = list(scores)
    if not scores:  # a decoder that was not trained again
        return []
    renamed = renamed_ranges(
        arrays[key], arrays["labels"], folds=arrays["fold"], recordings=arrays["recording"]
    )
    found = []
    for score in scores:
        own = (score.chance_low, score.chance_high)
        low, high = widest_range(own, linear.get(score.name), renamed.get(score.name)) or own
        found.append(replace(score, chance_low=low, chance_high=high))
    return found


def reuse_of(arrays: Mapping[str, np.ndarray], dataset: Mapping[str, Any]) -> float:
    """Return `pair_reuse` of the folds that were decoded, of all trials in dataset.json."""
    n_trials = int(dataset.get("n_trials") or 0)
    return pair_reuse(arrays["fold"], n_trials=max(n_trials, len(arrays["labels"])))
