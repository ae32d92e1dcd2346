"""All scores of generated signals: table 5.1 of the thesis, and what fits signals better."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from phosphene._checks import check_shape
from phosphene.evaluation.pictures.distribution import inception_score
from phosphene.evaluation.signals.amplitude import amplitude_scores
from phosphene.evaluation.signals.channel_correlation import correlation_score
from phosphene.evaluation.signals.choice import ChosenWindows, choose_windows
from phosphene.evaluation.signals.frechet import frechet_score
from phosphene.evaluation.signals.specificity import specificity_scores
from phosphene.evaluation.signals.spectrum import spectrum_scores
from phosphene.evaluation.signals.true_response import true_response_scores
from phosphene.evaluation.signals.windows import (
    check_alike,
    check_windows,
    mean_by_picture,
    number_pictures,
    picture_score,
)
from phosphene.evaluation.units import check_probabilities
from phosphene.score import Score

SETS = {"train": "training pictures", "test": "test pictures"}
"""Sets of pictures, and their words in the names of scores."""
REAL, OTHER_HALF = "real", "other half"
TURNED = "phase-randomised"
ROLES = {"autoencoder": "baseline", "noise": "control", TURNED: "control"}
"""Of systems with these names; all others are results."""
PAIRED = ("autoencoder", TURNED)
"""Systems whose row i was made from real row i."""
N_SCORED = 600
"""Windows of each set: half of the thesis' 1,200 showings of test pictures."""
NOT_A_CRITERION = (
    "no usable criterion for signals: in table 5.1 of the thesis the GAN that was not pre-trained "
    "has 1.98 and real data 1.28"
)
_NOTES = {
    REAL: "the other half of the showings: the floor or ceiling",
    "autoencoder": "reconstructions of the showings, not generated",
    "noise": "white Gaussian noise with the mean and variance of the data",
    TURNED: "showings of the other half with phases drawn anew",
}


def choose_sets(
    real: Mapping[str, np.ndarray],
    generated: Mapping[str, Mapping[str, np.ndarray]],
    *,
    n_scored: int = N_SCORED,
    seed: int,
) -> dict[str, ChosenWindows]:
    """Choose the windows that are scored, as many of training as of test pictures.

    Parameters
    ----------
    real
        ``train_picture`` and ``test_picture`` (window,): picture of each showing. A set may be
        missing.
    generated
        The same for each system.
    n_scored
        Windows wanted of each set.
    seed
        Of halves and choice.

    Returns
    -------
    chosen
        By set, "train" and "test". Describe these rows, and no others, for `score_signals`.

    Raises
    ------
    ValueError
        If neither set is there, a system lacks a set or has a reserved name, or for what
        `choose_windows` refuses.
    """
    present = [name for name in SETS if f"{name}_picture" in real]
    if not present:
        raise ValueError(
            "real data need `train_picture` or `test_picture`; got neither; "
            "pass the arrays of the fold's real.npz."
        )
    for system, arrays in generated.items():
        if system in (REAL, OTHER_HALF):
            raise ValueError(f"{system!r} stands for real data; call the system otherwise.")
        missing = [name for name in present if f"{name}_picture" not in arrays]
        if missing:
            raise ValueError(
                f"each system needs generated windows of every set; {system!r} has none of "
                f"{missing[0]!r}; generate them, or leave the system out."
            )

    def choose(n_windows: int) -> dict[str, ChosenWindows]:
        return {
            name: choose_windows(
                real[f"{name}_picture"],
                {system: arrays[f"{name}_picture"] for system, arrays in generated.items()},
                n_windows=n_windows,
                paired=[system for system in generated if system in PAIRED],
                seed=seed,
            )
            for name in present
        }

    chosen = choose(n_scored)
    fewest = min(len(of_set.picture) for of_set in chosen.values())
    return choose(fewest)


