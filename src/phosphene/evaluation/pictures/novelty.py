"""Whether generated pictures are new or copies of training pictures."""

import numpy as np
from jaxtyping import Float, Int, UInt8
from scipy import stats

from phosphene.evaluation.intervals import binomial_interval, cluster_bootstrap
from phosphene.score import Score

N_NEIGHBOURS = 50
COPY_PERCENTILE = 0.01


def nearest_pictures(
    pictures: UInt8[np.ndarray, "picture height width color"],
    training: UInt8[np.ndarray, "n_training height width color"],
    *,
    n_neighbours: int = 1,
) -> tuple[Int[np.ndarray, "picture neighbour"], Float[np.ndarray, "picture neighbour"]]:
    """Nearest training pictures of each picture by pixel distance, nearest first.

    Returns
    -------
    index
        Rows of ``training``.
    distance
        Root mean squared difference of pixels, 0 (equal) to 1 (black against white).

    Raises
    ------
    ValueError
        If there are fewer training pictures than neighbours.
    """
    if not 1 <= n_neighbours <= len(training):
        raise ValueError(
            f"need at least as many training pictures as neighbours; got {len(training)} and "
            f"{n_neighbours}; pass the pictures that the generator was trained on."
        )
    n_values = int(np.prod(training.shape[1:]))
    squared = np.empty((len(pictures), len(training)))
    for i in range(0, len(pictures), 256):
        left = pictures[i : i + 256].reshape(-1, n_values).astype(np.float64)
        for j in range(0, len(training), 256):
            right = training[j : j + 256].reshape(-1, n_values).astype(np.float64)
            # integers below 2 ** 53: exact, so that equal pictures are at distance 0
            block = (left**2).sum(axis=1)[:, None] - 2 * left @ right.T + (right**2).sum(axis=1)
            squared[i : i + 256, j : j + 256] = block
    index = np.argsort(squared, axis=1, kind="stable")[:, :n_neighbours]
    distance = np.sqrt(np.take_along_axis(squared, index, axis=1) / n_values) / 255
    return index, distance


def nearest_training_distance(
    generated: UInt8[np.ndarray, "picture height width color"],
    *,
    training: UInt8[np.ndarray, "n_training height width color"],
    held_out: UInt8[np.ndarray, "n_held_out height width color"],
    method: str,
    split: str = "",
    role: str = "result",
    seed: int = 0,
) -> list[Score]:
    """Distance of generated pictures to their nearest training picture, and how many are copies.

    A small distance alone proves nothing: smooth pictures lie near everything. So a picture counts
    as a copy by its *relative* distance, nearest training picture over mean of the 50 nearest (all,
    if fewer): about 1 for a new or a blurred picture, near 0 for a copy. The limit is the first
    percentile of the same ratio over held-out real pictures, with fewer than 100 of them their
    smallest.

    Parameters
    ----------
    generated
        One picture per held-out trial.
    training
        Pictures that the generator was trained on.
    held_out
        Real pictures of the same kind that it was not trained on; a near duplicate of a training
        picture among them makes the limit too strict towards "no copies".
    method, split, role
        Words for the `Score` of the generated pictures.
    seed
        Of the bootstrap.

    Returns
    -------
    list of Score
        Mean nearest distance (0 to 1, root mean squared pixel difference) of generated pictures;
        the same of held-out real pictures (role "reference"); share of copies, whose chance level
        is what new real pictures would give.

    References
    ----------
    Carlini et al., USENIX Security 2023, https://arxiv.org/abs/2301.13188, section 5.1, for the
    relative distance.
    """
    if min(len(generated), len(held_out)) < 2:
        raise ValueError(
            f"need at least 2 generated and 2 held-out pictures; got {len(generated)} and "
            f"{len(held_out)}; keep real pictures out of the generator's training."
        )
    n_neighbours = min(N_NEIGHBOURS, len(training))
    found = {
        kind: nearest_pictures(pictures, training, n_neighbours=n_neighbours)[1]
        for kind, pictures in (("generated", generated), ("held out", held_out))
    }
    scores = []
    for kind, distances in found.items():
        nearest = distances[:, 0]
        low, high = cluster_bootstrap(
            lambda drawn, nearest=nearest: float(np.average(nearest, weights=drawn)),
            len(nearest),
            bounds=(0.0, 1.0),
            seed=seed,
        )
        scores.append(
            Score(
                name="nearest training distance",
                value=float(nearest.mean()),
                low=low,
                high=high,
                n=len(nearest),
                unit="pictures",
                section="pictures",
                role=role if kind == "generated" else "reference",
                method=method if kind == "generated" else "held-out real pictures",
                split=split,
                interval="t with bootstrap error over pictures",
            )
        )
    return [*scores, _copies(found["generated"], found["held out"], method, split, role)]


def _copies(
    generated: np.ndarray, held_out: np.ndarray, method: str, split: str, role: str
) -> Score:
    """Share of generated pictures below the limit that held-out pictures set."""
    ratios = [_relative(distances) for distances in (generated, held_out)]
    n, m = len(generated), len(held_out)
    k = max(1, int(np.ceil(COPY_PERCENTILE * m)))
    limit = np.sort(ratios[1])[k - 1]
    hits = int((ratios[0] < limit).sum() if limit > 0 else (ratios[0] <= 0).sum())
    low, high = binomial_interval(hits, n)
    # how many of n further real pictures would fall below the k-th smallest of m
    chance = stats.betabinom(n, k, m + 1 - k)
    return Score(
        name="copied fraction",
        value=hits / n,
        low=low,
        high=high,
        n=n,
        unit="pictures",
        chance=k / (m + 1),
        chance_low=float(chance.ppf(0.025)) / n,
        chance_high=float(chance.ppf(0.975)) / n,
        higher_is_better=False,
        section="pictures",
        role=role,
        method=method,
        split=split,
        interval="exact binomial over pictures",
        note=f"relative distance below {limit:.3f}, from {m} held-out real pictures",
    )


def _relative(distances: np.ndarray) -> np.ndarray:
    """Nearest distance over the mean of the nearest; 0 where that mean is 0."""
    mean = distances.mean(axis=1)
    return np.divide(distances[:, 0], mean, out=np.zeros(len(distances)), where=mean > 0)
