"""P-values of decoding scores from permuted labels, calibrated for folds that share trials."""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from phosphene._checks import check_finite, check_option, check_positive, check_share
from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.units import check_labels, group_numbers, runs_of_labels

STATISTICS = ("AUC", "balanced accuracy")

ENOUGH = 99
"""Retrained decoders from which a p-value is their plain share; fewer only correct a spread."""
PRIOR = 20
"""How many retrained decoders the theoretical spread counts as, beside those that were trained."""
_SAME = 1e-9
"""Scores nearer than this count as equal: sums of equal numbers in another order."""


@dataclass(frozen=True, kw_only=True)
class HeldoutTest:
    """A score among those of the same decisions with held-out labels permuted."""

    statistic: str
    value: float
    mean: float
    """Of the permutations: the chance level."""
    sd: float
    """Of the permutations; 0 where the decoder says the same of all trials."""
    p_value: float
    """One-sided, decoders taken as given: too small where folds share trials, see `calibrate`."""
    n_permutations: int
    n_units: int
    """Trials or blocks that permuting exchanges."""
    n_arrangements: float
    """Different arrangements of the labels; inf where there are more than a float can hold."""

    @property
    def z(self) -> float:
        """Distance from the chance level in standard deviations; 0 where nothing varies."""
        return (self.value - self.mean) / self.sd if self.sd > _SAME else 0.0


def heldout_test(
    probabilities: Float[np.ndarray, "trial class"],
    labels: Int[np.ndarray, " trial"],
    *,
    recordings: Iterable[Hashable],
    blocks: Iterable[Hashable] | None = None,
    unit: str = "trial",
    statistic: str = "AUC",
    n_permutations: int = 1000,
    seed: int = 0,
) -> HeldoutTest:
    """Permute the labels of held-out trials at their independent unit; decisions stay.

    Exact for one decoder and trials that it never saw. Over folds it is not: a trial that is held
    out here trains the decoder of every other fold, and a pair of trials that are alike by chance
    counts twice, once each way. `calibrate` corrects for that.

    Parameters
    ----------
    probabilities
        Of each class, or any scores that rise with it, of held-out trials.
    labels
        Class shown; in the order of time within a recording.
    recordings
        Recording of each trial. Labels are exchanged inside, the AUC is computed inside.
    blocks, unit
        Level at which labels were randomised, from `independent_unit`.
    statistic
        "AUC" reads how sure the decoder was and needs about a third fewer trials for the same
        power; "balanced accuracy" reads decisions alone.
    n_permutations
        Permutations.
    seed
        Of the permutations.

    Raises
    ------
    ValueError
        If no recording holds two classes, a class has no trial, or a score is not finite.

    References
    ----------
    Ojala and Garriga, JMLR 2010; Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 2010, for one
    more in numerator and denominator.
    """
    check_option("statistic", statistic, STATISTICS)
    check_labels(labels, probabilities.shape[1])
    check_finite("probabilities", probabilities)
    check_positive("n_permutations", n_permutations)
    recording = group_numbers("recordings", recordings, len(labels))
    block = None if blocks is None else group_numbers("blocks", blocks, len(labels))
    permute = label_permuter(labels, recordings=recording, blocks=block, unit=unit)
    score = _scorer(probabilities, recording, statistic)
    value = float(score(labels[None])[0])
    if not math.isfinite(value):
        raise ValueError(
            "an AUC needs a held-out recording with two classes; got none; use the statistic "
            "'balanced accuracy'."
        )
    rng = np.random.default_rng(seed)
    draws = score(permute(rng, n_permutations))
    n_units, n_arrangements = count_arrangements(labels, recording, blocks=block, unit=unit)
    return HeldoutTest(
        statistic=statistic,
        value=value,
        mean=float(draws.mean()),
        sd=float(draws.std()),
        p_value=float((1 + (draws >= value - _SAME).sum()) / (1 + n_permutations)),
        n_permutations=n_permutations,
        n_units=n_units,
        n_arrangements=n_arrangements,
    )


