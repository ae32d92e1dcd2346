"""Is the class told by when a trial took place, by its number, or by the class before it."""

from collections.abc import Callable

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError, Finding
from phosphene.audit.nuisances import clock, place_in_order
from phosphene.audit.prediction import ALL_PERMUTATIONS, FEW, FIRST_PERMUTATIONS, Prediction
from phosphene.audit.question import (
    HUGE,
    MEND_DESIGN,
    check_two_classes,
    finding_of,
    predict_from_table,
    severity_of,
)
from phosphene.audit.randomisation import randomisation_of, recording_numbers, time_order
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split


def check_time_stamps(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Ask whether onset times tell the class."""
    features = clock(source)
    if features is None:
        raise CheckNotPossibleError("the data do not say when trials took place")
    check_two_classes(source)
    randomisation = randomisation_of(source, unit="trial")
    found = predict_from_table(source, split, features, randomisation, rng)
    severity = severity_of(found)
    if severity is None:
        return []
    return [
        finding_of(
            "class_from_time_stamps",
            severity,
            f"onset times alone tell the class in {found.accuracy:.0%} of trials",
            {"onsets": found},
            effect="A decoder that knows when a trial took place, from drift, fatigue or the "
            "response to its neighbours, scores as much without any response to the class.",
            remedy="Draw the pauses between trials without regard to class. " + MEND_DESIGN,
        )
    ]


def check_trial_index(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Ask whether the place of a trial in its recording, or the class before, tells the class."""
    order = time_order(source)
    if order is None:
        raise CheckNotPossibleError("the data do not say in which order trials took place")
    check_two_classes(source)
    randomisation = randomisation_of(source, unit="trial")
    place = predict_from_table(source, split, place_in_order(source, order), randomisation, rng)
    previous = predict_from_previous(
        source.labels, order, recording_numbers(source), permute=randomisation.permute, rng=rng
    )
    findings = []
    if severity := severity_of(place):
        findings.append(
            finding_of(
                "class_from_trial_index",
                severity,
                f"the number of a trial in its recording tells the class in {place.accuracy:.0%}",
                {"place": place},
                effect="Whatever changes in the course of a recording (drift, fatigue, gel) tells "
                "the class in held-out recordings too.",
                remedy=MEND_DESIGN,
            )
        )
    severity = severity_of(previous, large=HUGE)
    if severity and not findings:
        findings.append(
            finding_of(
                "class_from_trial_index",
                severity,
                f"the class of the trial before tells the class in {previous.accuracy:.0%}",
                {"class before": previous},
                effect="Where windows hold some of the response to the picture before, that "
                "response tells the class of this one.",
                remedy="Draw every class without regard to the one before; allow repetitions, or "
                "keep windows short of the next picture (--tmax).",
            )
        )
    return findings


def predict_from_previous(
    labels: np.ndarray,
    order: np.ndarray,
    recordings: np.ndarray,
    *,
    permute: Callable[[np.random.Generator], np.ndarray],
    rng: np.random.Generator,
) -> Prediction:
    """Tell the class of a trial from the class of the trial before, by counts of all other pairs.

    Parameters
    ----------
    labels
        Class of each trial.
    order
        Rows in the order of recording and time.
    recordings
        Recording of each trial; the first of each has no trial before.
    permute
        Draws permuted labels.
    rng
        Of the permutations.
    """
    same = recordings[order][1:] == recordings[order][:-1]
    before, after = order[:-1][same], order[1:][same]
    n_classes = int(labels.max()) + 1

    def decode(labels: np.ndarray) -> tuple[np.ndarray, float]:
        pairs = labels[before] * n_classes + labels[after]
        table = np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
        shares = np.bincount(labels[after], minlength=n_classes).clip(min=1)
        others = table[labels[before]].astype(float)
        others[np.arange(len(after)), labels[after]] -= 1
        predicted = (others / shares).argmax(axis=1)
        right = predicted == labels[after]
        hits = np.bincount(labels[after], right, minlength=n_classes)
        counts = np.bincount(labels[after], minlength=n_classes)
        return right, float((hits[counts > 0] / counts[counts > 0]).mean())

    right, accuracy = decode(labels)
    null = np.array([decode(permute(rng))[1] for _ in range(FIRST_PERMUTATIONS)])
    if (null >= accuracy - 1e-12).sum() <= FEW:
        n_more = ALL_PERMUTATIONS - FIRST_PERMUTATIONS
        null = np.append(null, [decode(permute(rng))[1] for _ in range(n_more)])
    return Prediction(
        accuracy=accuracy,
        chance=float(null.mean()),
        p_value=float((null >= accuracy - 1e-12).sum() + 1) / (len(null) + 1),
        n_permutations=len(null),
        n_rows=len(after),
        right=after[right],
        n_classes=n_classes,
    )
