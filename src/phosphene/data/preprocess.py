"""Cut trials from recordings: filters, resampling, window, rejection. Nothing is learned."""

import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from phosphene import _checks
from phosphene.data.preprocessing import Preprocessing
from phosphene.data.recording import Recording
from phosphene.data.reference import (
    check_varies,
    reference_left_out,
    referenced_channels,
    rereference,
)
from phosphene.data.trials import REJECTED_COLUMNS, TRIAL_COLUMNS, Trials, content_hash, trial_id

BUTTERWORTH_ORDER = 4
"""Of the band-pass, before it runs forwards and backwards; its gain at the edges is 1/2."""

OUTSIDE = "window leaves the recording"
GAP = "gap in the time stamps"


def apply_signal_steps(
    recording: Recording, preprocessing: Preprocessing
) -> tuple[np.ndarray, float]:
    """Apply reference, filters and resampling to a continuous signal, in this order.

    Parameters
    ----------
    recording
        What to filter; its signal is left alone.
    preprocessing
        Settings; window, baseline and rejection are not applied here.

    Returns
    -------
    signal
        ``(chan, time)`` float32 in V, of the channels that `referenced_channels` names; the
        recording's own, not copied, where there is no step.
    sfreq
        Its rate in Hz.

    Raises
    ------
    ValueError
        For samples that are not finite, an edge above half the rate, a reference that is unknown
        or leaves nothing, or a recording shorter than the filter.
    """
    import mne

    name, sfreq = recording.source, float(recording.sfreq)
    for channel, samples in zip(recording.ch_names, recording.signal, strict=True):
        _checks.check_finite(f"signal of {name}, channel {channel}", samples)
    is_filtered = preprocessing.band is not None or preprocessing.notch is not None
    keeps_rate = preprocessing.resample in (None, sfreq)
    if keeps_rate and not is_filtered and preprocessing.reference == "none":
        return recording.signal, sfreq
    signal = np.asarray(recording.signal, dtype=np.float64)
    signal = rereference(signal, recording.ch_names, preprocessing.reference)
    highest = max([preprocessing.notch or 0.0, *(preprocessing.band or (0.0,))])
    if highest >= sfreq / 2:
        raise ValueError(
            f"filter edges must lie below half the sampling rate, {sfreq / 2:g} Hz in {name}; got "
            f"{highest:g} Hz; lower --band or --notch."
        )
    too_short = (
        f"a recording must be longer than its filter; {name} lasts {recording.duration:.2f} s; "
        "raise the band's lower edge or leave the file out."
    )
    if preprocessing.band is not None and recording.duration * preprocessing.band[0] < 3:
        raise ValueError(too_short)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "filter_length", RuntimeWarning)
        try:
            if preprocessing.notch is not None:
                lines = np.arange(preprocessing.notch, sfreq / 2, preprocessing.notch)
                lines = lines[lines + 1.0 + lines / 200 < sfreq / 2]  # room for its transition
                signal = mne.filter.notch_filter(signal, sfreq, lines, verbose="WARNING")
            if preprocessing.band is not None:
                signal = mne.filter.filter_data(
                    signal,
                    sfreq,
                    *preprocessing.band,
                    method="iir",
                    iir_params={"order": BUTTERWORTH_ORDER, "ftype": "butter", "output": "sos"},
                    verbose="ERROR",
                )
        except RuntimeWarning:
            raise ValueError(too_short) from None
    if preprocessing.resample is not None and preprocessing.resample != sfreq:
        signal = mne.filter.resample(signal, up=preprocessing.resample, down=sfreq, verbose="ERROR")
        sfreq = float(preprocessing.resample)
    return signal.astype(np.float32), sfreq


def cut_epochs(
    recordings: Sequence[Recording],
    preprocessing: Preprocessing,
    *,
    events: Mapping[str, str],
) -> tuple[Trials, pd.DataFrame]:
    """Cut one epoch per event whose code has a class name.

    A trial is rejected, never repaired, when its window with margin leaves the recording or spans
    a gap in the time stamps, or when its window exceeds the peak-to-peak limit.

    Parameters
    ----------
    recordings
        Recordings with the same channels, and the same rate after resampling.
    preprocessing
        Settings.
    events
        Event code to class name; labels follow the order of the names.

    Returns
    -------
    trials
        What is left.
    rejected
        One row per rejected event: ``recording, sample, code, reason``.

    Raises
    ------
    ValueError
        When recordings do not fit together, or a class is left without trials.
    """
    if not recordings:
        raise ValueError("there must be a recording to cut; got none; name files or folders.")
    classes = tuple(dict.fromkeys(events.values()))
    first = recordings[0]
    epochs: list[np.ndarray] = []
    rows: list[dict[str, Any]] = []
    rejected: list[tuple[str, int, str, str]] = []
    ch_names = referenced_channels(first.ch_names, preprocessing.reference)
    sfreq = 0.0
    for recording in recordings:
        if recording.ch_names != first.ch_names:
            raise _unequal_channels(first, recording)
        signal, rate = apply_signal_steps(recording, preprocessing)
        if sfreq and rate != sfreq:
            raise ValueError(
                f"all recordings need the same rate; {first.source} has {sfreq:g} Hz, "
                f"{recording.source} has {rate:g} Hz; set --resample."
            )
        sfreq = rate
        check_varies(signal, ch_names, recording)
        _cut_recording(
            recording, signal, rate, preprocessing, events, classes, epochs, rows, rejected
        )
    rejected_table = pd.DataFrame(rejected, columns=list(REJECTED_COLUMNS))
    _check_classes(rows, rejected_table, recordings, events)
    table = pd.DataFrame(rows, columns=list(TRIAL_COLUMNS)).astype(TRIAL_COLUMNS)
    trials = Trials(
        epochs_with_margin=np.stack(epochs),
        margin=_samples(preprocessing.margin, sfreq),
        sfreq=sfreq,
        tmin=preprocessing.tmin,
        ch_names=ch_names,
        classes=classes,
        table=table,
        preprocessing=describe(preprocessing, sfreqs=[r.sfreq for r in recordings]),
    )
    return trials, rejected_table.astype(REJECTED_COLUMNS)


