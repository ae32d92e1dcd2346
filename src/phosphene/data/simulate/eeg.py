"""EEG of a headset while its wearers look at pictures, with a known best-possible accuracy.

A channel records ``gain * (background + onset response + effect * picture response) + drift +
mains``. Everything but the class is drawn alike for every order of presentation: each recording is
cut into as many blocks as there are classes, and every block has a state of its own (strength of
the onset response, gains, mains). With the order randomised the state is noise; with one class per
block it betrays the class, as in EEG-ImageNet40 (Li et al., TPAMI 2021,
https://doi.org/10.1109/TPAMI.2020.2973153), even where ``effect`` is 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phosphene.data.images import ImageSet
from phosphene.data.recording import Recording, signal_sha256
from phosphene.data.simulate.background import (
    Background,
    fast_length,
    mains_line,
    make_background,
    slow_drift,
)
from phosphene.data.simulate.ceiling import BayesRule, response_gram
from phosphene.data.simulate.head_model import CORTEX, HEADSETS, LeadField, load_lead_field
from phosphene.data.simulate.pictures import digits_images, draw_shown
from phosphene.data.simulate.responses import Responses, make_responses, picture_weights
from phosphene.data.simulate.settings import EEGSimulation

LEAD_IN = 2.0
"""Recording before the first and after the last trial in s."""

GAZE_SIZE = 70e-6
"""Eye movements after a block's pictures, in V per unit of `block_sd`; 10 uV are 1 degree."""

DIGIT_SIZE = 32


@dataclass(frozen=True)
class EEGModel:
    """All that is known before the first trial: the oracle's knowledge.

    Parameters
    ----------
    simulation
        Settings, with the effect solved where a ceiling was asked for.
    images
        Pictures; ``shown`` marks those that subjects see.
    lead_field, responses, background
        The head, what it answers, and what hides it.
    ceiling
        Record of the best possible accuracy (`Ceiling.to_json`).
    """

    simulation: EEGSimulation
    images: ImageSet
    lead_field: LeadField
    responses: Responses
    background: Background
    ceiling: dict


@dataclass(frozen=True)
class SimulatedEEG:
    """Recordings, the pictures that they answer to, and the best possible accuracy."""

    recordings: list[Recording]
    images: ImageSet
    ceiling: dict
    simulation: EEGSimulation
    """With the effect that was solved for the ceiling."""


@dataclass(frozen=True)
class Nuisance:
    """What a recording adds and multiplies, known to the oracle.

    Parameters
    ----------
    gain
        (chan, time) factor.
    added
        (chan, time) drift and mains in V, after the gain.
    onset
        (trial, chan, time of the response) in V, before the gain: the onset response and the eye
        movements of the trial's block.
    """

    gain: NDArray[np.float32]
    added: NDArray[np.float32]
    onset: NDArray[np.float32]


