"""What a split that keeps nothing apart would find, and what tells recordings and times apart."""

import numpy as np

from phosphene.evaluation.decoding import decoding_scores
from phosphene.evaluation.permutation import heldout_test
from phosphene.evaluation.probes import shrinkage_lda
from phosphene.evaluation.verdict import Measured
from phosphene.experiment.controls.control import (
    CHANCE,
    OPEN,
    RESULT,
    Arrays,
    Control,
    ControlNotPossibleError,
    Found,
    Made,
    Task,
)
from phosphene.experiment.controls.linear import (
    GROUPED,
    decode_rows,
    group_folds,
    keeps_recordings,
    own_folds,
    window_folds,
)
from phosphene.experiment.controls.material import Material

WINDOWS = "window-wise: folds of single trials, recordings on both sides"
RECORDINGS = "recordings held out"
MIXED = (
    "The run itself tests on recordings that it was trained on: its verdict is that of this "
    "decoder with recordings held out."
)
STRETCHES = 5
"""Parts of each recording, one after the other, of which one is held out in turn."""
N_NEIGHBOURS = 9
"""Training trials nearest in time that vote for the class of a trial."""


def _gap_tasks(material: Material) -> list[Task]:
    folds = group_folds(material)
    return [
        Task(
            name="window_wise",
            make=lambda: decode_rows(material.trials, window_folds(material), decoder=GROUPED),
        ),
        Task(
            name="group_wise",
            make=lambda: decode_rows(material.trials, folds, decoder=GROUPED),
        ),
    ]


def _gap(material: Material, made: Made) -> Found:
    window, group = made("window_wise"), made("group_wise")
    ours = material.scores(
        group, method=f"{GROUPED}, recordings held out", role="baseline", split=RECORDINGS
    )
    theirs = material.scores(
        window, method=f"{GROUPED}, window-wise", role="baseline", split=WINDOWS
    )
    statistic = "balanced accuracy"
    measured = material.measure(window, theirs, name="window-wise split", statistic=statistic)
    gap = theirs[0].value - ours[0].value
    note = "" if keeps_recordings(material) else MIXED
    return Found(scores=[*theirs, *ours], measured=measured, details={"gap": gap}, note=note)


def measured_group(
    material: Material, made: Made, *, statistic: str = "balanced accuracy"
) -> Measured:
    """Return what the decoder of the window-wise split finds with recordings held out."""
    group = made("group_wise")
    scores = material.scores(group, method=GROUPED, role="baseline")
    name = "shrinkage LDA with recordings held out"
    return material.measure(group, scores, name=name, statistic=statistic, reuse=1.0)


def stretches(recordings: np.ndarray) -> np.ndarray:
    """Return for each trial, from 0 to 4, which part of its recording it lies in."""
    part = np.empty(len(recordings), dtype=np.int64)
    for name in np.unique(recordings):
        rows = np.flatnonzero(recordings == name)
        part[rows] = np.arange(len(rows)) * STRETCHES // len(rows)
    return part


def state_features(epochs: np.ndarray) -> np.ndarray:
    """Describe the state of the recording during each trial: what a response hardly changes.

    Mean and logarithm of the standard deviation of each channel, and Fisher's z of the correlation
    of each two; all brought to mean 0 and SD 1 over trials, without labels.
    """
    centred = epochs.astype(np.float64)
    mean = centred.mean(axis=2)
    centred = centred - mean[:, :, None]
    spread = np.maximum(centred.std(axis=2), np.finfo(np.float64).tiny)
    scaled = centred / spread[:, :, None]
    one, other = np.triu_indices(epochs.shape[1], 1)
    alike = np.einsum("nct,ndt->ncd", scaled, scaled)[:, one, other] / epochs.shape[2]
    found = np.concatenate([mean, np.log(spread), np.arctanh(alike.clip(-0.9999, 0.9999))], axis=1)
    scale = found.std(axis=0)
    return (found - found.mean(axis=0)) / np.where(scale > 0, scale, 1.0)


def _index_tasks(material: Material) -> list[Task]:
    recordings = material.recordings
    counts = np.unique(recordings, return_counts=True)[1]
    if (material.trials.table["start"] < 0).all():
        raise ControlNotPossibleError("the source does not say of which recording its windows are")
    if len(counts) < 2 or counts.min() < STRETCHES:
        raise ControlNotPossibleError(
            f"telling recordings apart needs two with at least {STRETCHES} trials each; there are "
            f"{len(counts)}, the shortest of {counts.min()}"
        )

    def make() -> Arrays:
        names, index = np.unique(recordings, return_inverse=True)
        part = stretches(recordings)
        folds = [(np.flatnonzero(part != k), np.flatnonzero(part == k)) for k in range(STRETCHES)]
        features, labels = (
            state_features(np.asarray(material.trials.epochs)),
            index.astype(np.int64),
        )
        found = [
            shrinkage_lda(
                features[train][:, None], labels[train], n_classes=len(names)
            ).predict_proba(features[test][:, None])
            for train, test in folds
        ]
        rows = np.concatenate([test for _, test in folds])
        return {"probabilities": np.concatenate(found), "row": rows}

    return [Task(name="recording_index", make=make)]


