"""Leaks planted in simulated recordings, in their design, labels or split: each found and named.

Leaks in the samples themselves are planted in test_leaks_in_content.py.
"""

from dataclasses import replace

import numpy as np
import pytest

from phosphene.data.splits import Fold, Split, k_fold, leave_one_group_out


@pytest.fixture(scope="module")
def clean(simulate):
    """Two subjects with four recordings each, two classes in random order, nothing planted."""
    return simulate(n_subjects=2, n_recordings=4, n_trials=320)


def relabelled(source, labels):
    """The same signals under other labels."""
    labels = np.asarray(labels, dtype=np.int64)
    names = np.array(source.classes)[labels]
    return replace(source, table=source.table.assign(label=labels, class_name=names))


def folds_of(trials, groups, *, unit):
    """Leave each group out in turn, whatever the split says that it keeps apart."""
    ids = trials.table["trial"].to_numpy()
    folds = [
        Fold(str(name), tuple(ids[groups != name]), tuple(ids[groups == name]))
        for name in np.unique(groups)
    ]
    return Split(unit, tuple(folds))


# --- in the split -----------------------------------------------------------------------------


def same_trial_on_both_sides(clean, simulate):
    split = leave_one_group_out(clean.trials)
    fold = split.folds[0]
    fold = replace(fold, train=fold.train + fold.test[:5])
    return clean.source, Split("recording", (fold, *split.folds[1:]))


def overlapping_windows(clean, simulate):
    long = clean.cut(clean.recordings, clean.trials.classes, tmax=1.6)
    return long.source, k_fold(long.trials, 5)


def shared_recording(clean, simulate):
    blocked = simulate(order="blocked", seed=3, effect=0.0)
    return blocked.source, k_fold(blocked.trials, 5)


def shared_block(clean, simulate):
    groups = np.arange(len(clean.trials)) % 4
    return clean.source, folds_of(clean.trials, groups, unit="block")


def shared_session(clean, simulate):
    table = clean.trials.table
    # two recordings of a session, left out one by one by a split that speaks of sessions
    halves = {name: f"day{number // 2}" for number, name in enumerate(table["recording"].unique())}
    source = replace(clean.source, table=table.assign(session=table["recording"].map(halves)))
    return source, folds_of(clean.trials, table["recording"].to_numpy(str), unit="session")


def shared_subject(clean, simulate):
    groups = clean.trials.table["recording"].to_numpy(str)
    return clean.source, folds_of(clean.trials, groups, unit="subject")


def shared_stimulus(clean, simulate):
    groups = clean.trials.table["recording"].to_numpy(str)
    return clean.source, folds_of(clean.trials, groups, unit="stimulus")


def leave_one_window_out(clean, simulate):
    overlapping = clean.cut(clean.recordings, clean.trials.classes, tmax=1.0)
    return overlapping.source, folds_of(
        overlapping.trials, np.arange(len(overlapping.trials)), unit="trial"
    )


# --- in the design ----------------------------------------------------------------------------


def class_aligned_with_block(clean, simulate):
    return simulate(order="blocked", n_classes=4, seed=1, effect=0.0).source, None


def class_aligned_with_recording(clean, simulate):
    names = clean.source.table["recording"].to_numpy(str)
    return relabelled(clean.source, np.unique(names, return_inverse=True)[1] % 2), None


def class_aligned_with_session(clean, simulate):
    """Sessions of two recordings: nine trials in ten show the class of the session."""
    rng = np.random.default_rng(0)
    table = clean.source.table
    day = np.unique(table["recording"], return_inverse=True)[1] // 2
    source = replace(clean.source, table=table.assign(session=np.char.mod("day%d", day)))
    return relabelled(source, np.where(rng.random(len(day)) < 0.9, day % 2, 1 - day % 2)), None


def class_aligned_with_subject(clean, simulate):
    return relabelled(clean.source, clean.source.table["subject"] == "subject2"), None


