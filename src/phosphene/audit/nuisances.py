"""What a trial carries besides the brain's response: times, order, level, size, hum, before."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from phosphene.audit.randomisation import recording_numbers
from phosphene.audit.source import AuditSource

RESPONSE_FROM = 0.05
"""Seconds after onset before which no cortical response to a picture is there (C1 begins at 50 to
60 ms: Di Russo et al., Human Brain Mapping 2002)."""
BEFORE = 0.3
"""Seconds of a recording before onset that are looked at."""
LEAST = 4
"""Fewest samples that a stretch must have."""
LINES = (50.0, 60.0)
"""Mains frequencies in Hz."""
ASIDE = 3.0
"""Hz on each side of a line that it is compared with; Hann windows of 0.7 s or more tell them
apart."""
PERIODS = 12
"""Longest repeating pattern of classes, in trials, that is looked for (and that of K classes)."""
_BINS = 8
_CHUNK = 512

Features = Float[np.ndarray, "row feature"]


@dataclass(frozen=True, eq=False)
class Stretch:
    """A stretch of every trial, and features of it.

    Parameters
    ----------
    where
        What it is, in words.
    read
        Returns ``(row, chan, time)`` for rows of the table.
    rows
        Rows that have it.
    sfreq
        Samples per second.
    """

    where: str
    read: Callable[[Int[np.ndarray, " used"]], np.ndarray]
    rows: Int[np.ndarray, " row"]
    sfreq: float

    def features(
        self, of: Callable[[np.ndarray, float], np.ndarray], rows: Int[np.ndarray, " used"]
    ) -> Features:
        """Apply a function of ``(row, chan, time)`` and the rate, some rows at a time."""
        parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
        found = [of(np.asarray(self.read(part), np.float64), self.sfreq) for part in parts]
        return np.concatenate([part.reshape(len(part), -1) for part in found])


def whole_window(source: AuditSource) -> Stretch:
    """Return the window that models see."""
    rows = np.arange(len(source))
    return Stretch("the window", lambda used: source.epochs[used], rows, source.sfreq)


def early_window(source: AuditSource) -> Stretch | None:
    """Return what lies before `RESPONSE_FROM`, of the window or else with its margin.

    None where the time of onset is not known or too few samples lie before it.
    """
    if source.tmin is None:
        return None
    n_early = int(np.ceil((RESPONSE_FROM - source.tmin) * source.sfreq - 1e-9))
    begin = source.margin if n_early >= LEAST else 0
    stop = source.margin + min(n_early, source.epochs.shape[2])
    if stop - begin < LEAST:
        return None
    words = f"samples before {RESPONSE_FROM * 1000:g} ms"

    def read(rows: np.ndarray) -> np.ndarray:
        return source.epochs_with_margin[rows, :, begin:stop]

    return Stretch(words, read, np.arange(len(source)), source.sfreq)


def before_onset(source: AuditSource) -> Stretch | None:
    """Return the samples of the epochs, margin included, that lie before the event."""
    if source.tmin is None:
        return None
    n_before = int(np.ceil(-source.tmin * source.sfreq - 1e-9)) + source.margin
    n_before = min(n_before, source.epochs_with_margin.shape[2])
    if n_before < LEAST:
        return None

    def read(rows: np.ndarray) -> np.ndarray:
        return source.epochs_with_margin[rows, :, :n_before]

    return Stretch("epochs", read, np.arange(len(source)), source.sfreq)


def of_recordings(source: AuditSource, *, begin: float, end: float | None) -> Stretch | None:
    """Return stretches of the recordings themselves, before any filter.

    Parameters
    ----------
    source
        What to look at.
    begin, end
        Seconds after the event; None ends with the window.

    Returns
    -------
    Stretch
        Rows whose stretch leaves its recording are not in it. None where there are no recordings,
        rates differ, or the table does not say where trials lie.
    """
    start, names, tmin = source.column("start"), source.column("recording"), source.tmin
    by_name = {recording.recording: recording for recording in source.recordings}
    rates = {float(recording.sfreq) for recording in source.recordings}
    if start is None or names is None or tmin is None or len(rates) != 1:
        return None
    if not set(names.tolist()) <= set(by_name):
        return None
    sfreq = rates.pop()
    onset = start - round(tmin * sfreq)
    until = tmin + source.epochs.shape[2] / source.sfreq if end is None else end
    first, n_times = onset + round(begin * sfreq), round((until - begin) * sfreq)
    lengths = np.array([by_name[str(name)].n_samples for name in names])
    rows = np.flatnonzero((first >= 0) & (first + n_times <= lengths))
    if n_times < LEAST or not len(rows):
        return None

    def read(used: np.ndarray) -> np.ndarray:
        cut = [by_name[str(names[i])].signal[:, first[i] : first[i] + n_times] for i in used]
        return np.stack(cut)

    return Stretch("recordings", read, rows, sfreq)


def level(epochs: np.ndarray, sfreq: float) -> np.ndarray:
    """Mean of each channel."""
    return epochs.mean(axis=2)


def size(epochs: np.ndarray, sfreq: float) -> np.ndarray:
    """Logarithm of each channel's standard deviation."""
    return np.log(epochs.std(axis=2) + np.finfo(np.float32).tiny)


