"""From the controls of a run to the numbers that its verdict is derived from."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from phosphene.evaluation.permutation import count_arrangements
from phosphene.evaluation.verdict import Evidence
from phosphene.experiment.controls.control import CHANCE, Found, Made
from phosphene.experiment.controls.leaking import GAP, RECORDING_INDEX, measured_group
from phosphene.experiment.controls.linear import keeps_recordings
from phosphene.experiment.controls.material import Material
from phosphene.experiment.controls.retraining import ENCODER

NUISANCES = ("pre_stimulus", "clock", "noise_input", "moved_labels")
"""Controls of what no picture has touched, where they are expected at chance."""
GROUPS = ("recording", "session", "subject")


def gather_evidence(material: Material, found: Mapping[str, Found], made: Made) -> Evidence:
    """Collect what was measured; what was not is left out.

    The score is the AUC of the run's own decoder, its p-value calibrated by its encoder's trainings
    on permuted labels where there are any. Where the run was tested on recordings that it was
    trained on, it is that of the linear decoder with recordings held out.

    Parameters
    ----------
    material
        The run and its data.
    found
        What each control measured, by its key.
    made
        Arrays of the tasks.
    """
    own = material.own()
    nulls = found[ENCODER.key].details if ENCODER.key in found else {}
    scores = material.scores(own, method="the run's decoder", role="result")
    score = material.measure(own, scores, name="the run's decoder", nulls=nulls.get("z", ()))
    rows = np.sort(own["row"])
    n_units, n_arrangements = count_arrangements(
        material.trials.labels[rows],
        material.recordings[rows],
        blocks=None if material.blocks is None else material.blocks[rows],
        unit=material.design,
    )
    gap = found.get(GAP.key)
    if gap is not None and not keeps_recordings(material):
        score = measured_group(material, made, statistic="AUC")
    index = found.get(RECORDING_INDEX.key)
    return Evidence(
        score=score,
        unit=material.design,
        n_units=n_units,
        n_arrangements=n_arrangements,
        n_recordings=len(np.unique(material.recordings[rows])),
        class_constant_in=constant_group(material),
        group_wise=None if gap is None else measured_group(material, made),
        window_wise=None if gap is None else gap.measured,
        recording_decoding=None if index is None else index.measured,
        nuisances=tuple(
            one.measured
            for key in NUISANCES
            if (one := found.get(key)) and one.measured and one.expected in (None, CHANCE)
        ),
        retrained=tuple(nulls.get("of_all_folds", ())) if keeps_recordings(material) else (),
        leak=material.split.leak_reason or "",
    )


def constant_group(material: Material) -> str:
    """Return the smallest of recording, session and subject that holds one class each, or ""."""
    table = material.trials.table
    for group in GROUPS:
        counts = table.groupby(group)["label"].nunique()
        if len(counts) > 1 and (counts == 1).all():
            return group
    return ""


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """Return plain JSON values; what was not measured is None, endless counts are None."""
    values = asdict(evidence)
    ways = values["n_arrangements"]
    values["n_arrangements"] = None if ways is None or not np.isfinite(ways) else float(ways)
    return {
        **values,
        "nuisances": list(values["nuisances"]),
        "retrained": list(values["retrained"]),
    }
