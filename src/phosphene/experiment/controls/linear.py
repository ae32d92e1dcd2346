"""Cheap decoders for controls that train again, and the folds they are trained in."""

from collections.abc import Callable, Iterable

import numpy as np

from phosphene.data.splits import group_k_fold, k_fold
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.grouped_lda import grouped_lda
from phosphene.evaluation.probes import shrinkage_lda
from phosphene.evaluation.riemann import tangent_space
from phosphene.evaluation.thinning import baseline_step
from phosphene.experiment.controls.control import Arrays, ControlNotPossibleError
from phosphene.experiment.controls.material import Material
from phosphene.training.seeding import derive_seed

LDA = "shrinkage LDA"
GROUPED = "shrinkage LDA with a mean per recording and class"
TANGENT = "tangent space"
Rows = tuple[np.ndarray, np.ndarray]
"""Positions of the training and of the test trials of a fold."""


def decode_rows(
    trials: Trials,
    folds: Iterable[Rows],
    *,
    decoder: str = LDA,
    labels: np.ndarray | None = None,
    n_classes: int | None = None,
) -> Arrays:
    """Train a cheap decoder in each fold and decode its held-out trials.

    Parameters
    ----------
    trials
        Epochs, thinned by what they were filtered to.
    folds
        Positions among these trials.
    decoder
        `LDA`, `GROUPED` or `TANGENT`.
    labels, n_classes
        What is decoded; the classes of the trials if None.

    Returns
    -------
    dict
        ``probabilities`` and the ``row`` of each held-out trial among these trials.
    """
    step = baseline_step(trials.preprocessing, sfreq=trials.sfreq)
    labels = trials.labels if labels is None else labels
    n_classes = trials.n_classes if n_classes is None else n_classes
    recordings = trials.table["recording"].to_numpy(dtype=str)
    found, rows = [], []
    for train, test in folds:
        epochs, known = np.asarray(trials.epochs[train]), labels[train]
        if decoder == GROUPED:
            probe = grouped_lda(epochs, known, recordings[train], n_classes=n_classes, step=step)
        else:
            fit = tangent_space if decoder == TANGENT else shrinkage_lda
            probe = fit(epochs, known, n_classes=n_classes, step=step)
        found.append(probe.predict_proba(np.asarray(trials.epochs[test])))
        rows.append(test)
    return {"probabilities": np.concatenate(found), "row": np.concatenate(rows)}


def own_folds(material: Material, rows: np.ndarray | None = None) -> list[Rows]:
    """Return the run's folds, in positions among some ``rows`` of the data set if given.

    Folds that would train without a class, or test nothing, are left out.
    """
    folds = [fold.indices(material.trials) for fold in material.folds]
    return folds if rows is None else _among(material, folds, rows)


def keeps_recordings(material: Material) -> bool:
    """Say whether the run was tested on recordings that it was not trained on."""
    names = material.recordings
    return not any(np.isin(names[test], names[train]).any() for train, test in own_folds(material))


def group_folds(material: Material) -> list[Rows]:
    """Return folds that keep recordings apart: the run's own, or others where they do not.

    Raises
    ------
    ControlNotPossibleError
        If there is one recording, or those of a class are all in one fold.
    """
    if keeps_recordings(material):
        return own_folds(material)
    trials = material.trials
    n_recordings = len(np.unique(material.recordings))
    if n_recordings < 2:
        raise ControlNotPossibleError("there is one recording, and none to hold out")
    split = group_k_fold(trials, "recording", min(10, n_recordings))
    folds = [fold.indices(trials) for fold in split.folds]
    folds = [f for f in folds if len(np.unique(trials.labels[f[0]])) == trials.n_classes]
    if not folds:
        raise ControlNotPossibleError("a recording that is held out takes its class along")
    return folds


def window_folds(material: Material, rows: np.ndarray | None = None) -> list[Rows]:
    """Return folds of single trials that know nothing of recordings: the split that leaks.

    As many as the run decoded, from 2 to 10, so that as much is trained on.
    """
    trials = material.trials
    counts = np.bincount(trials.labels, minlength=trials.n_classes)
    n_folds = max(2, min(10, len(material.folds), int(counts[counts > 0].min())))
    seed = derive_seed(material.seed, "window-wise split") % 2**32
    folds = [fold.indices(trials) for fold in k_fold(trials, n_folds, seed=seed).folds]
    return folds if rows is None else _among(material, folds, rows)


def _among(material: Material, folds: list[Rows], rows: np.ndarray) -> list[Rows]:
    place = np.full(len(material.trials), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    found = []
    for train, test in folds:
        known, asked = place[train], place[test]
        known, asked = known[known >= 0], asked[asked >= 0]
        n_present = len(np.unique(material.trials.labels[rows[known]]))
        if len(asked) and n_present == material.trials.n_classes:
            found.append((known, asked))
    return found


def joint_permutations(material: Material, n: int, *, purpose: str) -> list[np.ndarray]:
    """Permute the labels of all trials at their independent unit, alike for all folds.

    What is trained on them in every fold is scored against them as well, see
    `permutation.calibrate`.
    """
    permute = permuter(material)
    seeds = [derive_seed(material.seed, purpose, number) for number in range(n)]
    return [permute(np.random.default_rng(seed)) for seed in seeds]


def permuter(material: Material) -> Callable[[np.random.Generator], np.ndarray]:
    """Return what draws permuted labels of all trials, see `label_permuter`."""
    trials = material.trials
    return label_permuter(
        trials.labels,
        recordings=trials.table["recording"],
        blocks=material.blocks,
        unit=material.design,
    )
