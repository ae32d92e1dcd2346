"""All scores of restored pictures, and differences between systems picture by picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from phosphene.evaluation.intervals import binomial_interval
from phosphene.evaluation.restoration.errors import (
    Errors,
    Pixels,
    mean_interval,
    region_masks,
    squared_errors,
)
from phosphene.evaluation.restoration.similarity import similarity_maps
from phosphene.score import Score

ACCURACY = "accuracy of the classifier"
EQUAL_ITERATIONS = "equal iterations"
EQUAL_TIME = "equal time"
ORIGINAL = "original picture"
DELTA = "over pictures, Student's t (delta method)"
MEAN = "over pictures, Student's t"
EXACT = "over pictures, Clopper-Pearson"
TRAINED_ONCE = (
    "each system was trained once: intervals say what other test pictures would change, not what "
    "another training would"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Restored:
    """What one method made of test pictures."""

    method: str
    pixels: Pixels = field(repr=False)
    index: Int[np.ndarray, " some"] = field(repr=False)
    """Rows of the test pictures."""
    predicted: Int[np.ndarray, " some"] | None = field(default=None, repr=False)
    """Class that the classifier names; None without classes."""
    role: str = "result"
    fold: str = "all"
    selected_on: str = "nothing (last step)"
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    """A method's errors by region, and whether the classifier was right."""

    of: Restored
    errors: dict[str, Errors]
    hits: Bool[np.ndarray, " some"] | None


def score_restoration(
    test: Mapping[str, np.ndarray],
    methods: Sequence[Restored],
    *,
    main: str,
    split: str,
    n_classes: int,
    original_predicted: Int[np.ndarray, " picture"] | None = None,
) -> list[Score]:
    """Score every method on the whole picture, the visible and the missing part.

    RMSE is the root of the mean over all values of all pictures; PSNR and SSIM are means over
    pictures. A region that no picture has is not scored.

    Parameters
    ----------
    test
        The test pictures: ``original`` uint8 (picture, height, width, color), ``missing`` bool,
        ``label``.
    methods
        What each made of them. Results of one fold on the same pictures are compared with that of
        `main`.
    main
        Method that the others are compared with.
    split
        How training and test were kept apart.
    n_classes
        Classes of the pictures; the accuracy is left out below 2.
    original_predicted
        Class that the classifier names for each original.

    Returns
    -------
    list of Score
        Of section "restoration". Differences are called "... difference", of the method
        "MAIN - OTHER": a negative one of an RMSE says that MAIN is nearer to the originals.
    """
    if n_classes < 2:
        original_predicted = None
    found: list[Score] = []
    if original_predicted is not None:
        hits = original_predicted == test["label"]
        found.append(_accuracy(hits, test["label"], split=split, method=ORIGINAL, role="reference"))
    measured = []
    for method in methods:
        one = _measure(test, method, classes=n_classes > 1)
        measured.append(one)
        found += _scores_of(test, one, split=split)
    for one in measured:
        if one.of.method == main and one.of.role == "result":
            for other in measured:
                if other.of.role == "result" and other.of.fold == one.of.fold and other is not one:
                    found += _differences(one, other, split=split)
    return found


def _measure(test: Mapping[str, np.ndarray], method: Restored, *, classes: bool) -> _Measured:
    original, missing = test["original"][method.index], test["missing"][method.index]
    errors = {
        name: squared_errors(original, method.pixels, mask)
        for name, mask in region_masks(missing).items()
    }
    hits = None
    if classes and method.predicted is not None:
        hits = method.predicted == test["label"][method.index]
    return _Measured(of=method, errors=errors, hits=hits)


def _scores_of(test: Mapping[str, np.ndarray], one: _Measured, *, split: str) -> list[Score]:
    method = one.of
    common: dict[str, Any] = {
        "method": method.method,
        "role": method.role,
        "fold": method.fold,
        "selected_on": method.selected_on,
        "note": method.note or (TRAINED_ONCE if method.role == "result" else ""),
        "split": split,
    }
    masks = region_masks(test["missing"][method.index])
    maps = similarity_maps(test["original"][method.index], method.pixels)
    found = []
    for name, errors in one.errors.items():
        low, high = _around(errors.rmse, errors.influence())
        found.append(
            _score(f"RMSE[{name}]", errors.rmse, low, high, n=len(errors.rows), interval=DELTA,
                   higher_is_better=False, **common)
        )  # fmt: skip
    for metric, values_of in (("PSNR", _ratios), ("SSIM", _similarities)):
        for name, errors in one.errors.items():
            values = values_of(errors, maps, masks[name])
            low, high = mean_interval(values) or (None, None)
            found.append(
                _score(f"{metric}[{name}]", float(values.mean()), low, high, n=len(values),
                       interval=MEAN, higher_is_better=True, **common)
            )  # fmt: skip
    if one.hits is not None:
        found.append(_accuracy(one.hits, test["label"], **common))
    return found


def _ratios(errors: Errors, maps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return errors.peak_signal_to_noise()


def _similarities(errors: Errors, maps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    rows = errors.rows
    return (maps * mask).sum((1, 2))[rows] / mask.sum((1, 2))[rows]


def _differences(one: _Measured, other: _Measured, *, split: str) -> list[Score]:
    """Compare two systems on the pictures that both restored, one by one."""
    if not np.array_equal(one.of.index, other.of.index):
        return []
    common: dict[str, Any] = {
        "method": f"{one.of.method} - {other.of.method}",
        "fold": one.of.fold,
        "selected_on": one.of.selected_on,
        "split": split,
        "note": TRAINED_ONCE,
    }
    found = []
    for name, errors in one.errors.items():
        value = errors.rmse - other.errors[name].rmse
        low, high = _around(value, errors.influence() - other.errors[name].influence())
        found.append(
            _score(f"RMSE[{name}] difference", value, low, high, n=len(errors.rows),
                   interval=f"{DELTA}, paired", higher_is_better=False, **common)
        )  # fmt: skip
    if one.hits is not None and other.hits is not None:
        values = one.hits.astype(np.float64) - other.hits
        low, high = mean_interval(values) or (None, None)
        found.append(
            _score(f"{ACCURACY} difference", float(values.mean()), low, high, n=len(values),
                   interval=f"{MEAN}, paired", higher_is_better=True, **common)
        )  # fmt: skip
    return found


def _around(value: float, influence: np.ndarray) -> tuple[float | None, float | None]:
    """Return the interval of a value from what each picture adds to it."""
    interval = mean_interval(influence)
    return (None, None) if interval is None else (value + interval[0], value + interval[1])


def _accuracy(hits: np.ndarray, labels: np.ndarray, **common: Any) -> Score:
    low, high = binomial_interval(int(hits.sum()), len(hits))
    chance = np.bincount(labels).max() / len(labels)
    return _score(
        ACCURACY, float(hits.mean()), low, high, n=len(hits), interval=EXACT, chance=float(chance),
        higher_is_better=True, extractor="classifier", **common,
    )  # fmt: skip


def _score(
    name: str, value: float, low: float | None, high: float | None, *, n: int, **rest: Any
) -> Score:
    return Score(
        name=name, value=value, low=low, high=high, n=n, unit="pictures", section="restoration",
        **rest,
    )  # fmt: skip