def _index(material: Material, made: Made) -> Found:
    arrays = made("recording_index")
    order = np.argsort(arrays["row"], kind="stable")
    probabilities = arrays["probabilities"][order]
    labels = np.unique(material.recordings, return_inverse=True)[1].astype(np.int64)
    everything = np.zeros(len(labels), dtype=np.int64)
    about = {
        "recordings": everything,
        "unit": "trial",
        "n_permutations": material.effort.n_permutations,
        "seed": material.seed,
    }
    scores = decoding_scores(
        probabilities,
        labels,
        method="recording index by shrinkage LDA of channel means, variances and correlations",
        split=f"each recording in {STRETCHES} stretches, one held out in turn",
        role="baseline",
        **about,
    )
    test = heldout_test(probabilities, labels, **about)
    measured = Measured(
        name="recording index, AUC",
        value=scores[1].value,
        chance=test.mean,
        p_value=test.p_value,
        low=scores[1].low,
        high=scores[1].high,
    )
    return Found(scores=scores, measured=measured)


def clock_probabilities(
    onsets: np.ndarray,
    recordings: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    *,
    n_classes: int,
) -> np.ndarray:
    """Guess the class of trials from the time at which they happened, and from nothing else.

    The training trials nearest in time vote, those of the trial's own recording where it has any in
    training, else those of all recordings by their time since the start.

    Parameters
    ----------
    onsets
        Time of each trial in its recording, in s.
    recordings, labels
        Of each trial.
    train, test
        Positions.
    n_classes
        Number of classes.
    """
    found = np.empty((len(test), n_classes))
    for number, row in enumerate(test):
        same = train[recordings[train] == recordings[row]]
        known = same if len(same) >= N_NEIGHBOURS else train
        nearest = known[np.argsort(np.abs(onsets[known] - onsets[row]), kind="stable")]
        votes = np.bincount(labels[nearest[:N_NEIGHBOURS]], minlength=n_classes)
        found[number] = (votes + 1 / n_classes) / (votes.sum() + 1)
    return found


def _clock_tasks(material: Material) -> list[Task]:
    onsets = material.trials.table["onset"].to_numpy(dtype=np.float64)
    if not np.isfinite(onsets).all() or (onsets < 0).any() or len(np.unique(onsets)) < 2:
        raise ControlNotPossibleError("the data set does not say when its trials happened")

    def make(folds: list[tuple[np.ndarray, np.ndarray]]) -> Arrays:
        found = [
            clock_probabilities(
                onsets, material.recordings, material.trials.labels, train, test,
                n_classes=material.trials.n_classes,
            )
            for train, test in folds
        ]  # fmt: skip
        return {
            "probabilities": np.concatenate(found),
            "row": np.concatenate([test for _, test in folds]),
        }

    return [
        Task(name="clock", make=lambda: make(own_folds(material))),
        Task(name="clock_window_wise", make=lambda: make(window_folds(material))),
    ]


def _clock(material: Material, made: Made) -> Found:
    arrays, window = made("clock"), made("clock_window_wise")
    scores = material.scores(arrays, method="time alone")
    inside = material.scores(
        window, method="time alone, window-wise", role="baseline", split=WINDOWS
    )
    return Found(
        scores=[*scores, *inside],
        measured=material.measure(arrays, scores, name="time of the trial"),
        note="The second number says how far the neighbours of a trial have its class.",
    )


GAP = Control(
    key="window_wise",
    title="Window-wise split",
    what="Single trials are held out at random, so that trials of a recording train and test; "
    "beside it the same decoder with recordings held out.",
    decoder=f"{GROUPED}, trained again",
    expected=RESULT,
    report=_gap,
    tasks=_gap_tasks,
)
"""More than with recordings held out is what the recording, and not the picture, tells."""

RECORDING_INDEX = Control(
    key="recording_index",
    title="Recording index",
    what="The recording of a trial is decoded in place of its class.",
    decoder="shrinkage LDA of channel means, variances and correlations, trained again",
    expected=OPEN,
    report=_index,
    tasks=_index_tasks,
)
"""Almost always far above chance; it says what a split that mixes recordings could use."""

CLOCK = Control(
    key="clock",
    title="Time alone",
    what="The class is guessed from the time of the trial; no signal is read.",
    decoder=f"vote of the {N_NEIGHBOURS} training trials nearest in time",
    expected=CHANCE,
    report=_clock,
    tasks=_clock_tasks,
)

CONTROLS = (GAP, RECORDING_INDEX, CLOCK)