def class_aligned_with_order(clean, simulate):
    """One class first, then the other, in an order of its own in every recording."""
    table = clean.source.table
    place = table.groupby("recording")["onset"].rank(pct=True).to_numpy()
    number = np.unique(table["recording"], return_inverse=True)[1]
    return relabelled(clean.source, (place > 0.5) ^ (number % 2 == 1)), None


def drift(clean, simulate):
    """The second class becomes more and more frequent in the course of each recording."""
    place = clean.source.table.groupby("recording")["onset"].rank(pct=True).to_numpy()
    rng = np.random.default_rng(0)
    return relabelled(clean.source, rng.random(len(place)) < place), None


def time_stamps(clean, simulate):
    """The second class comes after longer pauses."""
    wait = clean.source.table.groupby("recording")["onset"].diff().fillna(0.8).to_numpy()
    return relabelled(clean.source, wait > np.median(wait)), None


def alternating(clean, simulate):
    index = clean.source.table.groupby("recording").cumcount().to_numpy()
    return relabelled(clean.source, index % 2), None


def imbalance(clean, simulate):
    rng = np.random.default_rng(0)
    return relabelled(clean.source, rng.random(len(clean.source)) < 0.05), None


# --- in the signal ----------------------------------------------------------------------------


def with_class(clean, change):
    """Recordings in which `change(signal, sample, sfreq)` was done to the second class."""
    spoilt = []
    for recording in clean.recordings:
        signal = recording.signal.copy()
        for sample in recording.events.loc[recording.events["code"] == "1", "sample"]:
            change(signal, int(sample), recording.sfreq)
        spoilt.append(replace(recording, signal=signal))
    return spoilt


def prestimulus(clean, simulate):
    def add_pulse(signal, sample, sfreq):
        signal[1, sample - round(0.2 * sfreq) : sample - round(0.1 * sfreq)] += 25e-6

    recordings = with_class(clean, add_pulse)
    return clean.cut(recordings, clean.trials.classes).source, None


def mains(clean, simulate):
    """Hum of 15 uV while trials of the second class go on; the band leaves it out of epochs."""

    def add_hum(signal, sample, sfreq):
        times = np.arange(sample - round(0.1 * sfreq), sample + round(0.6 * sfreq))
        signal[:, times] += 15e-6 * np.sin(2 * np.pi * 50 * times / sfreq).astype(np.float32)

    recordings = with_class(clean, add_hum)
    return clean.cut(recordings, clean.trials.classes, band=(1.0, 30.0)).source, None


def offset(clean, simulate):
    """One channel lies 5 uV higher in trials of the second class."""
    epochs = clean.source.epochs_with_margin.copy()
    epochs[clean.source.labels == 1, 2] += 5e-6
    return replace(clean.source, epochs_with_margin=epochs, recordings=()), None


def gain(clean, simulate):
    """Trials of the second class are half as large again."""
    epochs = clean.source.epochs_with_margin.copy()
    epochs[clean.source.labels == 1] *= 1.5
    return replace(clean.source, epochs_with_margin=epochs, recordings=()), None


