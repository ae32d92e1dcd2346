"""Can a class be told from a few features that hold no brain response? Held out, and permuted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from phosphene.evaluation.retrained_null import whiten_rows

FIRST_PERMUTATIONS = 199
ALL_PERMUTATIONS = 2999
"""Fewest and most permutations."""
FEW = 4
"""Permutations that may reach the value before permuting stops."""
MAX_FEATURES = 128
"""Features; of more, the first principal components."""
_AT_ONCE = 4_000_000
"""Numbers held by the one-hot labels of permutations that are trained together."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """How well a linear discriminant tells the classes of held-out rows.

    Parameters
    ----------
    accuracy
        Balanced, over all held-out rows.
    chance
        Its mean over permutations, each trained and tested on permuted labels.
    p_value
        Share of permutations, the data counted in, that reach `accuracy`.
    n_permutations
        Made.
    n_rows
        Looked at.
    right
        Rows that were decoded correctly, the surest first.
    n_classes
        Classes.
    """

    accuracy: float
    chance: float
    p_value: float
    n_permutations: int
    n_rows: int
    right: Int[np.ndarray, " right"]
    n_classes: int

    @property
    def excess(self) -> float:
        """How far accuracy lies above chance, from 0 to 1 for a perfect decoder."""
        return above_chance(self.accuracy, self.n_classes)


def above_chance(accuracy: float, n_classes: int) -> float:
    """Return where a balanced accuracy lies between chance, 0, and certainty, 1.

    0 for one class, which is no question.
    """
    if n_classes < 2:
        return 0.0
    return (accuracy - 1 / n_classes) / (1 - 1 / n_classes)


def predict_class(
    features: Float[np.ndarray, "used feature"],
    labels: Int[np.ndarray, " row"],
    *,
    rows: Int[np.ndarray, " used"],
    parts: Int[np.ndarray, " row"],
    recordings: Int[np.ndarray, " row"] | None = None,
    permute: Callable[[np.random.Generator], np.ndarray] | None,
    rng: np.random.Generator,
    asked: Float[np.ndarray, "used feature"] | None = None,
) -> Prediction:
    """Tell classes from features, each part by a discriminant trained on the other parts.

    Shrinkage linear discriminants with equal priors, their covariance estimated from all training
    rows without regard to class, so that thousands of permutations cost a matrix product each. The
    whole cross-validation is repeated on permuted labels and scored against the same permuted
    labels: the p-value is exact where labels were randomised as `permute` does it (Ojala and
    Garriga, JMLR 2010). Permuting stops at 2999, or from 199 on as soon as more than `FEW`
    permutations have reached the value (Besag and Clifford, Biometrika 1991).

    Parameters
    ----------
    features
        Of the trials that `rows` names, finite.
    labels
        Class of each trial, 0 to K - 1.
    rows
        Trials to use.
    parts
        Which rows are held out together.
    recordings
        Of each trial: features are standardised inside, which uses no label. None standardises all
        together.
    permute
        Draws permuted labels of all trials; None makes no permutation and leaves the p-value at 1.
    rng
        Of the permutations.
    asked
        Features of held-out rows, where they are tested on others than they are trained on; the
        same in number and meaning.
    """
    n_classes = int(labels.max()) + 1
    group = np.zeros(len(labels), dtype=np.int64) if recordings is None else recordings
    table = _standardised(np.asarray(features, dtype=np.float64), group[rows])
    tested = table
    if asked is not None:
        tested = _standardised(np.asarray(asked, dtype=np.float64), group[rows])
    folds = _folds(*_shortened(table, tested), parts[rows])
    true = labels[rows][None]
    odds, predicted = _decode(folds, true, n_classes)
    accuracy = float(_balanced(predicted, true, n_classes)[0])
    null: list[np.ndarray] = []
    n_made = n_reach = 0
    batch = max(1, min(100, _AT_ONCE // (len(rows) * n_classes)))
    while permute is not None and n_made < ALL_PERMUTATIONS:
        if n_made >= FIRST_PERMUTATIONS and n_reach > FEW:
            break
        target = FIRST_PERMUTATIONS if n_made < FIRST_PERMUTATIONS else ALL_PERMUTATIONS
        n_now = min(batch, target - n_made)
        drawn = np.stack([permute(rng)[rows] for _ in range(n_now)])
        null.append(_balanced(_decode(folds, drawn, n_classes)[1], drawn, n_classes))
        n_made += n_now
        n_reach += int((null[-1] >= accuracy - 1e-12).sum())
    right = np.flatnonzero(predicted[0] == true[0])
    sure = odds[0, right].max(axis=1) - np.sort(odds[0, right], axis=1)[:, -2]
    return Prediction(
        accuracy=accuracy,
        chance=float(np.concatenate(null).mean()) if null else 1 / n_classes,
        p_value=(n_reach + 1) / (n_made + 1),
        n_permutations=n_made,
        n_rows=len(rows),
        right=rows[right[np.argsort(-sure, kind="stable")]],
        n_classes=n_classes,
    )


_Fold = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Whitened training rows, whitened held-out rows, and which rows both are."""


