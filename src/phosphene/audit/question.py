"""One question of an audit: is the class told by something that holds no response.

Each is put to a linear discriminant that is tested on recordings it has not seen, and to
permutations of the labels at the independent unit. A p-value is multiplied by `N_TESTS`
(Bonferroni), so that all questions together are wrongly answered with "severe" in at most one clean
data set of a hundred; besides, a severe finding has to be large.
"""

from collections.abc import Callable

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError, Finding, first_rows
from phosphene.audit.nuisances import Stretch
from phosphene.audit.prediction import Prediction, predict_class
from phosphene.audit.randomisation import (
    Randomisation,
    held_out_parts,
    randomisation_of,
    recording_numbers,
)
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split

N_TESTS = 11
"""Questions that `run_audit` puts: times 1, order 2, before onset 2, level 2, size 2, mains 2."""
SURE, LIKELY = 0.01, 0.05
"""Corrected p-values up to which a finding is severe, and up to which it is a warning."""
HUGE, LARGE, SMALL = 0.5, 0.2, 0.05
"""How far accuracy lies above chance, as a share of the way to 1: for severe where a filter may
explain it too, for severe, and for a warning."""
MAX_TRIALS = 3000
"""Trials that are looked at; of more, as many are drawn."""

MEND_DESIGN = (
    "Randomise the order of classes anew for every recording. With these data, leave the class or "
    "the recordings out that cause it; no split and no filter removes it."
)


def predict_from_stretches(
    source: AuditSource,
    split: Split | None,
    stretches: list[Stretch | None],
    of: Callable[[np.ndarray, float], np.ndarray],
    rng: np.random.Generator,
    *,
    asked: Stretch | None = None,
) -> dict[str, Prediction]:
    """Put the question to each stretch that there is; `asked` is what held-out trials show."""
    check_two_classes(source)
    there = [stretch for stretch in stretches if stretch is not None]
    if not there:
        return {}
    randomisation = randomisation_of(source)
    parts, _ = held_out_parts(source, split, rng)
    found = {}
    for stretch in there:
        rows = _drawn(stretch.rows, rng)
        features = stretch.features(of, rows)
        usable = np.isfinite(features).all(axis=1)
        rows, features = rows[usable], features[usable]
        if len(np.unique(source.labels[rows])) < 2 or len(np.unique(parts[rows])) < 2:
            raise CheckNotPossibleError("too few trials have finite samples there")
        name = stretch.where if asked is None else asked.where
        found[name] = predict_class(
            features,
            source.labels,
            asked=None if asked is None else asked.features(of, rows),
            rows=rows,
            parts=parts,
            recordings=recording_numbers(source),
            permute=randomisation.permute,
            rng=rng,
        )
    return found


def predict_from_table(
    source: AuditSource,
    split: Split | None,
    features: np.ndarray,
    randomisation: Randomisation,
    rng: np.random.Generator,
) -> Prediction:
    """Put the question to features that the table gives."""
    rows = _drawn(np.arange(len(source)), rng)
    parts, _ = held_out_parts(source, split, rng)
    return predict_class(
        features[rows],
        source.labels,
        rows=rows,
        parts=parts,
        permute=randomisation.permute,
        rng=rng,
    )


def corrected(found: Prediction) -> float:
    """Return the p-value, corrected for all questions."""
    return min(1.0, found.p_value * N_TESTS)


def severity_of(found: Prediction | None, *, large: float = LARGE) -> str | None:
    """Return what a prediction amounts to; None where it may be chance or does not matter."""
    if found is None:
        return None
    if corrected(found) <= SURE and found.excess >= large:
        return "severe"
    return "warning" if corrected(found) <= LIKELY and found.excess >= SMALL else None


def worst_of(found: dict[str, Prediction]) -> tuple[str | None, str]:
    """Return the worst severity, and of which of the predictions."""
    ranks = {"severe": 2, "warning": 1, None: 0}
    name = max(found, key=lambda name: (ranks[severity_of(found[name])], found[name].excess))
    return severity_of(found[name]), name


def check_two_classes(source: AuditSource) -> None:
    """Refuse a question about one class."""
    if len(np.unique(source.labels)) < 2:
        raise CheckNotPossibleError("there is one class only")


def finding_of(
    kind: str,
    severity: str,
    title: str,
    found: dict[str, Prediction],
    *,
    effect: str,
    remedy: str,
) -> Finding:
    """Put the numbers of predictions into a finding."""
    evidence: dict[str, int | float | str | list] = {}
    for name, prediction in found.items():
        evidence |= {
            f"{name}: balanced accuracy": round(prediction.accuracy, 4),
            f"{name}: permuted labels": round(prediction.chance, 4),
            f"{name}: p, corrected": round(corrected(prediction), 5),
            f"{name}: trials": prediction.n_rows,
        }
    evidence["chance"] = 1 / next(iter(found.values())).n_classes
    shown = max(found.values(), key=lambda prediction: prediction.excess)
    return Finding(
        kind=kind,
        severity=severity,
        title=title,
        evidence=evidence,
        effect=effect,
        remedy=remedy,
        trials=first_rows(shown.right),
        n_trials=len(shown.right),
    )


def _drawn(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if len(rows) <= MAX_TRIALS:
        return rows
    return np.sort(rng.choice(rows, MAX_TRIALS, replace=False))