def simulate_eeg(
    simulation: EEGSimulation,
    *,
    images: ImageSet | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SimulatedEEG:
    """Simulate every recording of every subject.

    Parameters
    ----------
    simulation
        Settings.
    images
        Pictures to show; scikit-learn's digits if None.
    progress
        Called with the number of recordings done, from 0, and the number of all.
    """
    model = build_model(simulation, images=images)
    recordings = []
    total = simulation.n_subjects * simulation.n_recordings
    for index in range(total):
        if progress is not None:
            progress(index, total)
        events = design_recording(model, index)
        recordings.append(simulate_recording(model, index, events=events)[0])
    if progress is not None:
        progress(total, total)
    return SimulatedEEG(recordings, model.images, model.ceiling, model.simulation)


def build_model(simulation: EEGSimulation, *, images: ImageSet | None = None) -> EEGModel:
    """Prepare head, responses and background, and find the best possible accuracy.

    Raises
    ------
    ValueError
        If fewer than two classes have pictures to show, or the ceiling cannot be reached.
    """
    seed = simulation.seed
    images = digits_images(DIGIT_SIZE, seed=seed) if images is None else images
    images = _mark_shown(images, simulation)
    shown = images.shown
    stimuli = images.table["stimulus"]
    if stimuli.nunique() < len(stimuli) or "" in set(stimuli):
        table = images.table.assign(stimulus=images.table["image_id"])
        images = replace(images, table=table)
    if len(np.unique(images.labels[shown])) < len(images.classes) or len(images.classes) < 2:
        raise ValueError(
            "a simulation needs at least two classes, and of each a picture that is shown; got "
            f"{len(np.unique(images.labels[shown]))} of the classes {list(images.classes)}; "
            "add pictures or leave classes out."
        )
    lead_field = load_lead_field(simulation.montage)
    weights = picture_weights(
        images.pixels, images.labels, shown=shown, share=simulation.picture_share, seed=seed
    )
    responses = make_responses(
        lead_field,
        weights,
        sfreq=simulation.sfreq,
        duration=simulation.duration,
        n_subjects=simulation.n_subjects,
        subject_sd=simulation.subject_sd,
        seed=seed,
    )
    background = make_background(
        lead_field,
        sfreq=simulation.sfreq,
        background=simulation.background,
        exponent=simulation.exponent,
        alpha=simulation.alpha,
        noise=simulation.noise,
    )
    grams = [response_gram(basis, background) for basis in responses.basis]
    rule = BayesRule(grams, weights[shown], labels=images.labels[shown], seed=seed)
    if simulation.ceiling is not None:
        simulation = replace(simulation, effect=rule.solve(simulation.ceiling), ceiling=None)
    ceiling = rule.accuracy(simulation.effect).to_json()
    return EEGModel(simulation, images, lead_field, responses, background, ceiling)


def design_recording(model: EEGModel, index: int) -> pd.DataFrame:
    """Return the events of recording `index`: sample, code, label, stimulus, block, picture row.

    Classes are as balanced as the number of trials allows, and a class's pictures take turns. A
    blocked recording shows its classes in an order of its own.
    """
    simulation, images = model.simulation, model.images
    rng = np.random.default_rng([simulation.seed, 5, index])
    n_all = simulation.n_subjects * simulation.n_recordings
    n_trials = simulation.n_trials // n_all + (index < simulation.n_trials % n_all)
    n_classes = len(images.classes)
    labels = np.resize(rng.permutation(n_classes), n_trials)  # cycles through the classes
    labels = np.sort(labels) if simulation.order == "blocked" else rng.permutation(labels)
    if simulation.order == "blocked":
        pieces = np.split(labels, np.flatnonzero(np.diff(labels)) + 1)
        labels = np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])
        blocks = np.concatenate([[0], np.cumsum(np.diff(labels) != 0)])
    else:
        blocks = np.arange(n_trials) * min(n_classes, n_trials) // n_trials
    rows = np.empty(n_trials, dtype=np.int64)
    for label in range(n_classes):
        trials = np.flatnonzero(labels == label)
        pictures = np.flatnonzero(images.shown & (images.labels == label))
        rounds = [rng.permutation(pictures) for _ in range(len(trials) // len(pictures) + 1)]
        rows[trials] = np.concatenate(rounds)[: len(trials)]
    waits = rng.uniform(*simulation.interval, size=n_trials)
    onsets = LEAD_IN + np.cumsum(waits) - waits[0]
    return pd.DataFrame(
        {
            "sample": _apart(np.round(onsets * simulation.sfreq).astype(np.int64), simulation),
            "code": labels.astype(str),
            "label": labels,
            "stimulus": images.table["stimulus"].to_numpy()[rows],
            "block": [f"{_recording_name(model, index)}_block{block + 1:02d}" for block in blocks],
            "picture": rows,
        }
    )


def simulate_recording(
    model: EEGModel, index: int, *, events: pd.DataFrame
) -> tuple[Recording, Nuisance]:
    """Draw recording `index` for the given events, and say what an oracle would know of it."""
    simulation, responses = model.simulation, model.responses
    rng = np.random.default_rng([simulation.seed, 6, index])
    subject = index // simulation.n_recordings
    onsets = events["sample"].to_numpy()
    n_needed = int(onsets[-1] + (simulation.interval[1] + LEAD_IN) * simulation.sfreq)
    n_times = fast_length(n_needed)
    signal = model.background.sample(n_times, rng)
    nuisance = _draw_nuisance(
        model, events, basis=responses.basis[subject], n_times=n_times, rng=rng
    )

    weights = simulation.effect * responses.weights[events["picture"]]
    evoked = nuisance.onset + _combine(weights, responses.basis[subject])
    for onset, response in zip(onsets, evoked, strict=True):
        signal[:, onset : onset + evoked.shape[-1]] += response
    signal *= nuisance.gain
    signal += nuisance.added

    name = _recording_name(model, index)
    recording = Recording(
        signal=signal,
        sfreq=simulation.sfreq,
        ch_names=model.lead_field.ch_names,
        recording=name,
        subject=f"subject{subject + 1}",
        session=f"session{index % simulation.n_recordings + 1}",
        events=events.drop(columns="picture"),
        source=f"{name} (simulated)",
        sha256=signal_sha256(signal),
        montage="standard_1020" if simulation.montage in HEADSETS else simulation.montage,
        meas_note="simulated",
    )
    return recording, nuisance


def _draw_nuisance(
    model: EEGModel,
    events: pd.DataFrame,
    *,
    basis: np.ndarray,
    n_times: int,
    rng: np.random.Generator,
) -> Nuisance:
    simulation, n_chans = model.simulation, len(model.lead_field.ch_names)
    block = pd.factorize(events["block"])[0]
    n_blocks = int(block.max()) + 1
    starts = np.append(np.flatnonzero(np.diff(block, prepend=-1)), len(block))

    strength = np.exp(simulation.block_sd * rng.standard_normal((n_blocks, len(CORTEX))))
    common = simulation.onset_response * model.responses.common
    onset = _combine(strength[:, model.responses.places] * common, basis)
    gaze = model.responses.gaze
    onset += _combine(
        simulation.block_sd * GAZE_SIZE * rng.standard_normal((n_blocks, len(gaze))), gaze
    )

    gains = np.exp(
        simulation.gain_sd * _mostly_common((1, n_chans), rng)
        + simulation.block_sd / 2 * _mostly_common((n_blocks, n_chans), rng)
    )
    hum = np.exp(simulation.block_sd * rng.standard_normal(n_blocks))
    # A block's state begins shortly before its first trial.
    ahead = round(simulation.interval[0] * simulation.sfreq) // 8
    edges = np.append(events["sample"].to_numpy()[starts[:-1]] - ahead, n_times)
    edges[0] = 0
    length = np.diff(edges)
    gain = np.repeat(gains, length, axis=0).T.astype(np.float32)
    line = mains_line(
        n_chans,
        n_times,
        sfreq=simulation.sfreq,
        frequency=simulation.mains,
        amplitude=simulation.mains_amplitude,
        rng=rng,
    )
    added = slow_drift(n_chans, n_times, sfreq=simulation.sfreq, sd=simulation.drift, rng=rng)
    added += line * np.repeat(hum, length).astype(np.float32)
    return Nuisance(gain=gain, added=added, onset=onset[block])


def _combine(weights: np.ndarray, basis: np.ndarray) -> NDArray[np.float32]:
    """Return (row, chan, time): the basis (response, chan, time) weighed by (row, response)."""
    flat = weights.astype(np.float32) @ basis.reshape(len(basis), -1).astype(np.float32)
    return flat.reshape(-1, *basis.shape[1:])


def _mostly_common(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw standard normal deviations that rows share, but for a small part per column."""
    own = 0.15
    common = np.sqrt(1 - own**2) * rng.standard_normal((shape[0], 1))
    return common + own * rng.standard_normal(shape)


def _mark_shown(images: ImageSet, simulation: EEGSimulation) -> ImageSet:
    """Decide which pictures are shown, unless the pictures say so, and cap their number."""
    labels, shown = images.labels, images.shown
    if shown.all():
        shown = draw_shown(labels, share=simulation.shown_share, seed=simulation.seed)
    if shown.sum() > simulation.max_shown:
        rows = np.flatnonzero(shown)
        share = simulation.max_shown / len(rows)
        shown = np.zeros(len(labels), dtype=bool)
        shown[rows] = draw_shown(labels[rows], share=share, seed=simulation.seed)
    return replace(images, table=images.table.assign(shown=shown))


def _apart(onsets: np.ndarray, simulation: EEGSimulation) -> np.ndarray:
    """Move onsets later where rounding brought two nearer than a response is long."""
    n_response = round(simulation.duration * simulation.sfreq)
    waits = np.maximum(np.diff(onsets), n_response)
    return onsets[0] + np.concatenate([[0], np.cumsum(waits)])


def _recording_name(model: EEGModel, index: int) -> str:
    subject, recording = divmod(index, model.simulation.n_recordings)
    return f"subject{subject + 1}_recording{recording + 1}"
