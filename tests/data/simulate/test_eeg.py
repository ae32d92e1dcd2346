from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from phosphene.data.images import ImageSet
from phosphene.data.preprocess import cut_epochs
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.simulate.ceiling import project, response_gram
from phosphene.data.simulate.eeg import (
    build_model,
    design_recording,
    simulate_eeg,
    simulate_recording,
)
from phosphene.data.simulate.settings import EEGSimulation

SMALL = EEGSimulation(n_trials=600, n_subjects=2, n_recordings=2)
EPOCHS = Preprocessing(band=(0.5, 40.0), resample=None, tmax=0.6)


@pytest.fixture(scope="module")
def images():
    """Four classes of ten random pictures."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 10)
    names = [f"picture{row}" for row in range(40)]
    table = pd.DataFrame(
        {
            "image_id": names,
            "label": labels,
            "class_name": [f"class{label}" for label in labels],
            "stimulus": "",
            "shown": True,
            "source": "test",
            "sha256": names,
        }
    )
    return ImageSet(rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8), table)


def lda_accuracy(epochs, labels, *, test):
    features = epochs[:, :, ::2].reshape(len(epochs), -1) * 1e6
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    return lda.fit(features[~test], labels[~test]).score(features[test], labels[test])


def cut(simulated):
    events = {str(label): name for label, name in enumerate(simulated.images.classes)}
    return cut_epochs(simulated.recordings, EPOCHS, events=events)[0]


def test_recordings_are_balanced_and_never_overlap(images):
    model = build_model(SMALL, images=images)
    for index in range(4):
        events = design_recording(model, index)
        assert len(events) == 150
        assert np.diff(events["sample"]).min() >= round(SMALL.interval[0] * SMALL.sfreq) - 1
        assert set(events["label"].value_counts()) <= {37, 38}
        shown = model.images.table["stimulus"][model.images.shown]
        assert set(events["stimulus"]) == set(shown)  # the pictures take turns
        assert (model.images.labels[events["picture"]] == events["label"]).all()
        assert events["block"].nunique() == 4


def test_blocked_order_shows_one_class_per_block(images):
    model = build_model(replace(SMALL, order="blocked"), images=images)
    orders = []
    for index in range(4):
        events = design_recording(model, index)
        assert (events.groupby("block")["label"].nunique() == 1).all()
        orders.append(tuple(events["label"].drop_duplicates()))
    assert len(set(orders)) > 1


def test_same_seed_same_recordings(images):
    first, again = (simulate_eeg(SMALL, images=images) for _ in range(2))
    other = simulate_eeg(replace(SMALL, seed=1), images=images)
    for one, two in zip(first.recordings, again.recordings, strict=True):
        assert one.sha256 == two.sha256
        pd.testing.assert_frame_equal(one.events, two.events)
    hashes = {recording.sha256 for recording in [*first.recordings, *other.recordings]}
    assert len(hashes) == 8


def test_recordings_carry_identity_events_and_volts(images):
    done = []
    simulated = simulate_eeg(SMALL, images=images, progress=lambda *step: done.append(step))
    assert done == [(step, 4) for step in range(5)]
    first = simulated.recordings[0]
    assert first.signal.dtype == np.float32
    assert list(first.events) == ["sample", "code", "label", "stimulus", "block"]
    assert [recording.subject for recording in simulated.recordings] == [
        *("subject1", "subject1"),
        *("subject2", "subject2"),
    ]
    quiet = simulate_eeg(replace(SMALL, drift=0.0, mains_amplitude=0.0), images=images)
    spread = np.concatenate([recording.signal.std(1) for recording in quiet.recordings])
    assert 8e-6 < np.median(spread) < 25e-6


def test_pictures_without_stimulus_are_named(images):
    simulated = simulate_eeg(replace(SMALL, n_trials=40), images=images)
    table = simulated.images.table
    assert (table["stimulus"] == table["image_id"]).all()
    assert 0 < table["shown"].sum() < len(table)


def test_number_of_shown_pictures_is_capped(images):
    model = build_model(replace(SMALL, max_shown=8), images=images)
    assert np.bincount(model.images.labels[model.images.shown]).tolist() == [2, 2, 2, 2]


def test_classes_without_pictures_to_show_are_refused(images):
    table = images.table.assign(shown=images.table["label"] > 0)
    with pytest.raises(ValueError, match="at least two classes"):
        build_model(SMALL, images=replace(images, table=table))


def test_ceiling_can_be_asked_for(images):
    model = build_model(replace(SMALL, ceiling=0.8), images=images)
    assert model.ceiling["accuracy"] == pytest.approx(0.8, abs=2e-3)
    assert model.ceiling["low"] < 0.8 < model.ceiling["high"]
    assert model.simulation.effect != 1.0


def test_oracle_reaches_the_ceiling_through_drift_gain_and_mains(images):
    """Decode simulated recordings with all that the ceiling assumes to be known."""
    hard = EEGSimulation(montage="muse", n_subjects=2, n_recordings=1, block_sd=0.3, gain_sd=0.3)
    simulation = replace(hard, n_trials=1000, ceiling=0.8)
    model = build_model(simulation, images=images)
    rows = np.flatnonzero(model.images.shown)
    weights = model.simulation.effect * model.responses.weights
    right = []
    for index in range(2):
        events = design_recording(model, index)
        recording, known = simulate_recording(model, index, events=events)
        basis = model.responses.basis[index]
        gram = response_gram(basis, model.background)
        onsets, shown = events["sample"].to_numpy(), weights[events["picture"]]
        clean = (recording.signal - known.added) / known.gain
        answers = np.zeros_like(clean)
        evoked = np.einsum("nk,kct->nct", shown, basis)
        for onset, common, answer in zip(onsets, known.onset, evoked, strict=True):
            clean[:, onset : onset + common.shape[1]] -= common
            answers[:, onset : onset + common.shape[1]] += answer
        outputs, all_answers = (
            project(signal, basis, background=model.background)[:, onsets].T
            for signal in (clean, answers)
        )
        neighbours = all_answers - shown @ gram
        fit = (outputs - neighbours) @ weights[rows].T
        energy = ((weights[rows] @ gram) * weights[rows]).sum(1)
        likelihood = np.exp(fit - 0.5 * energy)
        by_class = np.stack(
            [likelihood[:, model.images.labels[rows] == label].mean(1) for label in range(4)], 1
        )
        right.extend(by_class.argmax(1) == events["label"])
    low, high = binom.interval(0.99, len(right), model.ceiling["accuracy"])
    assert low <= sum(right) <= high


def test_real_decoder_comes_near_the_ceiling_and_not_above(images):
    simulation = EEGSimulation(n_trials=2400, n_subjects=2, n_recordings=4, ceiling=0.85)
    simulated = simulate_eeg(simulation, images=images)
    trials = cut(simulated)
    held_out = trials.table["session"].isin(["session1"]).to_numpy()
    found = lda_accuracy(trials.epochs, trials.labels, test=held_out)
    n, best = held_out.sum(), simulated.ceiling["accuracy"]
    assert 0.75 * best < found <= binom.ppf(0.99, n, best) / n
    other_subject = (trials.table["subject"] == "subject2").to_numpy()
    assert 0.4 < lda_accuracy(trials.epochs, trials.labels, test=other_subject) < best


def test_without_effect_nothing_is_decoded(images):
    simulated = simulate_eeg(replace(SMALL, effect=0.0), images=images)
    assert simulated.ceiling["accuracy"] == pytest.approx(0.25, abs=1e-6)
    trials = cut(simulated)
    held_out = (trials.table["session"] == "session2").to_numpy()
    found = lda_accuracy(trials.epochs, trials.labels, test=held_out)
    low, high = binom.interval(0.999, held_out.sum(), 0.25)
    assert low <= found * held_out.sum() <= high


def test_blocked_order_betrays_classes_within_a_recording_only(images):
    """The confound of EEG-ImageNet40: no effect, and yet a split by trial decodes the class."""
    simulation = replace(SMALL, order="blocked", effect=0.0, n_subjects=1, n_recordings=3)
    trials = cut(simulate_eeg(simulation, images=images))
    by_trial = []
    for name in trials.table["recording"].unique():
        part = trials.select((trials.table["recording"] == name).to_numpy())
        every_fifth = np.arange(len(part)) % 5 == 0
        by_trial.append(lda_accuracy(part.epochs, part.labels, test=every_fifth))
    assert np.mean(by_trial) > 0.5
    by_recording = (trials.table["session"] == "session3").to_numpy()
    found = lda_accuracy(trials.epochs, trials.labels, test=by_recording)
    assert found < 0.45  # chance is 0.25; blocks, not trials, are independent here


def test_works_for_other_headsets(images):
    simulation = EEGSimulation(
        montage="muse", sfreq=256.0, n_trials=40, n_subjects=1, n_recordings=1
    )
    (recording,) = simulate_eeg(simulation, images=images).recordings
    assert recording.ch_names == ("TP9", "AF7", "AF8", "TP10")
    freqs = np.fft.rfftfreq(recording.n_samples, 1 / 256)
    spectrum = np.abs(np.fft.rfft(recording.signal * np.hanning(recording.n_samples)))[0]
    assert freqs[freqs > 20][spectrum[freqs > 20].argmax()] == pytest.approx(50, abs=0.1)
