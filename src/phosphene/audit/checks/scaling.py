"""Scaling that was fitted on all trials before they were split."""

from collections.abc import Iterator

import numpy as np

from phosphene.audit.finding import CheckNotPossibleError, Finding
from phosphene.audit.source import AuditSource
from phosphene.data.splits import Split

EXACT = 2e-4
"""How near mean and standard deviation must be to 0 and 1, in standard deviations."""
_CHUNK = 1 << 24


def check_scaling(
    source: AuditSource, split: Split | None, rng: np.random.Generator
) -> list[Finding]:
    """Recognise statistics that are exact over all trials together, and over no smaller unit.

    Looked for, over the union of all trials: mean 0 and standard deviation 1 of each channel, of
    each channel and sample, or of all values; uncorrelated channels of equal variance (whitening);
    smallest and largest value of 0 and 1, or -1 and 1; a grand mean over trials taken off. What is
    exact within every trial or every recording already was fitted there and crosses no split; what
    is exact over the training trials of a fold was fitted as it should be.

    Raises
    ------
    CheckNotPossibleError
        With fewer than 3 trials.
    """
    if len(source) < 3:
        raise CheckNotPossibleError(f"{len(source)} trials are too few to tell a scaling")
    if source.epochs_with_margin.shape[2] > source.epochs.shape[2]:
        margin = "window" if _kinds(_Sums(source.epochs)) else "window with margin"
    else:
        margin = "window"
    epochs = source.epochs if margin == "window" else source.epochs_with_margin
    every = _kinds(_Sums(epochs))
    if not every:
        return []
    for rows in _smaller_units(source):
        if not every:
            break
        every &= every - _kinds_of_all(epochs, rows)
    if split is not None and len(split.folds) == 1:  # a range may be that of the training trials
        (fold,) = source.folds(split)
        inside = _kinds(_Sums(epochs[fold.train])) & every
        every -= {kind for kind in inside if kind.startswith("values")}
    if not every:
        return []
    sums = _Sums(epochs)
    kinds = sorted(every)
    return [
        Finding(
            kind="scaling_across_split",
            severity="warning",
            title=f"The signals were scaled over all trials together: {'; '.join(kinds)}",
            evidence={
                "found": kinds,
                "largest_mean_of_a_channel": float(np.abs(sums.channel_mean).max()),
                "standard_deviation_of_channels": [
                    float(sums.channel_sd.min()),
                    float(sums.channel_sd.max()),
                ],
                "smallest_and_largest_value": [sums.least, sums.most],
                "looked_at": margin,
            },
            effect="Test trials took part in the scaling of training trials. No label did, so the "
            "gain is mostly below a point of accuracy; with few recordings, or where recordings "
            "differ much in size, it is more, and the score is not one of new recordings: those "
            "would have to be scaled without knowing the rest.",
            remedy="Import unscaled signals; Phosphene fits its scaling on the training trials of "
            "each fold. If there are none, scale every recording by itself.",
            n_trials=len(source),
        )
    ]


class _Sums:
    """Mean, spread and range of epochs ``(trial, chan, time)``, in float64 and in parts."""

    def __init__(self, epochs: np.ndarray) -> None:
        self.n_trials, self.n_chans, self.n_times = epochs.shape
        total = np.zeros((self.n_chans, self.n_times))
        squares = np.zeros_like(total)
        products = np.zeros((self.n_chans, self.n_chans))
        self.least, self.most = np.inf, -np.inf
        channel_least = np.full(self.n_chans, np.inf)
        channel_most = np.full(self.n_chans, -np.inf)
        step = max(1, _CHUNK // (self.n_chans * self.n_times))
        for begin in range(0, self.n_trials, step):
            part = np.asarray(epochs[begin : begin + step], dtype=np.float64)
            total += part.sum(axis=0)
            squares += (part**2).sum(axis=0)
            rows = part.transpose(1, 0, 2).reshape(self.n_chans, -1)
            products += rows @ rows.T
            channel_least = np.minimum(channel_least, rows.min(axis=1))
            channel_most = np.maximum(channel_most, rows.max(axis=1))
        self.channel_range = np.stack([channel_least, channel_most], axis=1)
        self.least, self.most = float(channel_least.min()), float(channel_most.max())
        n = self.n_trials * self.n_times
        self.mean = total / self.n_trials  # (chan, time)
        self.variance = np.maximum(squares / self.n_trials - self.mean**2, 0)
        self.channel_mean = total.sum(axis=1) / n
        channel_variance = np.maximum(squares.sum(axis=1) / n - self.channel_mean**2, 0)
        self.channel_sd = np.sqrt(channel_variance)
        sizes = np.outer(self.channel_sd, self.channel_sd)
        covariance = products / n - np.outer(self.channel_mean, self.channel_mean)
        self.correlation = covariance / np.where(sizes > 0, sizes, 1.0)


def _kinds(sums: _Sums) -> set[str]:
    """Name the statistics that are exact."""
    found = set()
    sd = sums.channel_sd
    if not (sd > 0).all():
        return found
    # a divisor of n - 1 in place of n is a scaling, too
    few = 1 / sums.n_trials
    if (np.abs(sums.channel_mean) < EXACT * sd).all():
        if (np.abs(sd - 1) < EXACT).all():
            found.add("mean 0 and standard deviation 1 of each channel")
        apart = sums.correlation - np.eye(sums.n_chans)
        if sums.n_chans > 2 and np.abs(apart).max() < EXACT and np.ptp(sd) < EXACT * sd.max():
            found.add("channels made uncorrelated (whitening)")
    whole = np.sqrt((sd**2 + sums.channel_mean**2).mean() - sums.channel_mean.mean() ** 2)
    if abs(sums.channel_mean.mean()) < EXACT and abs(whole - 1) < EXACT:
        found.add("mean 0 and standard deviation 1 of all values")
    spread = np.sqrt(sums.variance)
    if sums.n_trials > 3 and (spread > 0).all():
        centred = (np.abs(sums.mean) < EXACT * spread).all()
        if centred and (np.abs(spread - 1) < EXACT + few).all():
            found.add("mean 0 and standard deviation 1 of each sample of each channel")
        elif centred:
            found.add("the mean over trials taken off")
    for low, high in ((0.0, 1.0), (-1.0, 1.0)):
        if abs(sums.least - low) < 1e-6 and abs(sums.most - high) < 1e-6:
            found.add(f"values from {low:g} to {high:g}")
    return found


def _smaller_units(source: AuditSource) -> Iterator[list[np.ndarray]]:
    """Yield the rows of every trial, and of every recording, session and subject."""
    yield [np.array([row]) for row in range(len(source))]
    for name in ("recording", "session", "subject"):
        units = source.column(name)
        if units is not None and len(set(units)) > 1:
            yield [np.flatnonzero(units == unit) for unit in np.unique(units)]


def _kinds_of_all(epochs: np.ndarray, units: list[np.ndarray]) -> set[str]:
    """Return what is exact in every unit (every one of the first 50)."""
    found: set[str] | None = None
    for rows in units[:50]:
        kinds = _kinds(_Sums(epochs[rows]))
        found = kinds if found is None else found & kinds
        if not found:
            return set()
    return found or set()
