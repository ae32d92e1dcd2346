"""Scores of decoders that were trained again on permuted labels, many times."""

from collections.abc import Callable, Hashable, Iterable

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from phosphene._checks import check_positive
from phosphene.evaluation.auc import macro_auc, mean_present
from phosphene.evaluation.confusion import count_pairs, mean_recall
from phosphene.evaluation.units import check_labels, group_numbers
from phosphene.evaluation.wide_lda import ledoit_wolf_share


def linear_null(
    train_epochs: Float[np.ndarray, "trial chan time"],
    test_epochs: Float[np.ndarray, "test chan time"],
    test_labels: Int[np.ndarray, " test"],
    *,
    permute: Callable[[np.random.Generator], np.ndarray],
    recordings: Iterable[Hashable],
    n_classes: int,
    step: int = 1,
    n_permutations: int = 200,
    seed: int = 0,
) -> Float[np.ndarray, "permutation 2"]:
    """Balanced accuracy and AUC of linear decoders trained on permuted labels, one row for each.

    A decoder trained on permuted labels is not guessing: by chance each class is nearer to one of
    the permuted labels than to the others, and all of its held-out trials follow. Its scores
    therefore spread more than those of a fixed decoder whose test labels are permuted, and this is
    their spread. Decoders are shrinkage discriminants; without class structure their covariance is
    that of all trials, so it is estimated once and only class means are trained each time.

    Parameters
    ----------
    train_epochs, test_epochs
        Epochs of a fold.
    test_labels
        True classes of the held-out trials.
    permute
        Draws permuted labels of the training trials, see `label_permuter`.
    recordings
        Recording of each held-out trial; the AUC is taken inside and averaged by trials.
    n_classes, step
        As for `shrinkage_lda`.
    n_permutations
        Rows to return.
    seed
        Of the permutations.

    References
    ----------
    Ojala and Garriga, JMLR 2010, test 1: permute, train again, score.
    """
    check_labels(test_labels, n_classes, complete=False)  # a fold may lack a class, all do not
    check_positive("n_permutations", n_permutations)
    check_positive("step", step)
    train = train_epochs[..., ::step].reshape(len(train_epochs), -1).astype(np.float64)
    test = test_epochs[..., ::step].reshape(len(test_epochs), -1).astype(np.float64)
    centre, scale = train.mean(axis=0), train.std(axis=0).clip(min=np.finfo(float).tiny)
    train, test = (train - centre) / scale, (test - centre) / scale
    train, test = _whiten(train, test)
    recording = group_numbers("recordings", recordings, len(test))
    parts = [np.flatnonzero(recording == r) for r in range(recording.max() + 1)]
    sizes = np.array([len(rows) for rows in parts])
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n_permutations):
        labels = permute(rng)
        members = np.eye(n_classes)[labels]
        counts = members.sum(axis=0)
        means = (members.T @ train) / counts[:, None]
        logits = test @ means.T - (means**2).sum(axis=1) / 2  # equal priors, as `shrinkage_lda`
        table = count_pairs(test_labels, logits.argmax(axis=1), n_classes=n_classes)
        odds = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        aucs = [macro_auc(stats.rankdata(odds[p], axis=0), test_labels[p]) for p in parts]
        rows.append([mean_recall(table), mean_present(np.array(aucs), sizes)])
    return np.array(rows)


def _whiten(
    train: Float[np.ndarray, "trial feature"], test: Float[np.ndarray, "test feature"]
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows whose inner products are those under the inverse of the shrunk covariance.

    Where features outnumber trials, rows are first expressed in the directions that training trials
    span: class means lie in them, and what a held-out trial has beyond them moves no decision.
    """
    share, level = ledoit_wolf_share(train)
    if train.shape[1] > len(train):
        _, _, basis = np.linalg.svd(train, full_matrices=False)
        train, test = train @ basis.T, test @ basis.T
    covariance = (1 - share) * (train.T @ train) / len(train)
    spread, basis = np.linalg.eigh(covariance + share * level * np.eye(train.shape[1]))
    whiten = basis / np.sqrt(spread)
    return train @ whiten, test @ whiten
