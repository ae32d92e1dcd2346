"""Inputs and labels with the information taken out, for the controls beside every score."""

from collections.abc import Callable, Hashable, Iterable

import numpy as np
from jaxtyping import Float, Int, Shaped

from phosphene._checks import check_finite, check_option
from phosphene.evaluation.units import check_labels, group_numbers, runs_of_labels

UNITS = ("trial", "block")


def label_permuter(
    labels: Int[np.ndarray, " row"],
    *,
    recordings: Iterable[Hashable],
    blocks: Iterable[Hashable] | None = None,
    unit: str = "trial",
) -> Callable[..., np.ndarray]:
    """Prepare `permute_labels` for many permutations: returns a function of a generator.

    Given a number of draws too, it returns one permutation to a row, as that many calls would.
    Parameters and errors as in `permute_labels`.
    """
    check_option("unit", unit, UNITS)
    check_labels(labels, int(labels.max(initial=0)) + 1, complete=False)
    recording = group_numbers("recordings", recordings, len(labels))
    if unit == "trial":
        block = np.arange(len(labels))
    elif blocks is None:
        block = runs_of_labels(labels, recording)
    else:
        pairs = zip(recording, group_numbers("blocks", blocks, len(labels)), strict=True)
        block = group_numbers("blocks", pairs, len(labels))
    _, first, row_block = np.unique(block, return_index=True, return_inverse=True)
    label_of, recording_of = labels[first], recording[first]
    if (label_of[row_block] != labels).any():
        raise ValueError(
            "permuting whole blocks needs one class per block; got blocks with several classes; "
            "use unit='trial' or pass the blocks in which a class was shown without a break."
        )
    groups = [np.flatnonzero(recording_of == r) for r in range(recording.max() + 1)]
    groups = [group for group in groups if len(np.unique(label_of[group])) > 1]
    if not groups:
        raise ValueError(
            "permuting needs two classes in at least one recording; got one class "
            "in each; pass as `recordings` the larger group (session, subject) in which classes "
            "vary and the recordings as `blocks`."
        )

    def permute(rng: np.random.Generator, n_draws: int | None = None) -> np.ndarray:
        permuted = np.tile(label_of, (1 if n_draws is None else n_draws, 1))
        for draw in permuted:
            for group in groups:
                draw[group] = label_of[rng.permutation(group)]
        found = permuted[:, row_block]
        return found[0] if n_draws is None else found

    return permute


def permute_labels(
    labels: Int[np.ndarray, " row"],
    *,
    recordings: Iterable[Hashable],
    blocks: Iterable[Hashable] | None = None,
    unit: str = "trial",
    seed: int,
) -> Int[np.ndarray, " row"]:
    """Permute labels at the level at which they were randomised.

    Labels stay in their recording, so whatever tells recordings apart stays as (un)informative as
    it was. Permuting single trials of a blocked design would destroy slow drifts together with the
    signal and make the null too easy to beat.

    Parameters
    ----------
    labels
        Class of each trial, in the order of time within a recording.
    recordings
        Recording of each trial: labels are exchanged inside it only.
    blocks
        Block of each trial, for ``unit="block"``; None takes runs of equal labels as blocks.
    unit
        ``"trial"`` for a randomised order, ``"block"`` for a blocked one (see `independent_unit`).
    seed
        Seed of the permutation.

    Raises
    ------
    ValueError
        If a block holds several classes, or no recording holds two.
    """
    permuter = label_permuter(labels, recordings=recordings, blocks=blocks, unit=unit)
    return permuter(np.random.default_rng(seed))


