"""How well the class was decoded from held-out trials."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from phosphene._checks import check_share
from phosphene.evaluation.auc import auc_interval, macro_auc, mean_present
from phosphene.evaluation.confusion import confusion_matrix as confusion_matrix
from phosphene.evaluation.confusion import (
    count_pairs,
    expected_recall,
    mean_recall,
    recall_interval,
)
from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.intervals import (
    cluster_bootstrap,
    decision_share,
    middle_of_draws,
    shared_training,
)
from phosphene.evaluation.units import check_labels, check_probabilities, group_numbers
from phosphene.score import Score

MIN_RECORDINGS = 3
"""Fewer held-out recordings carry no interval: with two, Student's t is 12.7."""
MOST_LABELS = 2**20
"""Labels of all permutations that are scored in one go; more take memory and no less time."""


def decoding_scores(
    probabilities: Float[np.ndarray, "trial class"],
    labels: Int[np.ndarray, " trial"],
    *,
    recordings: Iterable[Hashable],
    method: str,
    split: str = "",
    role: str = "result",
    blocks: Iterable[Hashable] | None = None,
    unit: str = "trial",
    n_permutations: int = 1000,
    seed: int = 0,
    reuse: float = 1.0,
) -> list[Score]:
    """Balanced accuracy and AUC over all held-out trials.

    Balanced accuracy (mean over classes of the share decoded correctly) pools trials of all folds,
    because a decision means the same in each. Probabilities of decoders from different folds are
    not on one scale, so the AUC is computed inside each recording (macro one-versus-rest; for two
    classes, of class 1) and averaged, weighted by trials. A class that a recording lacks is left
    out there.

    The interval is one of the score that decoders trained so reach on average in other recordings.
    It rests on recordings when at least 3 were held out (`cluster_bootstrap`), else, or where all
    recordings agree, on trials: exact binomial for balanced accuracy, bootstrap over trials for the
    AUC; in a blocked design with fewer than 3 recordings there is none. It is widened for folds
    that train on each other's trials (`shared_training`).

    The chance range permutes labels at their independent unit and keeps the decisions. Where folds
    share trials it is stretched about its mean, by the square root of 1 + ``reuse`` for the AUC,
    and of 1 + `decision_share` ``reuse`` for balanced accuracy, which is what training anew on
    permuted labels gives.

    Parameters
    ----------
    probabilities
        Of each class, from decoders that never saw the trial's recording; rows sum to 1.
    labels
        Class shown, every class at least once; in the order of time within a recording.
    recordings
        Recording of each trial.
    method, split, role
        Words for the `Score`.
    blocks, unit
        Level at which labels were randomised, from `independent_unit`.
    n_permutations
        Of the chance range.
    seed
        Of permutations and bootstrap.
    reuse
        Share of pairs of held-out and training trials that count in both directions, from
        `permutation.pair_reuse`: 1 where each recording was left out in turn, 0 for one decoder,
        or decoders whose training trials are never scored (as for noise input).

    Returns
    -------
    list of Score
        Balanced accuracy, then AUC.

    Raises
    ------
    ValueError
        If probabilities are not probabilities, a class has no trial, or no recording holds two
        classes.

    References
    ----------
    Brodersen et al., ICPR 2010, for balanced accuracy; Ojala and Garriga, JMLR 2010, for
    permutation.
    """
    check_labels(labels, probabilities.shape[1])
    recording = group_numbers("recordings", recordings, len(labels))
    block = None if blocks is None else group_numbers("blocks", blocks, len(labels))
    check_share("reuse", reuse)
    scores = _scores(probabilities, labels, recording, block, unit, n_permutations, seed, reuse)
    return [replace(score, method=method, split=split, role=role) for score in scores]


def recording_scores(
    probabilities: Float[np.ndarray, "trial class"],
    labels: Int[np.ndarray, " trial"],
    *,
    recordings: Iterable[Hashable],
    method: str,
    split: str = "",
    role: str = "result",
    n_permutations: int = 200,
    seed: int = 0,
) -> list[Score]:
    """Balanced accuracy and AUC of each held-out recording, with its id in ``fold``.

    As `decoding_scores` in a randomised design; intervals rest on the trials of the recording and
    say nothing about other recordings. Recordings that hold one class only are left out.
    """
    check_labels(labels, probabilities.shape[1])
    names = np.array([str(name) for name in recordings])
    recording = group_numbers("recordings", names, len(labels))
    scores = []
    for r in range(recording.max() + 1):
        rows = recording == r
        if len(np.unique(labels[rows])) > 1:
            found = _scores(
                probabilities[rows],
                labels[rows],
                recording[rows] * 0,
                None,
                "trial",
                n_permutations,
                seed,
                0.0,
            )
            fold = str(names[rows][0])
            scores += [
                replace(score, method=method, split=split, role=role, fold=fold) for score in found
            ]
    return scores


