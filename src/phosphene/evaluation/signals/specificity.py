"""Whether the mean generated response to a picture is that picture's, and not another's."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from phosphene._checks import check_option
from phosphene.evaluation.intervals import binomial_interval, null_range
from phosphene.evaluation.signals.windows import check_alike, picture_score
from phosphene.score import Score

NULLS = ("pictures", "signs")
"""What chance exchanges: pictures, or the signs of responses."""
NOTHING = 1e-6
"""Share of the whole response below which a difference between pictures is rounding."""


def response_correlations(
    real: Float[np.ndarray, "picture chan time"],
    generated: Float[np.ndarray, "_ _ _"],
    *,
    grand_mean_removed: bool = True,
) -> Float[np.ndarray, "n_generated n_real"]:
    """Correlate each generated mean response with each real one, over channels and samples.

    All pictures of a set share most of their response (a flash evokes one whatever it shows), so
    each set's mean over pictures is taken off first: else every response would resemble every
    other.

    Parameters
    ----------
    real, generated
        Mean response to each picture, pictures in one order.
    grand_mean_removed
        Whether what all pictures share is taken off.

    Returns
    -------
    correlations
        Row: generated; column: real. 0 where a set has the same response to all pictures.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than 2 pictures, or a value is not finite.
    """
    check_alike(real, generated)
    if len(real) != len(generated) or len(real) < 2:
        raise ValueError(
            "responses are compared over the same pictures, at least 2; got "
            f"{len(real)} real and {len(generated)} generated; average windows of the same set."
        )
    directions = []
    for responses in (generated, real):
        rows = responses.reshape(len(responses), -1).astype(np.float64)
        rows = rows - rows.mean(axis=1, keepdims=True)
        whole = np.linalg.norm(rows, axis=1).max()
        if grand_mean_removed:
            rows = rows - rows.mean(axis=0)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        told_apart = lengths > NOTHING * whole
        directions.append(
            np.divide(rows, lengths, out=np.zeros_like(rows), where=told_apart)  # else rounding
        )
    return directions[0] @ directions[1].T


def specificity_scores(
    real: Float[np.ndarray, "picture chan time"],
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
    """Rank of the own picture among all, and how often it comes first.

    For each picture, the real mean responses are ordered by their correlation with the generated
    mean response, grand means over pictures taken off.

    Parameters
    ----------
    real, generated
        Mean response to each picture, pictures in one order. The generated ones rest on other
        showings than the real ones.
    method, split, role
        Words for the `Score`.
    exchanged
        What the chance range draws anew: "pictures", or the "signs" of the generated responses.
        Surrogates with random phases still have each picture's slow waves, as often upside down as
        not: they lie nearer to and farther from their own picture than from others, and
        exchanging pictures would make their range too narrow.
    n_permutations, n_resamples, seed
        Of the chance range and of the bootstrap over pictures.

    Returns
    -------
    list of Score
        "picture specificity (rank)": share of the other pictures that resemble the generated
        response less than the own does, mean over pictures: 1 if the own is always nearest, 0.5 by
        chance, equals counted half. "picture specificity (nearest)": share of pictures whose own is
        nearest, chance 1 over the number of pictures; equals share.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than 2 pictures, or a value is not finite.
    """
    check_option("exchanged", exchanged, NULLS)
    correlations = response_correlations(real, generated)
    n = len(correlations)
    # (generated, real): rank and being the nearest, for any picture in the place of the own
    below = np.stack([(row < row[:, None]).sum(axis=1) for row in correlations])
    equal = np.stack([(row == row[:, None]).sum(axis=1) for row in correlations])
    rank = (below + (equal - 1) / 2) / (n - 1)
    nearest = (below + equal == n) / equal
    farthest = (below == 0) / equal
    own = np.arange(n)
    ranks, hits = np.diag(rank), float(np.diag(nearest).sum())

    def permuted(rng: np.random.Generator) -> np.ndarray:
        other = rng.permutation(n)
        return np.array([rank[own, other].mean(), nearest[own, other].mean()])

    def turned(rng: np.random.Generator) -> np.ndarray:
        kept = rng.integers(0, 2, n) == 1
        first = np.where(kept, np.diag(nearest), np.diag(farthest))
        return np.array([np.where(kept, ranks, 1 - ranks).mean(), first.mean()])

    by_pictures = exchanged == "pictures"
    null = permuted if by_pictures else turned
    mean, least, most = null_range(null, n_draws=n_permutations, seed=seed)
    score = picture_score(
        "picture specificity (rank)",
        lambda drawn: float(np.average(ranks, weights=drawn)),
        n,
        method=method,
        split=split,
        role=role,
        bounds=(0.0, 1.0),
        higher_is_better=True,
        note="correlation of mean responses, grand mean over pictures taken off",
        n_resamples=n_resamples,
        seed=seed,
    )
    low, high = binomial_interval(hits, n)
    return [
        replace(score, chance=0.5, chance_low=float(least[0]), chance_high=float(most[0])),
        Score(
            name="picture specificity (nearest)",
            value=hits / n,
            low=low,
            high=high,
            n=n,
            unit="pictures",
            chance=1 / n if by_pictures else float(mean[1]),
            chance_low=float(least[1]),
            chance_high=float(most[1]),
            section="signals",
            method=method,
            split=split,
            role=role,
            interval="exact binomial over pictures",
            note=f"the nearest of {n} pictures",
        ),
    ]
