"""Scores of the pictures of a fold, computed from the arrays in its folder alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from phosphene.evaluation.fold_scores import NOISE
from phosphene.evaluation.pictures import (
    class_consistency,
    class_inception_scores,
    distribution_scores,
    nearest_pictures,
    nearest_training_distance,
    within_class_diversity,
)
from phosphene.experiment.inception import WEIGHTS
from phosphene.experiment.memory import Memory
from phosphene.run_dir import RunDir
from phosphene.score import Score

MIN_PICTURES = 10
REAL = "the extractor's own training pictures against held-out ones; compare where n is alike"
REAL_SEEN = "the generator's own training pictures against held-out ones; compare where n is alike"
BIASED = "IS too low and FID too high by far, compare at equal numbers of pictures only"
GUIDED = "the generator was trained against a classifier of the extractor's form and pictures"
FEW_JUDGED = "the judge had fewer than 10 pictures per class: what it sees means little"
FEW = "the generator had fewer than 10 pictures per class: novelty and spread mean little"
NEAREST = "class of the nearest training picture by pixels: copies score as well as new pictures"
SOURCES = {
    "own": ("result", "generated", ""),
    "label_only": (
        "control",
        "class label only",
        "nothing retrained; features replaced by the training mean of the decoded class",
    ),
    "shuffled": (
        "control",
        "shuffled features",
        "nothing retrained; features permuted among held-out trials before the generator",
    ),
    "noise": ("control", "noise input", NOISE),
}


def picture_scores(
    run: RunDir,
    key: str,
    words: str,
    *,
    feeding: str,
    guided: bool,
    memory: Memory | None = None,
) -> list[Score]:
    """Score the pictures of a fold, if there are any yet.

    Parameters
    ----------
    run
        The run folder.
    key
        Of the fold.
    words
        How training and test were kept apart.
    feeding
        What helped the generator to the decoded class, a note on its class consistency.
    guided
        Whether the generator was trained against a classifier of the extractor's form.
    memory
        Of earlier calls in the same run, whose scores are taken where nothing changed.
    """
    ask = (memory or Memory()).ask
    name = f"folds/{key}/generated.npz"
    if not run.has(name):
        return []
    arrays = run.read_arrays(name)
    judge = "judge trained on pictures that the generator never saw"
    n_classes = arrays["own_judge"].shape[1]
    shown, decoded = arrays["labels"], arrays["decoded"]
    scores: list[Score] = []
    for source, (role, method, note) in SOURCES.items():
        judged = arrays[f"{source}_judge"].argmax(1)
        wanted = decoded if source != "noise" else arrays["noise_decoded"]
        for target, expected in (("decoded", wanted), ("shown", shown)):
            score = ask(
                class_consistency,
                judged,
                expected,
                target=target,
                n_classes=n_classes,
                method=method,
                extractor=judge,
                split=words,
                role=role,
                recordings=arrays["recording"],
            )
            scores.append(replace(score, note=note or feeding))
    closest, _ = ask(nearest_pictures, arrays["own"], arrays["training"])
    near = ask(
        class_consistency,
        arrays["training_labels"][closest[:, 0]],
        decoded,
        target="decoded",
        n_classes=n_classes,
        method="generated",
        extractor="nearest training picture",
        split=words,
        recordings=arrays["recording"],
    )
    scores.append(replace(near, name="nearest picture's class (decoded)", note=NEAREST))
    real_judged = arrays["training_judge"].argmax(1)
    scores.append(
        ask(
            class_consistency,
            real_judged,
            arrays["training_labels"],
            target="shown",
            n_classes=n_classes,
            method="real pictures",
            extractor=judge,
            split="pictures that the judge never saw",
            role="reference",
        )
    )
    about = GUIDED if guided else ""
    scores += _distributions(arrays, words, ask, extractor="domain", real=REAL, generated=about)
    described = run.read_arrays(name) if run.has(name := f"folds/{key}/inception.npz") else None
    if described is not None:
        scores += _distributions(described, words, ask, extractor=WEIGHTS, real=REAL_SEEN)
    classes = run.read_json("dataset.json")["classes"]
    scores += _class_scores(
        arrays, decoded, words, ask, extractor="domain", classes=classes, generated=about
    )
    if described is not None and "training_labels" in described:  # runs of older versions lack it
        of_scored = decoded[: len(described["own_probabilities"])]
        scores += _class_scores(
            described, of_scored, words, ask, extractor=WEIGHTS, classes=classes
        )
    sets = (
        ("own", decoded, "generated", "result"),
        ("label_only", decoded, "class label only", "control"),
        ("training", arrays["training_labels"], "real pictures", "reference"),
    )
    for source, labels, method, role in sets:
        if np.bincount(labels).max() < 2:
            continue  # one picture per class has no diversity to measure
        score = ask(
            within_class_diversity, arrays[source], labels, method=method, split=words, role=role
        )
        scores.append(replace(score, note=SOURCES[source][2] if source in SOURCES else ""))
    scores += ask(
        nearest_training_distance,
        arrays["own"],
        training=arrays["training"],
        held_out=arrays["heldout"],
        method="generated",
        split=words,
    )
    if len(arrays["heldout"]) < MIN_PICTURES * n_classes:
        scores = [_noted(s, FEW_JUDGED) if s.extractor == judge else s for s in scores]
    if np.bincount(arrays["training_labels"], minlength=n_classes).min() < MIN_PICTURES:
        scores = [_noted(s, FEW) if s.extractor != judge else s for s in scores]
    return [replace(score, fold=key if score.fold == "all" else score.fold) for score in scores]


def _noted(score: Score, note: str) -> Score:
    return replace(score, note=f"{score.note}; {note}" if score.note else note)


def _distributions(
    arrays: dict[str, np.ndarray],
    words: str,
    ask: Callable[..., Any],
    *,
    extractor: str,
    real: str,
    generated: str = "",
) -> list[Score]:
    """Compare the pictures of each source with the held-out real ones, through one network."""
    domain = extractor == "domain"
    n_real, n_features = arrays["heldout_features"].shape
    few = "" if domain else f"{n_features} features of {n_real} real pictures: {BIASED}"
    scores: list[Score] = []
    for source in (*SOURCES, "training"):
        role, method, note = SOURCES.get(source, ("reference", "real pictures", real))
        notes = (note, "" if source == "training" else generated, few)
        found = ask(
            distribution_scores,
            arrays[f"{source}_{'domain' if domain else 'probabilities'}"],
            arrays[f"{source}_features"],
            real_features=arrays["heldout_features"],
            extractor=extractor,
            distance_name="Fréchet distance" if domain else "FID",
            method=method,
            split=words,
            role=role,
        )
        note = "; ".join(filter(None, notes))
        scores.extend(replace(score, note=note) for score in found)
    return scores


def _class_scores(
    arrays: dict[str, np.ndarray],
    decoded: np.ndarray,
    words: str,
    ask: Callable[..., Any],
    *,
    extractor: str,
    classes: Sequence[str],
    generated: str = "",
) -> list[Score]:
    """Score the pictures of each class alone, and as many real ones of it, as table 2 does."""
    name = "domain" if extractor == "domain" else "probabilities"
    labels = {"own": decoded, "training": arrays["training_labels"]}
    rows = equally_many(labels["own"], labels["training"], n_classes=len(classes))
    scores: list[Score] = []
    for (source, mine), role, method, note in zip(
        rows.items(),
        ("result", "reference"),
        ("generated", "real pictures"),
        (generated, ""),
        strict=True,
    ):
        found = ask(
            class_inception_scores,
            arrays[f"{source}_{name}"][mine],
            labels[source][mine],
            classes=classes,
            extractor=extractor,
            of_these_classes=extractor == "domain",
            method=method,
            split=words,
            role=role,
        )
        scores += [_noted(score, note) if note else score for score in found]
    return scores


def equally_many(
    own: np.ndarray, training: np.ndarray, *, n_classes: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return rows that hold as many generated as real pictures of each class, drawn at random."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[np.ndarray]] = {"own": [], "training": []}
    for label in range(n_classes):
        mine = {
            "own": rng.permutation(np.flatnonzero(own == label)),
            "training": rng.permutation(np.flatnonzero(training == label)),
        }
        n = min(map(len, mine.values()))
        for source, rows in mine.items():
            found[source].append(rows[:n])
    return {source: np.sort(np.concatenate(rows)) for source, rows in found.items()}
