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
    put_null_ranges,
    reuse_of,
    split_words,
    stamp_scores,
)
from phosphene.experiment.memory import Memory
from phosphene.experiment.picture_scoring import picture_scores
from phosphene.experiment.plan import Plan
from phosphene.experiment.settings import ExperimentSettings
from phosphene.run_dir import RunDir
from phosphene.score import Score

PERMUTED = "labels of the training trials permuted, everything that learns is trained again"


def score_run(
    run: RunDir, plan: Plan, settings: ExperimentSettings, memory: Memory | None = None
) -> list[Score]:
    """Compute all scores that the run's arrays allow so far.

    Parameters
    ----------
    run
        The run folder.
    plan
        What was trained.
    settings
        The recipe's settings.
    memory
        Of earlier calls in the same run, whose scores are taken where nothing changed; None
        computes all.
    """
    memory = memory or Memory()
    split = run.read_json("split.json")
    dataset = run.read_json("dataset.json")
    keys = [fold["key"] for fold in split["folds"]]
    words = split_words(
        split,
        n_folds=settings.n_folds,
        n_decoded=sum(run.has(f"folds/{key}/decoding.npz") for key in keys),
    )
    feeding = _feeding(plan, settings)
    scores = ceiling_scores(dataset)
    scores += _decoding(run, plan, keys, words, dataset, seed=settings.seed, memory=memory)
    for key in keys:
        scores += picture_scores(
            run, key, words, feeding=feeding, guided=plan.painter.guided, memory=memory
        )
        if plan.extra_scores is not None:
            scores += plan.extra_scores(run, key, words)
    return stamp_scores(scores, split)


def _decoding(
    run: RunDir,
    plan: Plan,
    keys: list[str],
    words: str,
    dataset: dict,
    *,
    seed: int,
    memory: Memory,
) -> list[Score]:
    arrays = pool_arrays(run, keys, "decoding.npz")
    if not arrays:
        return []
    design = dataset["design"]
    named = design["unit"] == "block" and (arrays["block"] != "").all()
    blocks = arrays["block"] if named else None  # without names, runs of equal labels are taken
    main, objective = plan.encoder.name, plan.encoder.objective
    scores: list[Score] = []

    reuse = reuse_of(arrays, dataset)

    def add(
        key: str, method: str, role: str = "result", note: str = "", source=arrays, reuse=reuse
    ) -> None:
        if key not in source:
            return
        found = memory.ask(
            decoding_scores,
            source[key],
            source["labels"],
            recordings=source["recording"],
            blocks=source["block"] if blocks is not None else None,
            unit=design["unit"],
            method=method,
            split=words,
            role=role,
            seed=seed,
            reuse=reuse,
        )
        scores.extend(replace(score, note=note) for score in found)

    head = "softmax head" if objective != "triplet" else "linear probe of triplet features"
    add("probabilities", f"{main}, {head}", note=plan.encoder.note)
    if objective != "triplet":
        add("probe_probabilities", f"{main}, linear probe")
    add("lda_probabilities", "shrinkage LDA", "baseline")
    add("riemann_probabilities", "tangent space", "baseline")
    other = published = ""
    if plan.compared is not None:
        other = plan.compared.name
        published = f"{other}, {plan.compared.objective}"
        about = plan.compared.note
        add("compare_probe_probabilities", f"{published}, linear probe", "baseline", about)
    add("noise_probabilities", f"noise input: {main}", "control", NOISE, reuse=0.0)
    null = pool_arrays(run, keys, "null.npz")
    if null:
        folds = list(dict.fromkeys(null["fold"].tolist()))
        covered = f"{PERMUTED}; {len(folds)} of {len(keys)} folds; {NULL_RANGE}"
        ends = null_ranges(run, null["fold"], folds)
        for key, method in (
            ("probabilities", f"permuted labels: {main}"),
            ("lda_probabilities", "permuted labels: shrinkage LDA"),
            ("riemann_probabilities", "permuted labels: tangent space"),
            ("compare_probe_probabilities", f"permuted labels: {other}"),
        ):
            first = len(scores)
            add(key, method, "control", covered, null, reuse=0.0)
            scores[first:] = put_null_ranges(scores[first:], ends, arrays=null, key=key)
    n_classes = arrays["probabilities"].shape[1]
    _, fold, sizes = np.unique(arrays["fold"], return_inverse=True, return_counts=True)
    large = sizes[fold] >= n_classes  # fewer trials than clusters cannot be clustered
    for key, method, role in (
        ("features", main, "result"),
        ("compare_features", published, "baseline"),
    ):
        if key in arrays and large.any():
            scores.append(
                memory.ask(
                    kmeans_score,
                    arrays[key][large],
                    arrays["labels"][large],
                    n_classes=n_classes,
                    seed=seed,
                    method=method,
                    split=words,
                    role=role,
                    folds=arrays["fold"][large],
                    recordings=arrays["recording"][large],
                    blocks=None if blocks is None else blocks[large],
                    unit=design["unit"],
                )
            )
    scores += memory.ask(
        recording_scores,
        arrays["probabilities"],
        arrays["labels"],
        recordings=arrays["recording"],
        method=f"{main}, {head}",
        split=words,
        seed=seed,
    )
    return scores


def _feeding(plan: Plan, settings: ExperimentSettings) -> str:
    """Say what helps the generator to the decoded class beyond the published losses."""
    parts = []
    if settings.class_pull:
        parts.append(f"features pulled {settings.class_pull:.0%} to the mean of the decoded class")
    if plan.painter.guided:
        parts.append("generator guided by a picture classifier")
    return "; ".join(parts)
