"""Scores of the pictures of a fold, computed from the arrays in its folder alone."""

from dataclasses import replace

import numpy as np

from phosphene.evaluation.fold_scores import NOISE
from phosphene.evaluation.pictures import (
    class_consistency,
    distribution_scores,
    nearest_pictures,
    nearest_training_distance,
    within_class_diversity,
)
from phosphene.experiment.inception import WEIGHTS
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


def picture_scores(run: RunDir, key: str, words: str, *, feeding: str, guided: bool) -> list[Score]:
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
    """
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
            score = class_consistency(
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
    nearest = arrays["training_labels"][
        nearest_pictures(arrays["own"], arrays["training"])[0][:, 0]
    ]
    near = class_consistency(
        nearest,
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
        class_consistency(
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
    scores += _distributions(arrays, words, extractor="domain", real=REAL, generated=about)
    if run.has(name := f"folds/{key}/inception.npz"):
        scores += _distributions(run.read_arrays(name), words, extractor=WEIGHTS, real=REAL_SEEN)
    sets = (
        ("own", decoded, "generated", "result"),
        ("label_only", decoded, "class label only", "control"),
        ("training", arrays["training_labels"], "real pictures", "reference"),
    )
    for source, labels, method, role in sets:
        if np.bincount(labels).max() < 2:
            continue  # one picture per class has no diversity to measure
        score = within_class_diversity(
            arrays[source], labels, method=method, split=words, role=role
        )
        scores.append(replace(score, note=SOURCES[source][2] if source in SOURCES else ""))
    scores += nearest_training_distance(
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
    arrays: dict[str, np.ndarray], words: str, *, extractor: str, real: str, generated: str = ""
) -> list[Score]:
    """Compare the pictures of each source with the held-out real ones, through one network."""
    domain = extractor == "domain"
    n_real, n_features = arrays["heldout_features"].shape
    few = "" if domain else f"{n_features} features of {n_real} real pictures: {BIASED}"
    scores: list[Score] = []
    for source in (*SOURCES, "training"):
        role, method, note = SOURCES.get(source, ("reference", "real pictures", real))
        notes = (note, "" if source == "training" else generated, few)
        found = distribution_scores(
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
