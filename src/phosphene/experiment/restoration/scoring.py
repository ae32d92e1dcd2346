"""All scores of a run that restores pictures, from the arrays in its folder."""

from typing import Any

import numpy as np

from phosphene.evaluation.restoration import (
    EQUAL_ITERATIONS,
    EQUAL_TIME,
    Restored,
    score_restoration,
)
from phosphene.experiment.restoration import drawing
from phosphene.experiment.restoration.classifier import CLASSIFIED
from phosphene.experiment.restoration.pictures import FOLD, TEST
from phosphene.run_dir import RunDir
from phosphene.score import Score

SYSTEMS = f"folds/{FOLD}/systems.json"
CORRUPTED = "corrupted picture"
TUNED = "training pictures left out (learning rate)"
FILTERED = "training pictures (strength of the filter)"


def score_run(run: RunDir) -> list[Score]:
    """Score whatever the run folder holds so far."""
    if not run.has(TEST):
        return []
    test = run.read_arrays(TEST)
    named = run.read_arrays(CLASSIFIED) if run.has(CLASSIFIED) else {}
    dataset = run.read_json("dataset.json")
    systems: list[dict[str, Any]] = run.read_json(SYSTEMS) if run.has(SYSTEMS) else []
    corrupted = Restored(
        method=CORRUPTED,
        pixels=test["corrupted"],
        index=np.arange(len(test["corrupted"])),
        predicted=named.get("corrupted"),
        role="baseline",
        selected_on="nothing",
    )
    return score_restoration(
        test,
        [corrupted, *_baselines(run), *_systems(run, systems)],
        main=systems[-1]["name"] if systems else "",
        split=dataset["design"]["reason"],
        n_classes=len(dataset["classes"]),
        original_predicted=named.get("original"),
    )


def _baselines(run: RunDir) -> list[Restored]:
    found = []
    for name in drawing.BASELINES:
        file = drawing.baseline_file(name)
        if run.has(file):
            chosen = FILTERED if name in drawing.FILTERS else "nothing"
            found.append(_read(run, file, method=name, role="baseline", selected_on=chosen))
    return found


def _systems(run: RunDir, systems: list[dict[str, Any]]) -> list[Restored]:
    files = {EQUAL_ITERATIONS: drawing.iterations_file, EQUAL_TIME: drawing.time_file}
    return [
        _read(run, file_of(system["name"]), method=system["name"], fold=fold, selected_on=TUNED)
        for fold, file_of in files.items()
        for system in systems
        if run.has(file_of(system["name"]))
    ]


def _read(run: RunDir, file: str, **about: str) -> Restored:
    arrays = run.read_arrays(file)
    return Restored(
        pixels=arrays["restored"],
        index=arrays["index"],
        predicted=arrays.get("predicted"),
        **about,  # pyright: ignore[reportArgumentType]
    )