def score_signals(
    real: Mapping[str, np.ndarray],
    generated: Mapping[str, Mapping[str, np.ndarray]],
    *,
    sfreq: float,
    chosen: Mapping[str, ChosenWindows],
    described: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]] | None = None,
    true_responses: Float[np.ndarray, "picture chan time"] | None = None,
    split: str = "by picture",
    seed: int = 0,
) -> list[Score]:
    """Score all systems on training and on test pictures.

    Each number is computed between one half of the real showings and the system's windows, with as
    many windows of each picture in both. The row "real" is the other half, and what the best system
    could reach: the thesis sets the data against themselves and prints 0. Mean responses of
    pictures rest on all windows of a system.

    Parameters
    ----------
    real
        ``train`` (window, chan, time), z-scored, ``train_picture`` (window,), and the same of
        ``test``; a set may be missing. Mappings may read from disk: each array is asked for once.
    generated
        The same for each system. "noise" and "phase-randomised" are controls, "autoencoder" is a
        baseline; rows of the last two belong to the real rows of the same number.
    sfreq
        Samples per second.
    chosen
        What `choose_sets` chose.
    described
        By extractor ("domain", "inception-2015"), then by "real", "other half" or system:
        ``train_features`` (window, feature) and ``train_probabilities`` (window, class), and the
        same of ``test``, of the chosen windows in their order. A system without is left out.
    true_responses
        Of a simulator, one row per picture number.
    split
        How training and test pictures were kept apart, in words.
    seed
        Of bootstraps and permutations.

    Returns
    -------
    list of Score
        Scores of one name together, "real" first, then systems in their order.

    Raises
    ------
    ValueError
        If arrays do not fit one another.
    """
    scores: list[Score] = []
    for name, of_set in chosen.items():
        target, references = _target(real, name, of_set, true_responses)
        for method in (REAL, *generated):
            role = "reference" if method == REAL else ROLES.get(method, "result")
            words = {"method": method, "split": split, "role": role}
            compared = references
            if method != REAL:
                compared = _compared(generated[method], method, name, of_set, target)
            found = [
                *_described_scores(described or {}, name, of_set, words, seed),
                *_window_scores(target, compared, of_set, words, sfreq=sfreq, seed=seed),
            ]
            note = _NOTES.get(method, "")
            scores += [replace(_noted(s, note), name=f"{s.name}, {SETS[name]}") for s in found]
    order = {score_name: place for place, score_name in enumerate(_names(scores))}
    return [_above_floor(s, scores) for s in sorted(scores, key=lambda s: order[s.name])]


@dataclass(frozen=True)
class _Compared:
    """Windows and mean responses of a system, or of half of the real data."""

    windows: np.ndarray
    """The chosen ones."""
    mean: np.ndarray
    """Response to each picture, of windows that are not those of the target."""
    whole_mean: np.ndarray
    """Response to each picture, of all windows."""
    planted: np.ndarray | None = None
    """True response to each picture, known of a simulator; of the target only."""


def _target(
    real: Mapping[str, np.ndarray],
    name: str,
    of_set: ChosenWindows,
    true_responses: np.ndarray | None,
) -> tuple[_Compared, _Compared]:
    """Return the half that all are compared with, and the other half."""
    signals, pictures = real[name], real[f"{name}_picture"]
    check_windows(f"real {name}", signals)
    number_pictures(pictures, len(signals))
    whole = mean_by_picture(signals, pictures)
    first, second = (mean_by_picture(signals[rows], pictures[rows]) for rows in of_set.halves)
    planted = _planted(true_responses, pictures, signals.shape[1:])
    target = _Compared(signals[of_set.real], first, whole, planted)
    return target, _Compared(signals[of_set.other_half], second, whole)


def _compared(
    arrays: Mapping[str, np.ndarray],
    method: str,
    name: str,
    of_set: ChosenWindows,
    target: _Compared,
) -> _Compared:
    """Return what a system generated for a set."""
    signals, pictures = arrays[name], arrays[f"{name}_picture"]
    check_alike(target.windows, signals)
    number_pictures(pictures, len(signals))
    mean = whole = mean_by_picture(signals, pictures)
    if method in PAIRED:
        rows = of_set.halves[1]
        mean = mean_by_picture(signals[rows], pictures[rows])
    return _Compared(signals[of_set.generated[method]], mean, whole)