def _scores(
    probabilities: np.ndarray,
    labels: np.ndarray,
    recording: np.ndarray,
    block: np.ndarray | None,
    unit: str,
    n_permutations: int,
    seed: int,
    reuse: float,
) -> list[Score]:
    check_probabilities(probabilities)
    n_trials, n_classes = probabilities.shape
    permute = label_permuter(labels, recordings=recording, blocks=block, unit=unit)
    decoded = probabilities.argmax(axis=1)
    parts = [np.flatnonzero(recording == r) for r in range(recording.max() + 1)]
    ranks = [stats.rankdata(probabilities[rows], axis=0) for rows in parts]
    sizes = np.array([len(rows) for rows in parts])

    def both(shown: np.ndarray) -> np.ndarray:
        pairs = zip(parts, ranks, strict=True)
        aucs = np.stack([macro_auc(rank, shown[..., rows]) for rows, rank in pairs], axis=-1)
        recall = mean_recall(count_pairs(shown, decoded, n_classes=n_classes))
        return np.stack([recall, mean_present(aucs, sizes)], axis=-1)

    rng = np.random.default_rng(seed)
    at_once = max(1, MOST_LABELS // n_trials)
    draws = [
        both(permute(rng, min(at_once, n_permutations - start)))
        for start in range(0, n_permutations, at_once)
    ]
    mean, low, high = middle_of_draws(np.concatenate(draws))
    decisions = decision_share(n_classes)
    stretch = np.sqrt([1 + reuse * decisions, 1 + reuse])
    low = np.minimum(low, mean + stretch * (low - mean)).clip(0)
    high = np.maximum(high, mean + stretch * (high - mean)).clip(max=1)
    tables = np.array(
        [count_pairs(labels[rows], decoded[rows], n_classes=n_classes) for rows in parts]
    )
    aucs = np.array(
        [macro_auc(rank, labels[rows]) for rows, rank in zip(parts, ranks, strict=True)]
    )
    accuracy, auc = both(labels)

    twice = reuse * shared_training(auc)
    shared = (twice * decisions, twice)
    n_recordings = int(np.isfinite(aucs).sum())  # those with at least two classes
    over_recordings = (
        lambda drawn: mean_recall(np.tensordot(drawn, tables, 1)),
        lambda drawn: mean_present(aucs, sizes * drawn),
    )
    over_trials = (
        lambda: recall_interval(tables.sum(axis=0), shared=shared[0]),
        lambda: auc_interval(probabilities, labels, parts=parts, seed=seed, shared=shared[1]),
    )
    trial_texts = ("exact binomial over trials", "t with bootstrap error over trials")

    def interval(i: int) -> dict[str, Any]:
        if n_recordings >= MIN_RECORDINGS:
            ends = cluster_bootstrap(
                over_recordings[i],
                len(parts),
                bounds=(0.0, 1.0),
                seed=seed,
                shared=shared[i],
                log_odds=True,
                at_once=True,
            )
            if ends[1] - ends[0] > 1e-9 or unit == "block":
                text = f"t with bootstrap error over {len(parts)} recordings ({n_trials} trials)"
                return _fields(ends, len(parts), "recordings", text)
        if unit == "trial":  # few recordings, or all alike, as when every trial was decoded
            return _fields(over_trials[i](), n_trials, "trials", trial_texts[i])
        text = "none: labels constant within blocks and fewer than 3 recordings"
        return _fields((None, None), len(parts), "recordings", text)

    chances = (expected_recall(tables) if unit == "trial" else float(mean[0]), 0.5)
    return [
        Score(
            name=("balanced accuracy", "AUC")[i],
            value=(accuracy, auc)[i],
            chance=chances[i],
            chance_low=float(low[i]),
            chance_high=float(high[i]),
            **interval(i),
        )
        for i in range(2)
    ]


def _fields(
    ends: tuple[float | None, float | None], n: int, unit: str, text: str
) -> dict[str, Any]:
    return {"low": ends[0], "high": ends[1], "n": n, "unit": unit, "interval": text}