def describe(preprocessing: Preprocessing, *, sfreqs: Sequence[float]) -> dict[str, Any]:
    """List the steps with their parameters and library versions, as plain JSON values.

    Parameters
    ----------
    preprocessing
        Settings.
    sfreqs
        Rates of the recordings in Hz; those that were resampled are named, a single one alone.
    """
    mne_version = version("mne")
    resampled = sorted({rate for rate in sfreqs if rate != preprocessing.resample})
    steps: list[dict[str, Any]] = []
    if preprocessing.reference != "none":
        left_out = reference_left_out(preprocessing.reference)
        steps.append(
            {
                "step": "reference",
                "to": preprocessing.reference,
                **({} if left_out is None else {"left_out": left_out}),
            }
        )
    if preprocessing.notch is not None:
        steps.append(
            {
                "step": "notch",
                "hz": preprocessing.notch,
                "harmonics": True,
                "by": "mne.filter.notch_filter (zero-phase FIR)",
                "mne": mne_version,
            }
        )
    if preprocessing.band is not None:
        steps.append(
            {
                "step": "band-pass",
                "hz": list(preprocessing.band),
                "by": f"mne.filter.filter_data (zero-phase Butterworth, order {BUTTERWORTH_ORDER})",
                "mne": mne_version,
            }
        )
    if preprocessing.resample is not None and resampled:
        steps.append(
            {
                "step": "resample",
                "from_hz": resampled if len(resampled) > 1 else resampled[0],
                "to_hz": preprocessing.resample,
                "by": "mne.filter.resample (FFT), then shifted to each onset by a fraction of a "
                "sample",
                "mne": mne_version,
            }
        )
    steps.append({"step": "window", "s": [preprocessing.tmin, preprocessing.tmax]})
    if preprocessing.baseline is not None:
        steps.append({"step": "baseline", "s": list(preprocessing.baseline)})
    if preprocessing.reject is not None:
        steps.append({"step": "reject peak to peak", "above_v": preprocessing.reject})
    settings = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(preprocessing).items()
    }
    return {"steps": steps, "settings": settings}


def _cut_recording(
    recording: Recording,
    signal: np.ndarray,
    sfreq: float,
    preprocessing: Preprocessing,
    events: Mapping[str, str],
    classes: tuple[str, ...],
    epochs: list[np.ndarray],
    rows: list[dict[str, Any]],
    rejected: list[tuple[str, int, str, str]],
) -> None:
    """Append one recording's epochs, table rows and rejections."""
    ch_names = referenced_channels(recording.ch_names, preprocessing.reference)
    margin = _samples(preprocessing.margin, sfreq)
    n_times = _samples(preprocessing.tmax - preprocessing.tmin, sfreq)
    if n_times < 1:
        raise ValueError(
            f"the window must hold a sample; {preprocessing.tmax - preprocessing.tmin:g} s at "
            f"{sfreq:g} Hz hold none; enlarge tmax."
        )
    source_window = _samples(preprocessing.tmax - preprocessing.tmin, recording.sfreq)
    source_shift = _samples(preprocessing.tmin, recording.sfreq)
    gaps = np.asarray(recording.gaps) / recording.sfreq
    table = recording.events
    chosen = table[table["code"].isin(list(events))].to_dict("records")
    onsets = [int(event["sample"]) / recording.sfreq for event in chosen]
    begins = [round(t * sfreq) + _samples(preprocessing.tmin, sfreq) - margin for t in onsets]
    length = n_times + 2 * margin
    reasons = []
    for begin in begins:
        end = begin + length
        spans_gap = ((gaps > begin / sfreq) & (gaps < end / sfreq)).any()
        is_outside = begin < 0 or end > signal.shape[1]
        reasons.append(OUTSIDE if is_outside else GAP if spans_gap else "")
    inside = [i for i, reason in enumerate(reasons) if not reason]
    late = [onsets[i] * sfreq - round(onsets[i] * sfreq) for i in inside]
    windows = dict(
        zip(inside, _windows(signal, [begins[i] for i in inside], late, length), strict=True)
    )
    for index, event in enumerate(chosen):
        sample, code, reason = int(event["sample"]), str(event["code"]), reasons[index]
        epoch = windows.pop(index, None)
        if epoch is not None:
            reason = _too_large(epoch[:, margin : margin + n_times], ch_names, preprocessing)
        if epoch is None or reason:
            rejected.append((recording.recording, sample, code, reason))
            continue
        if preprocessing.baseline is not None:
            since = preprocessing.tmin - preprocessing.margin
            low, high = (_samples(t - since, sfreq) for t in preprocessing.baseline)
            epoch = epoch - epoch[:, low : max(high, low + 1)].mean(axis=1, keepdims=True)
        start = sample + source_shift
        class_name = events[code]
        identity: dict[str, str | int] = {
            "recording": recording.recording,
            "start": start,
            "class": class_name,
        }
        epochs.append(epoch)
        rows.append(
            {
                "trial": trial_id(epoch, identity),
                "label": classes.index(class_name),
                "class_name": class_name,
                "subject": recording.subject,
                "session": recording.session,
                "recording": recording.recording,
                "block": str(event.get("block", "")),
                "onset": onsets[index],
                "stimulus": str(event.get("stimulus", "")),
                "start": start,
                "stop": start + source_window,
                "content": content_hash(recording.signal[:, start : start + source_window]),
            }
        )


