"""Fit a raw recording to what a model was trained on, or refuse it and say what would fit."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from phosphene._checks.files import check_amount
from phosphene.data.amplitude import check_amplitude, robust_sd
from phosphene.data.channel_names import find_renames
from phosphene.data.formats.declared_size import MAX_SAMPLES
from phosphene.data.montage import load_montage
from phosphene.data.preprocess import apply_signal_steps
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.recording import Recording
from phosphene.data.reference import reference_left_out

EXCERPT_S = 60.0
"""How much of a recording is filtered to see how strong it is."""
SAME_PLACE_M = 1e-3
PERIODS = 3
"""Periods of the band's lower edge that a recording must last."""
LEAST_SAMPLES = 1 << 26
"""A recording may always take so many samples, over all channels, at the model's rate."""
MAX_GROWTH = 4
"""Else so many times those that it was recorded with."""
MAX_OVERLAP = 32
"""So many times those that it was recorded with in all trials, whose windows may overlap."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a model expects of a raw recording."""

    ch_names: tuple[str, ...]
    montage: str | None
    sfreq: float
    """Rate of its epochs in Hz."""
    preprocessing: Preprocessing
    scale: Float[np.ndarray, " chan"]
    """SD of each channel in the training trials, in V."""


def fit_recording(recording: Recording, expected: Expected) -> tuple[Recording, tuple[str, ...]]:
    """Return the recording with the model's channels in the model's order, and what was done.

    A single reference channel, which the model's epochs do not have, comes after them.

    Channels are told apart by their names, so putting them in order and leaving others out cannot
    go wrong; it happens before re-referencing, and is said. All else that does not match is
    refused.

    Raises
    ------
    ValueError
        For missing channels, electrodes in other places, a rate or a length that the filters
        cannot have, a rate or windows that would take all memory, and amplitudes in another unit.
    """
    left_out = reference_left_out(expected.preprocessing.reference)
    own = expected.ch_names
    needed = own if left_out is None or left_out in own else (*own, left_out)
    fitted, notes = pick_channels(recording, needed)
    check_places(fitted, expected.montage)
    check_rate(fitted, expected.preprocessing)
    check_length(fitted, expected.preprocessing)
    check_size(fitted, expected.preprocessing)
    n_samples = round(EXCERPT_S * fitted.sfreq)
    start = max(0, (fitted.n_samples - n_samples) // 2)
    excerpt = replace(
        fitted,
        signal=fitted.signal[:, start : start + n_samples],
        events=fitted.events.iloc[:0],
        gaps=(),
    )
    filtered, _ = apply_signal_steps(excerpt, expected.preprocessing)
    check_amplitude(robust_sd(filtered), expected.scale, source=fitted.source)
    return fitted, notes


def fit_preprocessing(preprocessing: Preprocessing, *, sfreq: float) -> Preprocessing:
    """Return settings that end at the rate of the model's epochs, whatever a recording has."""
    return preprocessing if preprocessing.resample else replace(preprocessing, resample=sfreq)


def pick_channels(
    recording: Recording, ch_names: Sequence[str]
) -> tuple[Recording, tuple[str, ...]]:
    """Return the recording with these channels in this order, and what was done about it.

    Raises
    ------
    ValueError
        For missing channels, with the new names that would supply them.
    """
    found = recording.ch_names
    missing = [name for name in ch_names if name not in found]
    if missing:
        others = [name for name in found if name not in ch_names]
        raise ValueError(
            f"signals must have the {len(ch_names)} channels that the model was trained on "
            f"({_listed(ch_names)}); {recording.source} lacks {_listed(missing)} and has "
            f"{_listed(found)}. {_remedy(missing, others)}"
        )
    if found == tuple(ch_names):
        return recording, ()
    order = [found.index(name) for name in ch_names]
    left_out = [name for name in found if name not in ch_names]
    notes = []
    if order != sorted(order):
        notes.append("channels put in the model's order, by name")
    if left_out:
        notes.append(f"channels that the model does not know left out: {_listed(left_out)}")
    picked = replace(recording, signal=recording.signal[order], ch_names=tuple(ch_names))
    return picked, tuple(notes)


def check_places(recording: Recording, montage: str | None) -> None:
    """Refuse a montage that puts an electrode elsewhere; None makes no claim about places.

    Raises
    ------
    ValueError
        When the recording's montage lacks a channel or places it elsewhere.
    """
    if montage is None or recording.montage in (None, montage):
        return
    here, there = (
        load_montage(name).get_positions()["ch_pos"] for name in (recording.montage, montage)
    )
    for name in recording.ch_names:
        known = name in here and name in there
        if not known or np.linalg.norm(here[name] - there[name]) > SAME_PLACE_M:
            raise ValueError(
                f"electrodes must be where the model's were, as in the montage {montage}; "
                f"{recording.source} has the montage {recording.montage}, in which {name} is "
                f"elsewhere; if it is not, give --montage {montage}; else train on recordings "
                "with yours."
            )


def check_rate(recording: Recording, preprocessing: Preprocessing) -> None:
    """Refuse a rate that cannot hold the frequencies that the model was trained on.

    Raises
    ------
    ValueError
        When a filter edge lies at or above half the recording's rate.
    """
    edges = [*(preprocessing.band or ()), preprocessing.notch or 0.0]
    if max(edges) < recording.sfreq / 2:
        return
    raise ValueError(
        f"recordings must hold frequencies up to {max(edges):g} Hz, as the training trials did; "
        f"{recording.source} has {recording.sfreq:g} Hz, which ends at {recording.sfreq / 2:g}; "
        f"record with more than {2 * max(edges):g} Hz, or train on data imported with a lower "
        "--band."
    )


def check_length(recording: Recording, preprocessing: Preprocessing) -> None:
    """Refuse a recording that is shorter than filter or window.

    Raises
    ------
    ValueError
        With the length that is needed.
    """
    window = preprocessing.tmax - preprocessing.tmin + 2 * preprocessing.margin
    low = PERIODS / preprocessing.band[0] if preprocessing.band else 0.0
    needed = max(window, low)
    if recording.duration < needed:
        raise ValueError(
            f"a recording must last at least {needed:g} s, for the filter and the window of the "
            f"training trials; {recording.source} lasts {recording.duration:.2f} s; record longer, "
            "or leave the file out."
        )


def check_size(recording: Recording, preprocessing: Preprocessing) -> None:
    """Refuse settings, which may come from anybody, that make far more samples of a recording.

    Raises
    ------
    ValueError
        When it would have more than `MAX_GROWTH` times its samples at the new rate, or more than
        `MAX_OVERLAP` times in its trials, and more than `LEAST_SAMPLES`; or more than a recording
        may have.
    """
    n_chans, own = recording.signal.shape[0], recording.signal.size
    rate = preprocessing.resample or recording.sfreq
    window = preprocessing.tmax - preprocessing.tmin + 2 * preprocessing.margin
    what = f"{recording.source} at the model's rate of {rate:g} Hz"
    for said, seconds, growth in (
        (what, recording.duration, MAX_GROWTH),
        (f"all trials of {what}", window * len(recording.events), MAX_OVERLAP),
    ):
        limit = min(MAX_SAMPLES, max(LEAST_SAMPLES, growth * own))
        check_amount(said, round(n_chans * seconds * rate), limit, unit="samples")


def _remedy(missing: Sequence[str], others: Sequence[str]) -> str:
    """Return the option that renames channels, where their names show what they are."""
    renames = find_renames(others, missing)
    left = [name for name in missing if name not in renames.values()]
    words = shlex.join(f"{old}={new}" for old, new in renames.items())
    if not renames:
        example = f"{others[0] if others else 'OLD'}={missing[0]}"
        return (
            f"Record {_listed(missing)} too, give other names with --rename-channels "
            f"{shlex.quote(example)} if they only differ in name, or train on recordings with "
            "yours."
        )
    if not left:
        return f"If these are the same electrodes, give --rename-channels {words}."
    return f"Record {_listed(left)} too; rename the others with --rename-channels {words}."


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12} others" if len(names) > 12 else ""
    return ", ".join(names[:12]) + more