def _window_scores(
    target: _Compared,
    compared: _Compared,
    of_set: ChosenWindows,
    words: dict[str, Any],
    *,
    sfreq: float,
    seed: int,
) -> list[Score]:
    """Return the scores that need no network."""
    sets = target.windows, compared.windows
    common = {"picture": of_set.picture, "seed": seed, **words}
    found = [
        frechet_score(*sets, extractor="raw", **common),
        *spectrum_scores(*sets, sfreq=sfreq, **common),
        *amplitude_scores(*sets, **common),
    ]
    if sets[0].shape[1] > 1:  # channels
        found.append(correlation_score(*sets, **common))
    common = {"exchanged": "signs" if words["method"] == TURNED else "pictures", "seed": seed}
    found += specificity_scores(target.mean, compared.mean, **common, **words)
    if target.planted is not None:
        found += true_response_scores(target.planted, compared.whole_mean, **common, **words)
    return found


def _planted(
    true_responses: np.ndarray | None, pictures: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray | None:
    """Return the true responses of a set's pictures, in the order of `mean_by_picture`."""
    if true_responses is None:
        return None
    check_shape("true_responses", true_responses.shape, (None, *shape), "picture chan time")
    rows = np.unique(pictures)
    if rows[0] < 0 or rows[-1] >= len(true_responses):
        raise ValueError(
            f"true responses need one row per picture; got {len(true_responses)} rows for "
            f"pictures {rows[0]} to {rows[-1]}; import them with the recording they belong to."
        )
    return true_responses[rows]


def _described_scores(
    described: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]],
    name: str,
    of_set: ChosenWindows,
    words: dict[str, Any],
    seed: int,
) -> list[Score]:
    """Return table 5.1's two scores of each network that described the chosen windows."""
    found = []
    for extractor, systems in described.items():
        asked = OTHER_HALF if words["method"] == REAL else words["method"]
        if asked not in systems:
            continue
        probabilities = _rows(systems, extractor, asked, f"{name}_probabilities", of_set)
        check_probabilities(probabilities)
        numbers = number_pictures(of_set.picture, len(probabilities))

        def variety(
            drawn: np.ndarray, rows: np.ndarray = probabilities, numbers: np.ndarray = numbers
        ) -> float:
            return inception_score(np.repeat(rows, drawn[numbers], axis=0))[0]

        score = picture_score(
            f"IS[{extractor}]",
            variety,
            int(numbers.max()) + 1,
            bounds=(1.0, float(probabilities.shape[1])),
            higher_is_better=True,
            extractor=extractor,
            note=NOT_A_CRITERION,
            n_resamples=40,
            seed=seed,
            **words,
        )
        distance = frechet_score(
            _rows(systems, extractor, REAL, f"{name}_features", of_set),
            _rows(systems, extractor, asked, f"{name}_features", of_set),
            picture=of_set.picture,
            extractor=extractor,
            distance_name="FID" if extractor.startswith("inception") else "Fréchet distance",
            seed=seed,
            **words,
        )
        found += [score, distance]
    return found


def _rows(
    systems: Mapping[str, Mapping[str, np.ndarray]],
    extractor: str,
    system: str,
    array: str,
    of_set: ChosenWindows,
) -> np.ndarray:
    arrays = systems.get(system, {})
    n = len(of_set.picture)
    if array not in arrays or len(arrays[array]) != n:
        got = f"{len(arrays[array])} rows" if array in arrays else "none"
        raise ValueError(
            f"the network {extractor!r} must describe the {n} chosen windows of {system!r}; got "
            f"{got} in {array!r}; describe the rows that `choose_sets` returned."
        )
    return arrays[array]


def _noted(score: Score, note: str) -> Score:
    return replace(score, note="; ".join(filter(None, (note, score.note))))


def _names(scores: list[Score]) -> list[str]:
    """Return names in the order of the table: metric by metric, each for all sets."""
    names = list(dict.fromkeys(score.name for score in scores))
    metrics = list(dict.fromkeys(name.rsplit(", ", 1)[0] for name in names))
    return sorted(names, key=lambda name: metrics.index(name.rsplit(", ", 1)[0]))


def _above_floor(score: Score, scores: list[Score]) -> Score:
    """Say how far a distance lies above that of the two halves of real data."""
    if score.higher_is_better or score.role == "reference":
        return score
    floor = next((s for s in scores if s.name == score.name and s.role == "reference"), None)
    if floor is None:
        return score
    return _noted(score, f"excess over real data {score.value - floor.value:.4g}")