def _unequal_channels(first: Recording, other: Recording) -> ValueError:
    names = dict.fromkeys((*first.ch_names, *other.ch_names))
    shared = [name for name in names if name in first.ch_names and name in other.ch_names]
    apart = [name for name in names if name not in shared]
    remedy = "import them apart."
    if shared and apart:
        remedy = f"leave out --drop-channels {shlex.join(apart)}, or {remedy}"
    return ValueError(
        f"all recordings need the same channels in the same order; {first.source} has "
        f"{list(first.ch_names)}, {other.source} has {list(other.ch_names)}; {remedy}"
    )


def _windows(
    signal: np.ndarray, begins: Sequence[int], late: Sequence[float], length: int
) -> list[np.ndarray]:
    """Copy windows that begin a fraction of a sample late.

    A resampled signal rarely has the sample of an event, so it is shifted by up to half a sample,
    in steps of 1/32. A shifted signal is as large as the signal: there is one at a time.
    """
    phases = [round(fraction * 32) / 32 for fraction in late]
    windows: list[np.ndarray] = [signal[:, :0]] * len(begins)
    for phase in dict.fromkeys(phases):
        moved = _advance(signal, phase) if phase else signal
        for index, begin in enumerate(begins):
            if phases[index] == phase:
                windows[index] = moved[:, begin : begin + length].copy()
        del moved
    return windows


def _advance(signal: np.ndarray, samples: float) -> np.ndarray:
    """Shift a band-limited signal to the left by a fraction of a sample, channel by channel."""
    pad = min(256, signal.shape[1] - 1)
    n = signal.shape[1] + 2 * pad
    ramp = np.exp(2j * np.pi * np.fft.rfftfreq(n) * samples)
    moved = np.empty_like(signal)
    for channel, row in zip(signal, moved, strict=True):
        padded = np.pad(channel.astype(np.float64), pad, mode="reflect")
        row[:] = np.fft.irfft(np.fft.rfft(padded) * ramp, n)[pad : n - pad]
    return moved


def _too_large(window: np.ndarray, ch_names: Sequence[str], preprocessing: Preprocessing) -> str:
    """Name the limit and the channels that exceed it; empty when none does."""
    if preprocessing.reject is None:
        return ""
    large = np.ptp(window, axis=1) > preprocessing.reject
    names = [name for name, is_large in zip(ch_names, large, strict=True) if is_large]
    limit = f"{preprocessing.reject * 1e6:g} uV"
    return f"peak to peak above {limit} in {', '.join(names)}" if names else ""


def _check_classes(
    rows: list[dict[str, Any]],
    rejected: pd.DataFrame,
    recordings: Sequence[Recording],
    events: Mapping[str, str],
) -> None:
    """Refuse a class without trials, saying why it has none."""
    found = {row["class_name"] for row in rows}
    for class_name in dict.fromkeys(events.values()):
        if class_name in found:
            continue
        codes = [code for code, name in events.items() if name == class_name]
        lost = rejected[rejected["code"].isin(codes)]
        if len(lost):
            why = lost["reason"].value_counts()
            raise ValueError(
                f"every class needs a trial; all {len(lost)} of '{class_name}' were rejected, "
                f"most for "
                f"'{why.index[0]}'; see `phosphene data inspect` on the recordings or raise "
                f"--reject."
            )
        seen = sorted({code for r in recordings for code in r.events["code"].astype(str)})
        raise ValueError(
            f"every class needs a trial; '{class_name}' (event code {', '.join(codes)}) has none, "
            f"the recordings hold the codes {', '.join(seen) or 'none'}; correct --events."
        )


def _samples(seconds: float, sfreq: float) -> int:
    return round(seconds * sfreq)
