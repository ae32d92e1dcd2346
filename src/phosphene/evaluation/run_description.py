"""What a run folder says about data and split before anything is trained."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from phosphene.data.dataset import Dataset, load_recordings
from phosphene.data.inspection import evoked_responses, inspect_dataset, power_spectrum
from phosphene.data.splits import Fold, Split
from phosphene.data.trials import Trials
from phosphene.evaluation.controls import label_permuter
from phosphene.evaluation.units import independent_unit, runs_of_labels
from phosphene.run_dir import RunDir


def describe_run(
    run: RunDir,
    dataset: Dataset,
    split: Split,
    *,
    seed: int,
    pictures: Mapping[str, Any] | None = None,
) -> None:
    """Write dataset.json, split.json, environment.json and what the figures of signals show.

    Parameters
    ----------
    run
        The run folder, new or to be resumed.
    dataset
        What is trained on.
    split
        Its split.
    seed
        Of the run.
    pictures
        Ids of pictures and what they serve, for split.json; None where no picture is used.

    Raises
    ------
    ValueError
        When a resumed run began with other data or another split, or no label can be permuted.
    """
    begun = run.has("environment.json")
    if begun:
        before = run.read_json("environment.json")["data_hash"]
        if before != dataset.data_hash:
            raise ValueError(
                f"a run must go on with the data it began with, hash {before}; this data set has "
                f"{dataset.data_hash}. Give the first data set, or begin a new run."
            )
    trials = dataset.trials
    unit, reason = independent_unit(
        trials.labels, recordings=trials.table["recording"], blocks=blocks_of(trials)
    )
    design = {"unit": unit, "reason": reason}
    check_permutable(trials, split.folds[0], unit=unit)
    run.write_json("dataset.json", {**inspect_dataset(dataset), "design": design})
    repeated = {"shown_in_both": _count_repeated(trials, split)}
    content = {**split.to_json(), "pictures": {**(pictures or {}), **repeated}}
    if run.has("split.json") and run.read_json("split.json") != content:
        raise ValueError(
            "a run must go on with the split it began with; split.json in the run folder differs "
            "from the one made now. Begin a new run."
        )
    run.write_json("split.json", content)
    run.write_arrays("evoked.npz", evoked_responses(trials))
    recordings = load_recordings(dataset.path) if dataset.path is not None else []
    run.write_arrays("spectrum.npz", power_spectrum(recordings, trials))
    if not begun:
        run.write_environment(data_hash=dataset.data_hash, seed=seed)


def check_permutable(trials: Trials, fold: Fold, *, unit: str) -> None:
    """Refuse designs in which no label can be permuted: chance could not be known."""
    for rows in fold.indices(trials):
        some = trials.select(rows)
        try:
            label_permuter(
                some.labels,
                recordings=some.table["recording"],
                blocks=blocks_of(some),
                unit=unit,
            )
        except ValueError:
            raise ValueError(
                f"chance is known from labels permuted by {unit} within recordings; in fold "
                f"'{fold.key}' no recording allows it, for classes do not vary inside. Record "
                "several classes in each recording."
            ) from None


def blocks_of(trials: Trials) -> np.ndarray | None:
    """Return the block of each trial, None where the source does not name all of them."""
    blocks = trials.table["block"].to_numpy(dtype=str)
    return None if (blocks == "").any() else blocks


def identity_arrays(trials: Trials) -> dict[str, np.ndarray]:
    """Return what scores and report must know of held-out trials, as arrays of a run folder."""
    table = trials.table
    text = {name: table[name].to_numpy(dtype="U") for name in ("trial", "recording", "block")}
    return {"labels": trials.labels, **text}


def doubt_blocks(split: Split, trials: Trials) -> Split:
    """Stamp a doubt on a split of a blocked design that has one block on both sides of a fold.

    In a blocked design a class is shown for a while, so time tells the class; a decoder that met a
    block in training can know its other trials by drift alone. Splits that keep blocks whole, by
    recording for instance, are returned as they are.
    """
    recordings, blocks = trials.table["recording"].to_numpy(dtype=str), blocks_of(trials)
    unit, reason = independent_unit(trials.labels, recordings=recordings, blocks=blocks)
    if unit == "trial":
        return split
    if blocks is None:
        numbers = np.unique(recordings, return_inverse=True)[1].astype(np.int64)
        blocks = runs_of_labels(trials.labels, numbers).astype(str)
    names = np.array([f"{one}/{other}" for one, other in zip(recordings, blocks, strict=True)])
    n_shared = max(
        len(np.intersect1d(names[train], names[test]))
        for train, test in (fold.indices(trials) for fold in split.folds)
    )
    if not n_shared:
        return split
    doubt = (
        f"this is a blocked design ({reason.rstrip('.')}), and {n_shared} blocks hold training and "
        "test trials alike, so slow drift alone can tell the class of a held-out trial"
    )
    return replace(split, doubt="; ".join(filter(None, (doubt, split.doubt))))


def _count_repeated(trials: Trials, split: Split) -> int:
    """Count pictures shown in training and in test, in the fold with the most of them."""
    stimuli = trials.table["stimulus"].to_numpy(dtype=str)
    counts = [0]
    for fold in split.folds:
        train, test = (set(stimuli[rows]) - {""} for rows in fold.indices(trials))
        counts.append(len(train & test))
    return max(counts)
