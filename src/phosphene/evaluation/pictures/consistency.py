"""Whether a judge sees in the generated picture the class it should show."""

from collections.abc import Hashable, Iterable

import numpy as np
from jaxtyping import Int

from phosphene._checks import check_option
from phosphene.evaluation.confusion import count_pairs
from phosphene.evaluation.intervals import binomial_interval, middle_of_draws
from phosphene.evaluation.units import check_labels, group_numbers
from phosphene.score import Score

TARGETS = ("decoded", "shown")


def class_consistency(
    judged: Int[np.ndarray, " picture"],
    expected: Int[np.ndarray, " picture"],
    *,
    target: str,
    n_classes: int,
    method: str,
    extractor: str,
    split: str = "",
    role: str = "result",
    recordings: Iterable[Hashable] | None = None,
    n_permutations: int = 1000,
    seed: int = 0,
) -> Score:
    """Share of generated pictures in which the judge sees the expected class, 0 to 1.

    Against the decoded class it grades the generator alone: a generator can be perfect here while
    decoding is at chance. Against the shown class it grades the whole way from signal to picture,
    and cannot exceed decoding by much. The judge's own errors count against both: print the value
    of real pictures.

    Chance is what judge and expectation would agree on if they were unrelated and kept their
    frequencies; its range permutes the expected classes (within recordings, where given).

    Parameters
    ----------
    judged
        Class the judge sees, one picture per held-out trial; the judge never saw a picture that the
        generator was trained on.
    expected
        Class decoded from the trial, or shown in it.
    target
        Which of the two: "decoded" or "shown".
    n_classes
        Number of classes.
    method, extractor, split, role
        Words for the `Score`.
    recordings
        Recording of each trial; None: one group.
    n_permutations, seed
        Of the chance range.

    Raises
    ------
    ValueError
        If a class is out of range or there is no picture.
    """
    check_option("target", target, TARGETS)
    check_labels(judged, n_classes, complete=False)
    check_labels(expected, n_classes, complete=False)
    n = len(judged)
    group = group_numbers("recordings", [0] * n if recordings is None else recordings, n)
    parts = [np.flatnonzero(group == g) for g in range(group.max() + 1)]
    hits = int((judged == expected).sum())
    low, high = binomial_interval(hits, n)
    tables = [count_pairs(expected[rows], judged[rows], n_classes=n_classes) for rows in parts]
    agreement = [float(t.sum(axis=0) @ t.sum(axis=1)) / t.sum() for t in tables]

    rng = np.random.default_rng(seed)
    draws = [
        sum((judged[rng.permutation(rows)] == expected[rows]).sum() for rows in parts) / n
        for _ in range(n_permutations)
    ]
    _, chance_low, chance_high = middle_of_draws(np.array(draws))
    return Score(
        name=f"class consistency ({target})",
        value=hits / n,
        low=low,
        high=high,
        n=n,
        unit="trials",
        chance=sum(agreement) / n,
        chance_low=float(chance_low),
        chance_high=float(chance_high),
        section="pictures",
        role=role,
        method=method,
        split=split,
        extractor=extractor,
        interval="exact binomial over trials",
    )
