"""How alike the pictures of one class are."""

import numpy as np
from jaxtyping import Float, Int, UInt8

from phosphene.evaluation.auc import mean_present
from phosphene.evaluation.intervals import cluster_bootstrap
from phosphene.score import Score

SMALLEST = 11
"""Side of the window of the structural similarity, pixels."""


def within_class_diversity(
    pictures: UInt8[np.ndarray, "picture height width color"],
    labels: Int[np.ndarray, " picture"],
    *,
    method: str,
    n_pairs: int = 200,
    split: str = "",
    role: str = "result",
    seed: int = 0,
) -> Score:
    """Mean structural similarity (SSIM) of pairs of pictures of one class; lower is more diverse.

    1 means that all pictures of a class are the same (collapse); real pictures give the value to
    aim at. Lower than real is no merit: pixel noise is diverse. Classes count equally. Window of 11
    pixels, Gaussian of 1.5 pixels, K1 = 0.01, K2 = 0.03, as in the paper; unlike there, borders
    are mirrored and count (torchmetrics), so that small pictures keep enough pixels.

    Parameters
    ----------
    pictures
        Generated, or real for the reference; at least 11 pixels high and wide.
    labels
        Class that each picture should show; or the trial, to ask how much the noise draws of one
        trial differ. Labels with a single picture are left out.
    method, split, role
        Words for the `Score`.
    n_pairs
        Pairs per class: all if there are no more, else drawn without replacement.
    seed
        Of pairs and bootstrap.

    Returns
    -------
    Score
        Its interval draws pictures, not pairs, with replacement: pairs share pictures.

    Raises
    ------
    ValueError
        If pictures are smaller than the window or no class has two pictures.

    References
    ----------
    Wang et al., IEEE TIP 2004, https://doi.org/10.1109/TIP.2003.819861; Odena et al.,
    https://arxiv.org/abs/1610.09585, for its use as a test of collapse.
    """
    if min(pictures.shape[1:3]) < SMALLEST:
        raise ValueError(
            f"structural similarity needs pictures of at least {SMALLEST} x {SMALLEST} pixels; got "
            f"{pictures.shape[1]} x {pictures.shape[2]}; enlarge real and generated pictures alike."
        )
    rng = np.random.default_rng(seed)
    classes = [c for c in np.unique(labels) if (labels == c).sum() > 1]
    if not classes:
        raise ValueError(
            f"diversity compares pictures of one class; got {len(labels)} pictures and no class "
            "with two; generate more."
        )
    pairs = [_draw_pairs(np.flatnonzero(labels == c), n_pairs, rng) for c in classes]
    alike = [_similarity(pictures[first], pictures[second]) for first, second in pairs]
    used, compact = np.unique(np.concatenate([p.ravel() for p in pairs]), return_inverse=True)
    compact = np.split(compact, np.cumsum([p.size for p in pairs])[:-1])
    compact = [rows.reshape(2, -1) for rows in compact]

    def statistic(drawn: np.ndarray) -> np.ndarray:
        weights = [drawn[..., first] * drawn[..., second] for first, second in compact]
        found = [mean_present(values, w) for values, w in zip(alike, weights, strict=True)]
        return mean_present(np.stack(found, axis=-1), np.ones(len(found)))

    low, high = cluster_bootstrap(statistic, len(used), bounds=(-1.0, 1.0), seed=seed, at_once=True)
    return Score(
        name="within-class SSIM",
        value=float(statistic(np.ones(len(used), dtype=np.int64))),
        low=low,
        high=high,
        n=len(used),
        unit="pictures",
        higher_is_better=False,
        section="pictures",
        role=role,
        method=method,
        split=split,
        interval=f"t with bootstrap error over pictures ({sum(map(len, alike))} pairs)",
    )


def _draw_pairs(rows: np.ndarray, n_pairs: int, rng: np.random.Generator) -> np.ndarray:
    """Distinct pairs of rows, shape (2, pair)."""
    first, second = np.triu_indices(len(rows), k=1)
    if len(first) > n_pairs:
        kept = rng.choice(len(first), n_pairs, replace=False)
        first, second = first[kept], second[kept]
    return np.stack([rows[first], rows[second]])


def _similarity(
    first: UInt8[np.ndarray, "pair height width color"],
    second: UInt8[np.ndarray, "pair height width color"],
) -> Float[np.ndarray, " pair"]:
    """SSIM of each pair, in chunks; in float32, 10 times faster here and exact to about 1e-5."""
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    def batch(pictures: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pictures.transpose(0, 3, 1, 2) / np.float32(255))

    found = [
        structural_similarity_index_measure(
            batch(first[i : i + 64]), batch(second[i : i + 64]), data_range=1.0, reduction="none"
        )
        for i in range(0, len(first), 64)
    ]
    return torch.cat([torch.atleast_1d(values) for values in found]).double().numpy()