def _standardised(
    features: Float[np.ndarray, "row feature"], group: Int[np.ndarray, " row"]
) -> Float[np.ndarray, "row feature"]:
    """Centre and scale features inside each group; a constant becomes 0."""
    found = np.empty_like(features)
    for name in np.unique(group):
        inside = features[group == name]
        spread = inside.std(axis=0)
        floor = 1e-9 * np.abs(inside).max(axis=0) + np.finfo(float).tiny
        scale = np.where(spread > floor, spread, np.inf)
        found[group == name] = ((inside - inside.mean(axis=0)) / scale).clip(-8, 8)
    return found


def _shortened(table: np.ndarray, tested: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave constants out, and of many features keep the first components of those that train."""
    varies = table.any(axis=0)
    if not varies.any():
        return np.zeros((len(table), 1)), np.zeros((len(table), 1))
    table, tested = table[:, varies], tested[:, varies]
    if table.shape[1] > MAX_FEATURES:
        _, basis = np.linalg.eigh(table.T @ table)
        table, tested = table @ basis[:, -MAX_FEATURES:], tested @ basis[:, -MAX_FEATURES:]
    return table, tested


def _folds(table: np.ndarray, tested: np.ndarray, parts: np.ndarray) -> list[_Fold]:
    folds = []
    for part in np.unique(parts):
        train, test = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
        if not len(train):  # one part only: nothing to train on
            continue
        centre = table[train].mean(axis=0)
        white, asked = table[train] - centre, tested[test] - centre
        if white.any():
            white, asked = whiten_rows(white, asked)
        folds.append((white.astype(np.float32), asked.astype(np.float32), train, test))
    return folds


def _decode(
    folds: list[_Fold], labels: Int[np.ndarray, "draw row"], n_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (draw, row, class) log odds of held-out rows and the (draw, row) decisions."""
    n_draws, n_rows = labels.shape
    odds = np.zeros((n_draws, n_rows, n_classes), dtype=np.float32)
    for white, asked, train, test in folds:
        members = np.eye(n_classes, dtype=np.float32)[labels[:, train]].transpose(0, 2, 1)
        counts = members.sum(axis=2)  # (draw, class)
        means = (members.reshape(-1, len(train)) @ white).reshape(n_draws, n_classes, -1)
        means /= counts.clip(min=1)[..., None]
        logits = np.einsum("td,bkd->btk", asked, means, optimize=True)
        logits -= (means**2).sum(axis=2)[:, None] / 2
        odds[:, test] = np.where(counts[:, None] > 0, logits, -np.inf)
    return odds, odds.argmax(axis=2)


def _balanced(
    predicted: Int[np.ndarray, "draw row"], labels: Int[np.ndarray, "draw row"], n_classes: int
) -> Float[np.ndarray, " draw"]:
    """Mean recall over the classes that are there."""
    recalls = np.full((len(labels), n_classes), np.nan)
    right = predicted == labels
    for label in range(n_classes):
        inside = labels == label
        counts = inside.sum(axis=1)
        hits = (right & inside).sum(axis=1)
        recalls[counts > 0, label] = hits[counts > 0] / counts[counts > 0]
    return np.nanmean(recalls, axis=1)