def course(epochs: np.ndarray, sfreq: float) -> np.ndarray:
    """Mean, logarithm of the standard deviation, and course in up to eight steps."""
    steps = np.array_split(np.arange(epochs.shape[2]), min(_BINS, epochs.shape[2]))
    means = np.stack([epochs[:, :, step].mean(axis=2) for step in steps], axis=2)
    middle = level(epochs, sfreq)[..., None]
    return np.concatenate([middle, size(epochs, sfreq)[..., None], means - middle], axis=2)


def hum(epochs: np.ndarray, sfreq: float) -> np.ndarray:
    """Logarithm of each channel's amplitude at the mains frequencies, over that beside them.

    Beside means `ASIDE` Hz below and above, so that a louder trial has no more hum than others.
    """
    n_times = epochs.shape[2]
    window = np.hanning(n_times + 2)[1:-1, None]
    middle = epochs - epochs.mean(axis=2, keepdims=True)

    def amplitude(hertz: np.ndarray) -> np.ndarray:
        turns = np.arange(n_times)[:, None] / sfreq * hertz
        return np.abs(middle @ (window * np.exp(-2j * np.pi * turns))) ** 2

    lines = np.array(lines_below(sfreq))
    beside = (amplitude(lines - ASIDE) + amplitude(lines + ASIDE)) / 2
    tiny = np.finfo(np.float32).tiny
    return np.log((amplitude(lines) + tiny) / (beside + tiny))


def lines_below(sfreq: float) -> tuple[float, ...]:
    """Return the mains frequencies that a signal of this rate can hold."""
    return tuple(line for line in LINES if line + ASIDE < sfreq / 2)


def clock(source: AuditSource) -> Features | None:
    """Time in the recording (and its powers), waits before and after, and phase of the second.

    None where onsets are not known.
    """
    onset = source.column("onset")
    if onset is None or len(np.unique(onset)) < 2:
        return None
    found = np.zeros((len(source), 7))
    recordings = recording_numbers(source)
    for recording in np.unique(recordings):
        rows = np.flatnonzero(recordings == recording)
        rows = rows[np.argsort(onset[rows], kind="stable")]
        times = onset[rows]
        waits = np.diff(times)
        usual = float(np.median(waits)) if len(waits) else 0.0
        longest = 5 * usual  # a rejected trial or a break is no wait
        waits = np.minimum(waits, longest)
        span = max(float(times[-1] - times[0]), np.finfo(float).tiny)
        place = (times - times[0]) / span * 2 - 1
        found[rows, :3] = np.stack([place, place**2, place**3], axis=1)
        found[rows, 3] = np.concatenate([[usual], waits])
        found[rows, 4] = np.concatenate([waits, [usual]])
        found[rows, 5:] = np.stack([np.cos(2 * np.pi * times), np.sin(2 * np.pi * times)], axis=1)
    return found


def place_in_order(source: AuditSource, order: Int[np.ndarray, " row"]) -> Features:
    """Place in the recording (and its powers), and place in patterns of 2 to `PERIODS` trials.

    Parameters
    ----------
    source
        What to look at.
    order
        Rows in the order of recording and time.
    """
    periods = sorted({*range(2, PERIODS + 1), source.n_classes})
    recordings = recording_numbers(source)
    columns = []
    index = np.zeros(len(source), dtype=np.int64)
    place = np.zeros(len(source))
    for recording in np.unique(recordings):
        rows = order[recordings[order] == recording]
        index[rows] = np.arange(len(rows))
        place[rows] = np.linspace(-1, 1, len(rows)) if len(rows) > 1 else 0.0
    columns += [place, place**2, place**3]
    for period in periods:
        columns += [(index % period == phase).astype(float) for phase in range(period - 1)]
    return np.stack(columns, axis=1)
