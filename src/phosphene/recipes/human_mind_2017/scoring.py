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
from phosphene.recipes.human_mind_2017.config import Config
from phosphene.run_dir import RunDir
from phosphene.score import Score

PERMUTED = "labels of training and validation trials permuted, everything is trained again"
CHOSEN = "validation trials of the split"


def score_run(run: RunDir, config: Config) -> list[Score]:
    """Compute all scores that the run's arrays allow so far."""
    split, dataset = run.read_json("split.json"), run.read_json("dataset.json")
    keys = [fold["key"] for fold in split["folds"]]
    words = split_words(
        split,
        n_folds=config.n_folds,
        n_decoded=sum(run.has(f"folds/{key}/decoding.npz") for key in keys),
    )
    scores = ceiling_scores(dataset)
    arrays = pool_arrays(run, keys, "decoding.npz")
    if not arrays:
        return stamp_scores(scores, split)
    unit = dataset["design"]["unit"]
    named = unit == "block" and (arrays["block"] != "").all()
    head = f"{config.encoder}, softmax head"

    def decoded(
        source: dict[str, np.ndarray], key: str, method: str, role: str, note: str, reuse: float
    ) -> list[Score]:
        found = decoding_scores(
            source[key],
            source["labels"],
            recordings=source["recording"],
            blocks=source["block"] if named else None,
            unit=unit,
            method=method,
            split=words,
            role=role,
            seed=config.seed,
            reuse=reuse,
        )
        if "lda" not in key:
            found = _say_what_chose(found, arrays)
        return [replace(score, note=note) for score in found]

    reuse = reuse_of(arrays, dataset)
    scores += decoded(arrays, "probabilities", head, "result", "", reuse)
    scores += decoded(arrays, "lda_probabilities", "shrinkage LDA", "baseline", "", reuse)
    method = f"noise input: {config.encoder}"
    scores += decoded(arrays, "noise_probabilities", method, "control", NOISE, 0.0)
    null = pool_arrays(run, keys, "null.npz")
    if null:
        folds = list(dict.fromkeys(null["fold"].tolist()))
        note = f"{PERMUTED}; {len(folds)} of {len(keys)} folds; {NULL_RANGE}"
        ends = null_ranges(run, null["fold"], folds)
        for key, method in (
            ("probabilities", f"permuted labels: {config.encoder}"),
            ("lda_probabilities", "permuted labels: shrinkage LDA"),
        ):
            found = decoded(null, key, method, "control", note, 0.0)
            scores += put_null_ranges(found, ends, arrays=null, key=key)
    score = kmeans_score(
        arrays["features"],
        arrays["labels"],
        n_classes=arrays["probabilities"].shape[1],
        seed=config.seed,
        method=config.encoder,
        split=words,
        folds=arrays["fold"],
        recordings=arrays["recording"],
        blocks=arrays["block"] if named else None,
        unit=unit,
    )
    scores += _say_what_chose([score], arrays)
    found = recording_scores(
        arrays["probabilities"],
        arrays["labels"],
        recordings=arrays["recording"],
        method=head,
        split=words,
        seed=config.seed,
    )
    scores += _say_what_chose(found, arrays)
    return stamp_scores(scores, split)


def _say_what_chose(scores: list[Score], arrays: dict[str, np.ndarray]) -> list[Score]:
    """Name the validation trials where they chose the weights of a fold."""
    if not (arrays["chosen_step"] > 0).any():
        return scores
    return [replace(score, selected_on=CHOSEN) for score in scores]