IN_ORDER = {"class_aligned_with_order", "class_from_trial_index", "class_from_time_stamps"}
LEAKS = {
    "same_trial_on_both_sides": (
        same_trial_on_both_sides,
        {"overlapping_windows", "shared_recording", "shared_block", "duplicated_trials"},
    ),
    "overlapping_windows": (overlapping_windows, set()),
    "shared_recording": (
        shared_recording,
        {"shared_block", "class_aligned_with_block", *IN_ORDER},
    ),
    "shared_block": (shared_block, set()),
    "shared_session": (shared_session, set()),
    "shared_subject": (shared_subject, set()),
    "shared_stimulus": (shared_stimulus, set()),
    "leave_one_window_out": (leave_one_window_out, {"overlapping_windows"}),
    "class_aligned_with_block": (class_aligned_with_block, IN_ORDER),
    "class_aligned_with_recording": (class_aligned_with_recording, set()),
    "class_aligned_with_session": (class_aligned_with_session, set()),
    "class_aligned_with_subject": (class_aligned_with_subject, set()),
    "class_aligned_with_order": (
        class_aligned_with_order,
        {"class_aligned_with_block", *IN_ORDER},
    ),
    "class_from_trial_index, drift": (drift, {"class_aligned_with_block", *IN_ORDER}),
    "class_from_time_stamps": (time_stamps, set()),
    "class_from_trial_index, alternating": (alternating, set()),
    "class_imbalance": (imbalance, set()),
    "class_from_prestimulus": (prestimulus, {"class_from_signal_mean", "label_in_channel"}),
    "class_from_mains": (mains, {"class_from_prestimulus"}),
    "class_from_signal_mean": (offset, {"class_from_prestimulus", "label_in_channel"}),
    "class_from_signal_variance": (gain, {"class_from_prestimulus"}),
}
"""What plants a leak, and what else the audit may call severe about it."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_found_and_named(name, clean, simulate):
    from phosphene.audit.audit import run_audit

    plant, relatives = LEAKS[name]
    kind = name.split(",")[0]
    source, split = plant(clean, simulate)
    severe = {finding.kind: finding for finding in run_audit(source, split=split).severe}
    assert kind in severe
    assert set(severe) <= {kind, *relatives}
    found = severe[kind]
    assert found.n_trials > 0
    assert all(0 <= row < len(source) for row in found.trials)
    assert any(isinstance(value, int | float) for value in found.evidence.values())
    assert found.effect
    assert found.remedy


def test_too_few_units_for_an_effect_are_found_and_named(clean):
    from phosphene.audit.audit import run_audit

    (finding,) = run_audit(clean.source, effect=0.53).severe
    assert finding.kind == "too_few_units"
    assert finding.evidence["recordings needed"] > 8
    assert not run_audit(clean.source, effect=0.7).severe


def test_nothing_severe_is_found_where_nothing_was_planted(clean):
    from phosphene.audit.audit import run_audit

    for split in (None, leave_one_group_out(clean.trials), k_fold(clean.trials, 5)):
        report = run_audit(clean.source, split=split)
        assert not report.severe
    assert {finding.kind for finding in report.findings} >= {"shared_recording", "shared_stimulus"}


def clean_settings(seed):
    """Other sizes, montages, rates, filters and effects for every seed."""
    rng = np.random.default_rng(seed)
    strength = [{"effect": 0.0}, {}, {"ceiling": 0.9}][seed // 3 % 3]
    return {
        "montage": ["muse", "emotiv14", "biosemi32"][seed % 3],
        "n_classes": [2, 4, 10][seed // 9 % 3],
        "n_trials": int(rng.choice([120, 300, 600])),
        "n_subjects": int(rng.choice([1, 2, 3])),
        "n_recordings": int(rng.choice([2, 4, 6])),
        "sfreq": float(rng.choice([128.0, 256.0])),
        "epochs": {"band": [(1.0, 40.0), (1.0, 30.0), None, (0.5, 40.0)][seed % 4]},
        "seed": 1000 + seed,
        **strength,
    }


def severe_on_clean(simulate, seeds):
    """Audit clean data of each seed, and return what is called severe."""
    from phosphene.audit.audit import run_audit

    found = []
    for seed in seeds:
        made = simulate(**clean_settings(seed))
        report = run_audit(made.source, split=leave_one_group_out(made.trials), seed=seed)
        found += [(seed, finding.kind) for finding in report.severe]
        print(f"seed {seed}: {len(report.severe)} severe")  # noqa: T201
    return found


def test_clean_data_stay_clean(simulate):
    assert severe_on_clean(simulate, range(2)) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_forty_clean_data_sets_have_at_most_two_severe_findings(simulate):
    assert len(severe_on_clean(simulate, range(40))) <= 2