def _scorer(
    probabilities: np.ndarray, recording: np.ndarray, statistic: str
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from labels, shape (permutation, trial), to one score for each row."""
    classes = range(probabilities.shape[1])
    if statistic == "balanced accuracy":
        decoded = probabilities.argmax(axis=1)
        hits = [(decoded == c).astype(np.float64) for c in classes]

        def accuracy(drawn: np.ndarray) -> np.ndarray:
            shown = [drawn == c for c in classes]
            recalls = [
                s @ hit / np.maximum(s.sum(axis=1), 1) for s, hit in zip(shown, hits, strict=True)
            ]
            held = [s.any(axis=1) for s in shown]
            return np.sum(recalls, axis=0) / np.sum(held, axis=0)

        return accuracy
    scored = classes[1:] if len(classes) == 2 else classes  # the AUC of class 0 is that of class 1
    parts = [np.flatnonzero(recording == r) for r in range(recording.max() + 1)]
    ranks = [stats.rankdata(probabilities[rows], axis=0) for rows in parts]

    def auc(drawn: np.ndarray) -> np.ndarray:
        total, weight = np.zeros(len(drawn)), np.zeros(len(drawn))
        for rows, rank in zip(parts, ranks, strict=True):
            found, n_valid = np.zeros(len(drawn)), np.zeros(len(drawn))
            for c in scored:
                mine = drawn[:, rows] == c
                n = mine.sum(axis=1)
                pairs = n * (len(rows) - n)
                above = mine @ rank[:, c] - n * (n + 1) / 2
                found += np.where(pairs > 0, above / np.maximum(pairs, 1), 0)
                n_valid += pairs > 0
            total += np.where(n_valid > 0, len(rows) * found / np.maximum(n_valid, 1), 0)
            weight += np.where(n_valid > 0, len(rows), 0)
        return np.where(weight > 0, total / np.maximum(weight, 1), np.nan)

    return auc


def count_arrangements(
    labels: Int[np.ndarray, " trial"],
    recordings: Iterable[Hashable],
    *,
    blocks: Iterable[Hashable] | None = None,
    unit: str = "trial",
) -> tuple[int, float]:
    """Count the units that permuting exchanges, and the different arrangements it can give.

    Parameters
    ----------
    labels, recordings, blocks, unit
        As for `label_permuter`; a block counts once.

    Returns
    -------
    n_units
        Units in recordings that hold two classes.
    n_arrangements
        Product of multinomial coefficients over recordings; inf beyond 1e300.
    """
    recording = group_numbers("recordings", recordings, len(labels))
    if unit == "trial":
        block = np.arange(len(labels))
    elif blocks is None:
        block = runs_of_labels(labels, recording)
    else:
        pairs = zip(recording, group_numbers("blocks", blocks, len(labels)), strict=True)
        block = group_numbers("blocks", pairs, len(labels))
    first = np.unique(block, return_index=True)[1]
    n_units, log_ways = 0, 0.0
    for r in np.unique(recording):
        counts = np.unique(labels[first][recording[first] == r], return_counts=True)[1]
        if len(counts) > 1:
            n_units += int(counts.sum())
            log_ways += math.lgamma(counts.sum() + 1) - sum(math.lgamma(c + 1) for c in counts)
    return n_units, round(math.exp(log_ways), 6) if log_ways < 690 else math.inf


def pair_reuse(folds: Iterable[Hashable], *, n_trials: int | None = None) -> float:
    """Share of pairs of held-out and training trials that count in both directions, 0 to 1.

    1 where every trial is held out once and trains the decoders of all other folds, as in leaving
    one recording out; 0 for a single fold; in between where some folds were decoded only.

    Parameters
    ----------
    folds
        Fold in which each held-out trial was decoded.
    n_trials
        Trials of the data set; None where all were held out.
    """
    sizes = np.unique([str(fold) for fold in folds], return_counts=True)[1].astype(np.float64)
    held = sizes.sum()
    total = held if n_trials is None else float(n_trials)
    if total < held or held == 0:
        raise ValueError(
            f"held-out trials are among those of the data set, at least one; got {held:.0f} of "
            f"{total:.0f}; pass the trials of the whole data set."
        )
    pairs = (sizes * (total - sizes)).sum()
    return float((held**2 - (sizes**2).sum()) / pairs) if pairs else 0.0


def calibrate(
    test: HeldoutTest,
    nulls: Iterable[HeldoutTest | float] = (),
    *,
    reuse: float = 1.0,
) -> float:
    """Return the p-value of a score over folds that share trials.

    The score's distance from chance in standard deviations of permuted held-out labels is held
    against that of decoders that were trained on permuted labels. With 99 of them or more, the
    p-value is the share that reaches it. With fewer, a normal distribution is taken whose variance
    is 1 + ``reuse``, as theory has it for a score that is linear in the labels (a pair of trials
    that counts twice has four times the variance of one, in place of twice), pulled towards what
    the decoders show: theory counts as 20 of them. Never below the p-value of the held-out labels.

    Parameters
    ----------
    test
        The score, from `heldout_test`.
    nulls
        The same of decoders trained on permuted labels, or their `z`. Labels must be permuted once
        for the whole data set, every fold be trained on them, and the same permuted labels be
        scored: labels permuted anew in each fold, or scored against the true ones, miss what folds
        share.
    reuse
        From `pair_reuse`.

    Notes
    -----
    Measured on discriminants of 16 to 224 features and 6 recordings of 50 trials with nothing to
    find: the standard deviation of z is 1.39, and the p-value of fixed decisions is below 0.05 in 8
    to 11 of 100 data sets (``benchmarks/honest_bench.py`` prints what is left of that).
    """
    check_share("reuse", reuse)
    z = np.array([null.z if isinstance(null, HeldoutTest) else null for null in nulls], float)
    check_finite("nulls", z)
    if test.sd <= _SAME:
        return 1.0  # a decoder that says the same of all trials
    if len(z) >= ENOUGH:
        p = (1 + (z >= test.z - _SAME).sum()) / (1 + len(z))
    else:
        variance = (PRIOR * (1 + reuse) + (z**2).sum()) / (PRIOR + len(z))
        p = stats.norm.sf(test.z / math.sqrt(variance))
    return float(max(p, test.p_value))