def noise_like(
    epochs: Float[np.ndarray, "trial chan time"], *, seed: int
) -> Float[np.ndarray, "trial chan time"]:
    """Draw stationary Gaussian noise that looks like the epochs to first and second order.

    Mean of each channel, covariance between channels, and spectrum and cross-spectrum equal in
    expectation those of the epochs averaged over trials. Nothing of a single trial survives,
    neither evoked response nor class. Noise wraps around: its last sample is followed by its first.

    Parameters
    ----------
    epochs
        At least two trials; unit and dtype are kept.
    seed
        Seed of the noise.

    Raises
    ------
    ValueError
        If there are fewer than two trials or values that are not finite.
    """
    if len(epochs) < 2:
        raise ValueError(
            f"noise is matched to at least 2 trials; got {len(epochs)}; pass a whole recording."
        )
    check_finite("epochs", epochs)
    rng = np.random.default_rng(seed)
    n_trials, n_chans, n_times = epochs.shape
    mean = epochs.mean(axis=(0, 2), dtype=np.float64)[:, None]
    scale = float(epochs.std(dtype=np.float64)) or 1.0
    n_freqs = n_times // 2 + 1
    spectrum = np.zeros((n_freqs, n_chans, n_chans), dtype=np.complex128)
    chunks = [slice(start, start + 512) for start in range(0, n_trials, 512)]
    for chunk in chunks:
        fourier = np.fft.rfft((epochs[chunk] - mean) / scale, axis=-1).transpose(2, 1, 0)
        spectrum += fourier @ fourier.conj().transpose(0, 2, 1)  # (freq, chan, chan)
    power, basis = np.linalg.eigh(spectrum / n_trials)
    root = basis * np.sqrt(power.clip(min=0))[:, None, :]
    # the mean of a trial is a real number, and so is the last coefficient of an even length
    real_only = np.isin(2 * np.arange(n_freqs), (0, n_times))

    noise = np.empty_like(epochs)
    for chunk in chunks:
        n = len(epochs[chunk])
        real, imaginary = rng.standard_normal((2, n_freqs, n_chans, n))
        white = np.where(real_only[:, None, None], real, (real + 1j * imaginary) / np.sqrt(2))
        signal = np.fft.irfft((root @ white).transpose(2, 1, 0), n=n_times, axis=-1)
        noise[chunk] = signal * scale + mean
    return noise


def noise_like_recordings(
    epochs: Float[np.ndarray, "trial chan time"],
    recordings: Iterable[Hashable],
    *,
    others: Float[np.ndarray, "other chan time"],
    seed_of: Callable[[str], int],
) -> Float[np.ndarray, "trial chan time"]:
    """Draw noise like the epochs of each recording, which keeps its gain and spectrum.

    Of a single trial no noise can be drawn that is not the trial: those of recordings with one are
    pooled, where only one is left its noise is like all held-out trials, and where it is the only
    one, like the others.

    Parameters
    ----------
    epochs
        As for `noise_like`: held-out trials.
    recordings
        Recording of each trial.
    others
        Trials to be like where there is one held-out trial only: those of the training.
    seed_of
        Seed of the noise of a recording, and of "single trials".
    """
    noise = np.empty(epochs.shape, np.float32)
    names = np.array([str(name) for name in recordings])
    _, group, counts = np.unique(names, return_inverse=True, return_counts=True)
    alone = counts[group] < 2
    if alone.any():
        pool = epochs[alone] if alone.sum() > 1 else epochs
        pool = pool if len(pool) > 1 else others
        noise[alone] = noise_like(np.asarray(pool), seed=seed_of("single trials"))[: alone.sum()]
    for name in np.unique(names[~alone]):
        rows = names == name
        noise[rows] = noise_like(np.asarray(epochs[rows]), seed=seed_of(str(name)))
    return noise


def shuffle_rows(
    rows: Shaped[np.ndarray, "row ..."], *, seed: int
) -> Shaped[np.ndarray, "row ..."]:
    """Permute rows, here features among trials, so that none belongs to its trial except by chance.

    ``shuffle_rows(np.arange(n), seed=seed)`` gives the order itself.
    """
    return rows[np.random.default_rng(seed).permutation(len(rows))]


def class_mean_features(
    features: Float[np.ndarray, "row feature"], labels: Int[np.ndarray, " row"], *, n_classes: int
) -> Float[np.ndarray, "class feature"]:
    """Mean feature of each class of the training trials, in label order, in float64.

    Index it with the decoded classes to give a generator the class and nothing else of the trial.

    Raises
    ------
    ValueError
        If a class has no row.
    """
    check_labels(labels, n_classes)
    return np.stack(
        [features[labels == c].mean(axis=0, dtype=np.float64) for c in range(n_classes)]
    )
