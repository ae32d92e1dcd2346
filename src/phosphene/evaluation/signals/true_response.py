"""Simulated recordings only: generated responses against those that were planted."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from phosphene._checks import check_option
from phosphene.evaluation.intervals import null_range
from phosphene.evaluation.signals.specificity import NULLS, response_correlations
from phosphene.evaluation.signals.windows import picture_score
from phosphene.score import Score


def true_response_scores(
    true: Float[np.ndarray, "picture chan time"],
    generated: Float[np.ndarray, "_ _ _"],
    *,
    method: str,
    split: str = "",
    role: str = "result",
    exchanged: str = "pictures",
    n_permutations: int = 1000,
    n_resamples: int = 200,
    seed: int = 0,
) -> list[Score]:
    """Correlation of mean responses with the true ones, with and without what pictures share.

    A correlation over channels and samples, so that z-scored windows may be compared with a true
    response in volts. Real averages do not reach 1 either: noise is left in them, and z-scoring
    divides each window by its own spread. Their value is the ceiling, and stands beside as the
    reference.

    Parameters
    ----------
    true
        What the simulator planted for each picture.
    generated
        Mean response to each picture, pictures in one order.
    method, split, role
        Words for the `Score`.
    exchanged
        What the chance range draws anew, as in `specificity_scores`.
    n_permutations, n_resamples, seed
        Of the chance range and of the bootstrap over pictures.

    Returns
    -------
    list of Score
        "true response, own part": each set's mean over pictures taken off, chance 0. "true
        response": whole responses; chance is what the responses to other pictures have, which is
        high where pictures share most of it.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than 2 pictures, or a value is not finite.
    """
    check_option("exchanged", exchanged, NULLS)
    scores = []
    for name, removed in (("true response, own part", True), ("true response", False)):
        found = response_correlations(true, generated, grand_mean_removed=removed)
        n = len(found)
        own = np.arange(n)

        def drawn_anew(rng: np.random.Generator, found: np.ndarray = found) -> np.ndarray:
            rows = np.arange(len(found))
            if exchanged == "signs":
                return np.array((rng.choice([-1, 1], len(found)) * found[rows, rows]).mean())
            return np.array(found[rows, rng.permutation(len(found))].mean())

        mean, least, most = null_range(drawn_anew, n_draws=n_permutations, seed=seed)
        each = found[own, own]
        score = picture_score(
            name,
            lambda drawn, each=each: float(np.average(each, weights=drawn)),
            n,
            bounds=(-1.0, 1.0),
            higher_is_better=True,
            method=method,
            split=split,
            role=role,
            note="correlation over channels and samples, mean over pictures",
            n_resamples=n_resamples,
            seed=seed,
        )
        scores.append(
            replace(
                score,
                chance=0.0 if removed or exchanged == "signs" else float(mean),
                chance_low=float(least),
                chance_high=float(most),
            )
        )
    return scores
