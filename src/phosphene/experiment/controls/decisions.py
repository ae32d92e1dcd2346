"""Controls on what a run decoded: nothing is trained and no signal is read again."""

import numpy as np

from phosphene.experiment.controls.control import (
    CHANCE,
    OPEN,
    Control,
    ControlNotPossibleError,
    Found,
    Made,
    Task,
)
from phosphene.experiment.controls.material import Material

SHIFTS = (1, 2, 4, 8)
"""By how many trials labels are moved."""
IN_BLOCKS = "Neighbours are of one block and one class here: it stays near the result."


def moved_rows(rows: np.ndarray, recordings: np.ndarray, *, by: int) -> np.ndarray:
    """Give each decision the trial that came so many trials later in its recording.

    Parameters
    ----------
    rows, recordings
        Position and recording of each decision, in the order of time within a recording.
    by
        Trials; the last decisions of a recording take its first trials.
    """
    moved = rows.copy()
    for name in np.unique(recordings):
        mine = np.flatnonzero(recordings == name)
        moved[mine] = np.roll(rows[mine], -by)
    return moved


def _moved(material: Material, made: Made) -> Found:
    del made
    own = material.own()
    order = np.argsort(own["row"], kind="stable")
    rows, probabilities = own["row"][order], own["probabilities"][order]
    recordings = material.recordings[rows]
    found, points = [], []
    for by in SHIFTS:
        shifted = {"probabilities": probabilities, "row": moved_rows(rows, recordings, by=by)}
        scores = material.scores(shifted, method=f"labels moved by {by}: {_encoder(material)}")
        points.append({"trials": by, "value": scores[0].value})
        found.append((shifted, scores))
    shifted, scores = found[0]
    return Found(
        scores=scores,
        measured=material.measure(shifted, scores, name="labels of the next trial"),
        details={"curve": points, "horizontal": "trials that labels are moved by"},
        note="" if material.design == "trial" else IN_BLOCKS,
        expected=None if material.design == "trial" else OPEN,
    )


def _need_neighbours(material: Material) -> list[Task]:
    counts = np.unique(material.recordings[material.decoded["row"]], return_counts=True)[1]
    if counts.max() < 2 * SHIFTS[-1]:
        raise ControlNotPossibleError(
            f"labels are moved by up to {SHIFTS[-1]} trials inside a recording, and the longest "
            f"held-out one has {counts.max()}"
        )
    return []


def _noise(material: Material, made: Made) -> Found:
    del made
    arrays = material.own("noise_probabilities")
    scores = material.scores(arrays, method=f"noise input: {_encoder(material)}", reuse=0.0)
    measured = material.measure(arrays, scores, name="noise input", reuse=0.0)
    return Found(scores=scores, measured=measured)


def _need_noise(material: Material) -> list[Task]:
    if "noise_probabilities" not in material.decoded:
        raise ControlNotPossibleError("the run did not decode noise")
    return []


def _encoder(material: Material) -> str:
    return "the run's encoder" if material.plan is None else material.plan.encoder.name


MOVED = Control(
    key="moved_labels",
    title="Time-shifted labels",
    what="Each decision is compared with the class of the next trial of the recording instead of "
    "its own; the curve goes on to trials further away.",
    decoder="the run's own, not trained again",
    expected=CHANCE,
    report=_moved,
    tasks=_need_neighbours,
)

NOISE = Control(
    key="noise_input",
    title="Noise input",
    what="Held-out signals are replaced by noise with the mean, covariance and spectrum of their "
    "recording.",
    decoder="the run's own, not trained again",
    expected=CHANCE,
    report=_noise,
    tasks=_need_noise,
)

CONTROLS = (NOISE, MOVED)
