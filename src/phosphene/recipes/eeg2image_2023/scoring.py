"""Scores of a run, computed from the arrays in its folder alone."""

from dataclasses import replace

import numpy as np

from phosphene.evaluation.clustering import kmeans_score
from phosphene.evaluation.decoding import decoding_scores, recording_scores
from phosphene.evaluation.fold_scores import (
    NOISE,
    NULL_RANGE,
    ceiling_scores,
    null_ranges,
    pool_arrays,
    split_words,
    stamp_scores,
)
from phosphene.evaluation.pictures import (
    class_consistency,
    distribution_scores,
    nearest_pictures,
    nearest_training_distance,
    within_class_diversity,
)
from phosphene.recipes.eeg2image_2023.config import Config, compared_name
from phosphene.recipes.eeg2image_2023.inception import WEIGHTS
from phosphene.run_dir import RunDir
from phosphene.score import Score

MIN_PICTURES = 10
PERMUTED = "labels of the training trials permuted, everything that learns is trained again"
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


def score_run(run: RunDir, config: Config) -> list[Score]:
    """Compute all scores that the run's arrays allow so far."""
    split = run.read_json("split.json")
    dataset = run.read_json("dataset.json")
    keys = [fold["key"] for fold in split["folds"]]
    words = split_words(
        split,
        n_folds=config.n_folds,
        n_decoded=sum(run.has(f"folds/{key}/decoding.npz") for key in keys),
    )
    scores = ceiling_scores(dataset)
    scores += _decoding(run, config, keys, words, dataset)
    for key in keys:
        scores += _pictures(run, config, key, words)
    return stamp_scores(scores, split)


def _decoding(
    run: RunDir, config: Config, keys: list[str], words: str, dataset: dict
) -> list[Score]:
    arrays = pool_arrays(run, keys, "decoding.npz")
    if not arrays:
        return []
    design = dataset["design"]
    named = design["unit"] == "block" and (arrays["block"] != "").all()
    blocks = arrays["block"] if named else None  # without names, runs of equal labels are taken
    main, other = config.encoder, compared_name(config)
    scores: list[Score] = []

    def add(key: str, method: str, role: str = "result", note: str = "", source=arrays) -> None:
        if key not in source:
            return
        found = decoding_scores(
            source[key],
            source["labels"],
            recordings=source["recording"],
            blocks=source["block"] if blocks is not None else None,
            unit=design["unit"],
            method=method,
            split=words,
            role=role,
            seed=config.seed,
        )
        scores.extend(replace(score, note=note) for score in found)

    head = "softmax head" if config.objective != "triplet" else "linear probe of triplet features"
    add("probabilities", f"{main}, {head}")
    if config.objective != "triplet":
        add("probe_probabilities", f"{main}, linear probe")
    add("lda_probabilities", "shrinkage LDA", "baseline")
    published = f"{other}, {config.compare_objective}, linear probe"
    lstm = (config.compare_encoder or "").startswith("lstm")
    about = f"trained for {config.compare_epochs} epochs"
    if lstm and config.compare_objective == "triplet":
        about = f"published network and loss, {config.compare_epochs} epochs; published are 3000"
    add("compare_probe_probabilities", published, "baseline", about)
    add("noise_probabilities", f"noise input: {main}", "control", NOISE)
    null = pool_arrays(run, keys, "null.npz")
    if null:
        folds = list(dict.fromkeys(null["fold"].tolist()))
        covered = f"{PERMUTED}; {len(folds)} of {len(keys)} folds; {NULL_RANGE}"
        ends = null_ranges(run, null["fold"], folds)
        for key, method in (
            ("probabilities", f"permuted labels: {main}"),
            ("lda_probabilities", "permuted labels: shrinkage LDA"),
            ("compare_probe_probabilities", f"permuted labels: {other}"),
        ):
            first = len(scores)
            add(key, method, "control", covered, null)
            for i in range(first, len(scores)):
                low, high = ends.get(scores[i].name, (None, None))
                scores[i] = replace(scores[i], chance_low=low, chance_high=high)
    n_classes = arrays["probabilities"].shape[1]
    _, fold, sizes = np.unique(arrays["fold"], return_inverse=True, return_counts=True)
    large = sizes[fold] >= n_classes  # fewer trials than clusters cannot be clustered
    for key, method, role in (
        ("features", main, "result"),
        ("compare_features", f"{other}, {config.compare_objective}", "baseline"),
    ):
        if key in arrays and large.any():
            scores.append(
                kmeans_score(
                    arrays[key][large],
                    arrays["labels"][large],
                    n_classes=n_classes,
                    seed=config.seed,
                    method=method,
                    split=words,
                    role=role,
                    folds=arrays["fold"][large],
                    recordings=arrays["recording"][large],
                    blocks=None if blocks is None else blocks[large],
                    unit=design["unit"],
                )
            )
    scores += recording_scores(
        arrays["probabilities"],
        arrays["labels"],
        recordings=arrays["recording"],
        method=f"{main}, {head}",
        split=words,
        seed=config.seed,
    )
    return scores


def _feeding(config: Config) -> str:
    """Say what helps the generator to the decoded class beyond the published losses."""
    parts = []
    if config.class_pull:
        parts.append(f"features pulled {config.class_pull:.0%} to the mean of the decoded class")
    if config.guidance:
        parts.append("generator guided by a picture classifier")
    return "; ".join(parts)


def _pictures(run: RunDir, config: Config, key: str, words: str) -> list[Score]:
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
            scores.append(replace(score, note=note or _feeding(config)))
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
    guided = GUIDED if config.guidance else ""
    scores += _distributions(arrays, words, extractor="domain", real=REAL, generated=guided)
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
