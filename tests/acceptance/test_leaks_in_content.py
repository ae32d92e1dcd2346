"""Leaks planted in the samples of simulated recordings: each found and named by the audit.

Leaks in design, labels and split are planted in test_leaks.py, and clean data looked at there.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import resample

from phosphene.audit.audit import CHECKS
from phosphene.audit.finding import CheckNotPossibleError
from phosphene.data.splits import Fold, Split, k_fold, leave_one_group_out

OF_CONTENT = ("check_duplicates", "check_overlap", "check_channels", "check_scaling")


def look(source, split=None):
    """Return the findings of those checks of the audit that look at samples."""
    checks = [check for _, check in CHECKS if check.__name__ in OF_CONTENT]
    assert len(checks) == len(OF_CONTENT)
    findings = []
    for check in checks:
        try:
            findings += check(source, split, np.random.default_rng(0))
        except CheckNotPossibleError:
            assert source.raw_ranges_known  # then ranges are compared, and nothing is left to match
    return findings


@pytest.fixture(scope="module")
def clean(simulate):
    return simulate(
        n_subjects=1,
        n_recordings=4,
        n_trials=120,
        montage="emotiv14",
        duration=0.4,
        interval=(0.5, 0.6),
    )


def with_epochs(source, epochs):
    """The same trials with other signals, as a file would hold that has no recordings."""
    return replace(source, epochs_with_margin=epochs.astype(np.float32), recordings=())


def copied(source, change):
    """Write the first five trials, changed, over the last five, of another recording."""
    epochs = source.epochs_with_margin.astype(np.float64)
    for row in range(5):
        epochs[-1 - row] = change(epochs[row])
    return with_epochs(source, epochs)


def again(clean, change, **epochs):
    """The same recordings and one more: a changed copy of the first."""
    first = clean.recordings[0]
    copy = replace(change(first), recording="another", sha256="0" * 64)
    return clean.cut([*clean.recordings, copy], clean.trials.classes, **epochs)


# --- trials -----------------------------------------------------------------------------------


def trials_exact(clean):
    return copied(clean.source, lambda epoch: epoch), "duplicated_trials", "the same samples"


def trials_rescaled(clean):
    return copied(clean.source, lambda epoch: 1.7 * epoch), "duplicated_trials", "rescaled"


def trials_resampled(clean):
    def change(epoch):
        shorter = resample(epoch, 100, axis=1)
        return resample(shorter, epoch.shape[1], axis=1)

    return copied(clean.source, change), "duplicated_trials", "resampled or filtered"


def trials_shifted(clean):
    source = clean.source
    rows = np.arange(5)
    epochs = source.epochs_with_margin.copy()
    signals = [np.roll(epochs[row], 3, axis=1) for row in rows]
    for row, signal in zip(rows, signals, strict=True):
        signal[:, :3] = epochs[-1 - row][:, :3]
        epochs[-1 - row] = signal
    return with_epochs(source, epochs), "duplicated_trials", "shifted by 3 samples"


# --- recordings -------------------------------------------------------------------------------


def recording_exact(clean):
    return again(clean, lambda r: r).source, "duplicated_recording", "the same samples"


def recording_rescaled(clean):
    change = lambda r: replace(r, signal=r.signal * np.float32(2.5))  # noqa: E731
    return again(clean, change).source, "duplicated_recording", "rescaled by 2.5"


def recording_shifted(clean):
    def change(r):
        events = r.events.assign(sample=r.events["sample"] - 7)
        return replace(r, signal=r.signal[:, 7:].copy(), events=events)

    return again(clean, change).source, "duplicated_recording", "shifted by 7 samples"


def recording_resampled(clean):
    def change(r):
        n = round(r.n_samples * 200 / r.sfreq)
        events = r.events.assign(
            sample=(r.events["sample"] * 200 / r.sfreq).round().astype("int64")
        )
        signal = resample(r.signal, n, axis=1).astype(np.float32)
        return replace(r, signal=signal, sfreq=200.0, events=events)

    source = again(clean, change, resample=128.0).source
    return source, "duplicated_recording", "resampled from 128 to 200 Hz"


def recording_without_signals(clean):
    """Nothing but epochs is left, and all of one recording stand there again."""
    source = again(clean, lambda r: r).source
    return replace(source, recordings=()), "duplicated_recording", "trials have a copy"


# --- channels ---------------------------------------------------------------------------------


def class_in_a_channel(clean):
    epochs = clean.source.epochs_with_margin.astype(np.float64)
    epochs[:, 5, 60:64] += 200e-6 * clean.source.labels[:, None]
    return with_epochs(clean.source, epochs), "label_in_channel", clean.source.ch_names[5]


def trigger_code_as_a_channel(clean):
    """A marker channel among the electrodes, filtered like them."""
    epochs = clean.source.epochs_with_margin.astype(np.float64)
    start = clean.source.margin
    rng = np.random.default_rng(0)
    epochs[:, 3] = 1e-7 * rng.standard_normal(epochs[:, 3].shape)
    epochs[:, 3, start : start + 10] += (1.0 + clean.source.labels)[:, None] * 1e-6
    return with_epochs(clean.source, epochs), "label_in_channel", ""


def trigger_without_class(clean):
    epochs = clean.source.epochs_with_margin.astype(np.float64)
    start = clean.source.margin
    epochs[:, 3] = 0.0
    epochs[:, 3, start : start + 10] = 1.0
    return with_epochs(clean.source, epochs), "trigger_in_channel", "2 distinct values"


# --- scaling ----------------------------------------------------------------------------------


def scaled_channels(clean):
    epochs = clean.source.epochs.astype(np.float64)
    epochs -= epochs.mean(axis=(0, 2), keepdims=True)
    epochs /= epochs.std(axis=(0, 2), keepdims=True)
    source = replace(with_epochs(clean.source, epochs), margin=0)
    return source, "scaling_across_split", "standard deviation 1 of each channel"


def scaled_samples(clean):
    epochs = clean.source.epochs.astype(np.float64)
    epochs = (epochs - epochs.mean(axis=0)) / epochs.std(axis=0)
    source = replace(with_epochs(clean.source, epochs), margin=0)
    return source, "scaling_across_split", "each sample of each channel"


def scaled_to_a_range(clean):
    epochs = clean.source.epochs.astype(np.float64)
    epochs = 2 * (epochs - epochs.min()) / np.ptp(epochs) - 1
    source = replace(with_epochs(clean.source, epochs), margin=0)
    return source, "scaling_across_split", "values from -1 to 1"


def whitened(clean):
    epochs = clean.source.epochs.astype(np.float64)
    rows = epochs.transpose(1, 0, 2).reshape(epochs.shape[1], -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    values, axes = np.linalg.eigh(np.cov(rows))
    rows = axes / np.sqrt(values) @ axes.T @ rows
    epochs = rows.reshape(epochs.shape[1], len(epochs), -1).transpose(1, 0, 2)
    source = replace(with_epochs(clean.source, epochs), margin=0)
    return source, "scaling_across_split", "whitening"


# --- windows of which nobody says where they were ---------------------------------------------


def windows_of(clean, change):
    """Windows of 32 samples cut every 12, as a source holds them that names no recordings."""
    cut = [
        np.lib.stride_tricks.sliding_window_view(r.signal, 32, axis=1)[:, ::12].transpose(1, 0, 2)
        for r in clean.recordings
    ]
    epochs = np.stack([change(window) for window in np.concatenate(cut)])
    numbers = np.repeat(np.arange(len(cut)), [len(part) for part in cut])
    order = np.random.default_rng(1).permutation(len(epochs))
    table = clean.source.table.iloc[np.zeros(len(epochs), int)].reset_index(drop=True)
    ids = [f"window{number}" for number in range(len(epochs))]
    table = table.assign(trial=ids, label=numbers[order] % 2, recording="x_train", start=-1)
    return replace(
        clean.source,
        epochs_with_margin=epochs[order].astype(np.float32),
        recordings=(),
        margin=0,
        tmin=None,
        raw_ranges_known=False,
        table=table.assign(stop=-1, content=ids, stimulus=""),
    )


def windows_as_cut(clean):
    return windows_of(clean, lambda w: w), "overlap_in_samples", "equal samples"


def windows_scaled_one_by_one(clean):
    source = windows_of(clean, lambda w: (w - w.mean()) / w.std())
    return source, "overlap_in_samples", "after shift and scale"


PLANTS = (
    *(trials_exact, trials_rescaled, trials_resampled, trials_shifted),
    *(recording_exact, recording_rescaled, recording_shifted, recording_resampled),
    *(recording_without_signals, class_in_a_channel, trigger_code_as_a_channel),
    *(trigger_without_class, scaled_channels, scaled_samples, scaled_to_a_range, whitened),
    *(windows_as_cut, windows_scaled_one_by_one),
)
MILD = ("trigger_in_channel", "scaling_across_split")


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_leak_in_the_samples_is_found_and_named(plant, clean):
    source, kind, words = plant(clean)
    ids = source.table["trial"].to_numpy()
    trials = clean.trials if len(source) == len(clean.trials) else None
    split = None
    if kind == "overlap_in_samples":
        split = halves(ids)
    elif trials is not None:
        split = leave_one_group_out(trials)
    found = {finding.kind: finding for finding in look(source, split)}
    assert kind in found, [finding.title for finding in found.values()]
    finding = found[kind]
    assert finding.severity == ("warning" if kind in MILD else "severe")
    text = f"{finding.title} {finding.evidence}"
    assert words in text, text


def halves(ids):
    middle = len(ids) // 2
    return Split("trial", (Fold("half", tuple(ids[:middle]), tuple(ids[middle:])),))


def test_the_number_of_recordings_is_recovered(clean):
    source, _, _ = windows_as_cut(clean)
    (found,) = [f for f in look(source) if f.kind == "few_independent_recordings"]
    assert found.evidence["stretches"] == len(clean.recordings)


def test_clean_signals_are_not_accused(clean):
    assert look(clean.source, k_fold(clean.trials, 5)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_clean_signals_of_other_seeds_are_not_accused(simulate, seed):
    """Strong effects, few channels, long and short windows: nothing of it is a leak."""
    montage = ("muse", "emotiv14", "biosemi32")[seed % 3]
    n_classes, ceiling = ((2, 0.9), (4, 0.8), (10, 0.6), (2, 0.99))[seed % 4]
    made = simulate(montage=montage, seed=seed, ceiling=ceiling, n_classes=n_classes)
    assert look(made.source, k_fold(made.trials, 5)) == []
    unknown = replace(made.source, raw_ranges_known=False, recordings=())
    assert look(unknown, k_fold(made.trials, 5)) == []
