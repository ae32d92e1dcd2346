"""What a recording or a data set holds, as plain numbers and as arrays for figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from phosphene.data.dataset import Dataset, load_recordings
from phosphene.data.images import ImageSet
from phosphene.data.recording import Recording
from phosphene.data.trials import Trials

MAINS = (50.0, 60.0)
MAINS_RATIO = 3.0
NOISY_V = 150e-6


def inspect_recording(recording: Recording) -> dict[str, Any]:
    """Describe a raw recording: rate, gaps, channels, events, mains.

    A channel is flat when constant, noisy when its standard deviation about a running median of one
    second exceeds 150 uV: more than eye blinks give, less than a loose electrode does. It is marked
    bad when the source says so.
    """
    mains, ratio = find_mains([recording])
    return {
        "source": recording.source,
        "recording": recording.recording,
        "subject": recording.subject,
        "session": recording.session,
        "sfreq": recording.sfreq,
        "sfreq_measured": recording.sfreq_measured,
        "n_samples": recording.n_samples,
        "duration_s": recording.duration,
        "gaps_s": [gap / recording.sfreq for gap in recording.gaps],
        "channels": [
            _channel(
                name,
                np.asarray(samples, dtype=np.float64),
                recording.sfreq,
                is_bad=name in recording.bad_channels,
            )
            for name, samples in zip(recording.ch_names, recording.signal, strict=True)
        ],
        "events": _events(recording),
        "mains": mains,
        "mains_ratio": ratio,
        "note": recording.meas_note,
        "bad_channels": list(recording.bad_channels),
        "import_options": list(recording.import_options),
    }


def inspect_dataset(dataset: Dataset) -> dict[str, Any]:
    """Describe a data set: counts, rejected trials, pictures, pairing, hash, ceiling."""
    trials, info = dataset.trials, dataset.info
    recordings = load_recordings(dataset.path) if dataset.path is not None else []
    mains, ratio = find_mains(recordings)
    given = ("name", "origin", "events", "ceiling", "montage", "licence", "citation")
    return {
        **{key: info.get(key) for key in given},
        "data_hash": dataset.data_hash,
        "classes": list(trials.classes),
        "n_trials": len(trials),
        "per_class": _counts(trials.table["class_name"], trials.classes),
        "per_subject": _counts_by_class(trials, "subject"),
        "per_session": _counts_by_class(trials, "session"),
        "per_recording": _counts_by_class(trials, "recording"),
        "n_blocks": int((trials.table["recording"] + "/" + trials.table["block"]).nunique())
        if (trials.table["block"] != "").any()
        else 0,
        "rejected": _counts(dataset.rejected["reason"]),
        "n_rejected": len(dataset.rejected),
        "ch_names": list(trials.ch_names),
        "unit": trials.unit,
        "sfreq": trials.sfreq,
        "tmin": trials.tmin,
        "n_times": trials.n_times,
        "duration_s": trials.n_times / trials.sfreq,
        "margin_s": trials.margin / trials.sfreq,
        "preprocessing": trials.preprocessing,
        "preprocessing_hash": trials.preprocessing_hash,
        "n_recordings": len(recordings),
        "recorded_s": float(sum(recording.duration for recording in recordings)),
        "mains": mains,
        "mains_ratio": ratio,
        "pairing": {"kind": dataset.pairing.kind, "reason": dataset.pairing.reason},
        "images": None if dataset.images is None else inspect_images(dataset.images),
        "extra": {
            name.removeprefix("extra/").removesuffix(".npy"): said["shape"]
            for name, said in info.get("arrays", {}).items()
            if name.startswith("extra/")
        },
    }


def inspect_images(images: ImageSet) -> dict[str, Any]:
    """Describe pictures: counts and size."""
    height, width, color = images.pixels.shape[1:]
    return {
        "n": len(images),
        "n_shown": int(images.shown.sum()),
        "height": int(height),
        "width": int(width),
        "color": int(color),
        "per_class": _counts(images.table["class_name"], images.classes),
        "shown_per_class": _counts(images.table.loc[images.shown, "class_name"], images.classes),
    }


def evoked_responses(trials: Trials, *, with_margin: bool = True) -> dict[str, np.ndarray]:
    """Average the trials of each class.

    Parameters
    ----------
    trials
        Epochs.
    with_margin
        Include the margin, so that the time before the event is seen as well.

    Returns
    -------
    dict
        ``times`` in s; ``mean``, ``low``, ``high`` ``(class, chan, time)`` in the trials' unit, the
        latter two a 95 % interval of the mean (normal, over trials; NaN for a class with fewer than
        2); ``ch_names`` and ``classes`` as text.
    """
    epochs = trials.epochs_with_margin if with_margin else trials.epochs
    margin = trials.margin if with_margin else 0
    shape = (trials.n_classes, *epochs.shape[1:])
    mean, half = np.full(shape, np.nan), np.full(shape, np.nan)
    for label in range(trials.n_classes):
        chosen = epochs[trials.labels == label]
        if len(chosen):
            mean[label] = chosen.mean(axis=0, dtype=np.float64)
        if len(chosen) > 1:
            spread = chosen.std(axis=0, ddof=1, dtype=np.float64)
            half[label] = 1.96 * spread / np.sqrt(len(chosen))
    return {
        "times": trials.tmin + (np.arange(shape[2]) - margin) / trials.sfreq,
        "mean": mean,
        "low": mean - half,
        "high": mean + half,
        "ch_names": np.array(trials.ch_names, dtype="U"),
        "classes": np.array(trials.classes, dtype="U"),
    }


def power_spectrum(
    recordings: Sequence[Recording], trials: Trials | None = None
) -> dict[str, np.ndarray]:
    """Estimate each channel's power spectrum (Welch), averaged over recordings.

    Parameters
    ----------
    recordings
        Continuous signals with the same channels and rate; those that differ from the first are
        left out.
    trials
        Used where there are no recordings.

    Returns
    -------
    dict
        ``freqs`` in Hz, ``psd`` ``(chan, freq)`` in V^2/Hz, ``ch_names`` as text.
    """
    from scipy.signal import welch

    if recordings:
        first = recordings[0]
        alike = [r for r in recordings if r.ch_names == first.ch_names and r.sfreq == first.sfreq]
        n_window = min(round(4 * first.sfreq), min(r.n_samples for r in alike))
        total = np.zeros((len(first.ch_names), n_window // 2 + 1))
        for recording in alike:
            # 10 minutes of each are enough for a figure
            signal = np.asarray(recording.signal[:, : round(600 * first.sfreq)], dtype=np.float64)
            freqs, power = welch(np.nan_to_num(signal), first.sfreq, nperseg=n_window)
            total += power / len(alike)
        return {"freqs": freqs, "psd": total, "ch_names": np.array(first.ch_names, dtype="U")}
    if trials is None or not len(trials):
        raise ValueError("a spectrum needs recordings or trials; got neither; pass one of them.")
    chosen = np.asarray(trials.epochs_with_margin[:2000], dtype=np.float64)
    freqs, power = welch(chosen, trials.sfreq, nperseg=min(256, chosen.shape[2]))
    names = np.array(trials.ch_names, dtype="U")
    return {"freqs": freqs, "psd": power.mean(axis=0), "ch_names": names}


def find_mains(recordings: Sequence[Recording]) -> tuple[float | None, float | None]:
    """Return the mains frequency in Hz and its line's height over its neighbours.

    The highest power within half a Hz of 50 and of 60 Hz is compared with the median 2 to 4 Hz to
    both sides, on the channels' geometric mean. Below a ratio of 3, or where half the sampling rate
    is too low to see the line, there is none.
    """
    recordings = [r for r in recordings if np.isfinite(r.signal[:, : 8 * round(r.sfreq)]).any()]
    if not recordings:
        return None, None
    spectrum = power_spectrum(recordings[:20])
    freqs = spectrum["freqs"]
    power = spectrum["psd"][(spectrum["psd"] > 0).all(axis=1)]
    if not len(power):
        return None, None
    level = np.exp(np.log(power).mean(axis=0))
    ratios = {}
    for line in MAINS:
        off = np.abs(freqs - line)
        near, beside = off <= 0.5, (off >= 2) & (off <= 4)
        if freqs[-1] < line + 2 or not near.any() or not beside.any():
            continue  # the rate is too low, or the recording too short
        ratios[line] = float(level[near].max() / np.median(level[beside]))
    if not ratios:
        return None, None
    best = max(ratios, key=lambda line: ratios[line])
    return (best if ratios[best] >= MAINS_RATIO else None), ratios[best]


def _channel(name: str, samples: np.ndarray, sfreq: float, *, is_bad: bool) -> dict[str, Any]:
    good = samples[np.isfinite(samples)]
    n_bad = len(samples) - len(good)
    if not len(good):
        nothing = dict.fromkeys(("mean_uv", "sd_uv", "peak_to_peak_uv"))
        return {"name": name, **nothing, "n_nan": n_bad, "problem": "NaN"}
    n_second = max(1, round(sfreq))
    n_whole = len(good) // n_second * n_second
    seconds = good[:n_whole].reshape(-1, n_second) if n_whole else good[None]
    spread = float((seconds - np.median(seconds, axis=1, keepdims=True)).std())
    problem = ""
    if n_bad:
        problem = "NaN"
    elif np.ptp(good) == 0:
        problem = "flat"
    elif is_bad:
        problem = "marked bad"
    elif spread > NOISY_V:
        problem = "noisy"
    return {
        "name": name,
        "mean_uv": float(good.mean() * 1e6),
        "sd_uv": float(good.std() * 1e6),
        "peak_to_peak_uv": float(np.ptp(good) * 1e6),
        "n_nan": n_bad,
        "problem": problem,
    }


def _events(recording: Recording) -> dict[str, dict[str, Any]]:
    """Count events per code, with the median distance of neighbours of the same code."""
    found: dict[str, dict[str, Any]] = {}
    for code, rows in recording.events.groupby("code", sort=True):
        samples = np.sort(rows["sample"].to_numpy(dtype=np.float64))
        apart = np.diff(samples) / recording.sfreq
        found[str(code)] = {
            "n": len(rows),
            "median_spacing_s": float(np.median(apart)) if len(apart) else None,
        }
    return found


def _counts(column: pd.Series, order: Sequence[str] | None = None) -> dict[str, int]:
    counts = column.value_counts()
    names = list(counts.index) if order is None else list(order)
    return {str(name): int(counts.get(name, 0)) for name in names}


def _counts_by_class(trials: Trials, unit: str) -> dict[str, dict[str, int]]:
    name = trials.table[unit]
    if unit == "session":
        name = trials.table["subject"] + "/" + name
    return {
        str(key): _counts(rows["class_name"], trials.classes)
        for key, rows in trials.table.groupby(name.to_numpy(), sort=False)
    }
