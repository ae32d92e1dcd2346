"""Scores of decoders that were trained again on permuted labels, many times."""

from collections.abc import Callable, Hashable, Iterable, Sequence

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
    train, test = whiten_rows(train, test)
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


def joint_linear_null(
    rows: Float[np.ndarray, "trial feature"],
    labels: Int[np.ndarray, " trial"],
    *,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    permute: Callable[[np.random.Generator], np.ndarray],
    recordings: Iterable[Hashable],
    n_classes: int,
    n_permutations: int = 200,
    seed: int = 0,
) -> Float[np.ndarray, " permutation"]:
    """Distance from chance of linear decoders if labels mean nothing, one for each permutation.

    Labels are permuted once for the whole data set; every fold is trained on them and scored
    against them. That is the distribution of the AUC of a whole cross-validation where there is
    nothing to find, with all that folds share, in standard deviations of an AUC whose held-out
    labels are permuted: to be passed to `permutation.calibrate`. Decoders are those of
    `linear_null`.

    Parameters
    ----------
    rows
        Features of all trials, or epochs thinned and flattened.
    labels
        Their true classes: only how many a recording has of each is read.
    folds
        Row numbers of training and held-out trials.
    permute
        Draws permuted labels of all trials, see `label_permuter`.
    recordings
        Recording of each trial; AUCs are taken inside and averaged by trials.
    n_classes
        Number of classes.
    n_permutations
        Values to return.
    seed
        Of the permutations.

    Notes
    -----
    Distances are divided by the standard deviation of single trials permuted within recordings
    (Mann and Whitney 1947; for several classes that of their mean, computed from these draws'
    ranks), also in a blocked design, where they come out larger for it: pass then what
    `heldout_test` gives for decoders trained one by one.

    References
    ----------
    Ojala and Garriga, JMLR 2010, test 1.
    """
    check_labels(labels, n_classes)
    check_positive("n_permutations", n_permutations)
    recording = group_numbers("recordings", recordings, len(labels))
    rng = np.random.default_rng(seed)
    drawn = np.array([permute(rng) for _ in range(n_permutations)])  # (permutation, trial)
    members = drawn.T[:, :, None] == np.arange(n_classes)  # (trial, permutation, class)
    total, weight, variance = np.zeros(n_permutations), 0.0, 0.0
    for train_rows, test_rows in folds:
        train, test = _scale_like_training(rows[train_rows], rows[test_rows])
        train, test = whiten_rows(train, test)
        logits = _logits(train, members[train_rows], test)
        for r in np.unique(recording[test_rows]):
            inside = recording[test_rows] == r
            aucs, null_variance = _aucs(logits[inside], members[test_rows[inside]])
            if np.isfinite(null_variance):
                n = int(inside.sum())
                total += n * (aucs - 0.5)
                weight += n
                variance += n**2 * null_variance
    if not weight:
        raise ValueError(
            "an AUC needs a held-out recording with two classes; got none; hold out recordings in "
            "which classes vary."
        )
    return total / np.sqrt(variance)


def _scale_like_training(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    train, test = train.astype(np.float64), test.astype(np.float64)
    centre, scale = train.mean(axis=0), train.std(axis=0).clip(min=np.finfo(float).tiny)
    return (train - centre) / scale, (test - centre) / scale


def _logits(train: np.ndarray, members: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return what discriminants of every permutation say, shape (test, permutation, class)."""
    n, n_permutations, n_classes = members.shape
    counts = members.sum(axis=0)[..., None]  # (permutation, class, 1)
    sums = members.reshape(n, -1).astype(np.float64).T @ train
    means = sums.reshape(n_permutations, n_classes, -1) / np.maximum(counts, 1)
    flat = means.reshape(n_permutations * n_classes, -1)
    logits = (test @ flat.T - (flat**2).sum(axis=1) / 2).reshape(-1, n_permutations, n_classes)
    return logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)


def _aucs(odds: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, float]:
    """Return `macro_auc` of a recording for every permutation, and its variance under chance.

    Scores of linear decoders do not tie. The variance is that of permuted labels with these ranks,
    by the formula of Mann and Whitney for two classes and for several from the covariance of their
    rank sums, averaged over the permutations.
    """
    n, _, n_classes = odds.shape
    counts = members[:, 0].sum(axis=0)  # the same in every permutation
    valid = np.flatnonzero((counts > 0) & (counts < n))
    if n_classes == 2:
        valid = valid[valid == 1]
    if not len(valid):
        return np.zeros(odds.shape[1]), np.nan
    ranks = odds.argsort(axis=0).argsort(axis=0)[..., valid] + 1.0
    inside = counts[valid]
    weights = 1 / (inside * (n - inside))
    sums = (ranks * members[..., valid]).sum(axis=0)
    aucs = ((sums - inside * (inside + 1) / 2) * weights).mean(axis=1)
    centred = ranks - (n + 1) / 2
    products = np.einsum("tpc,tpd->cd", centred, centred) / odds.shape[1]  # mean over permutations
    shares = np.diag(inside / n) - np.outer(inside, inside) / n**2
    covariance = products * shares * n / (n - 1)  # of rank sums when labels are permuted
    return aucs, float(weights @ covariance @ weights) / len(valid) ** 2


def whiten_rows(
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
