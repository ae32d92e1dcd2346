"""What a run that restores pictures holds for the report; missing parts are empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from phosphene._checks.structure import check_structure
from phosphene.run_dir import RunDir

if TYPE_CHECKING:
    import numpy as np

FOLD = "folds/pictures"
SECTION, UNIT = "restoration", "picture"
"""Of the scores of such a run, and what its split keeps apart."""
EQUAL_ITERATIONS, EQUAL_TIME = "equal iterations", "equal time"
"""What `fold` of a score is called, by what all systems were given equally much of."""
BASELINES = (
    "corrupted picture",
    "mean picture",
    "nearest training picture",
    "total variation",
    "non-local means",
)
"""In the order in which they are shown; others follow."""
CLASSIFIED = "classified.npz"
"""Class that the classifier names for each test picture, original and corrupted."""
ROWS_PER_CLASS, MAX_ROWS = 2, 20

_SYSTEMS = [
    {
        "name": str,
        "slug": str,
        "iterations": int,
        "iterations_equal_time?": (None, int),
        "seconds_per_iteration?": (None, float),
        "n_parameters?": (None, int),
        "learning_rate?": (None, float),
        "tuning?": {
            "steps?": (None, int),
            "runs?": (None, int),
            "n_validation?": (None, int),
            "losses?": {str: [(None, float)]},
        },
    }
]
_REMEDY = "score the run again with `phosphene evaluate`."


@dataclass(frozen=True, kw_only=True)
class TrainedSystem:
    """One of the systems that a run compares."""

    name: str
    slug: str
    """Of its files."""
    iterations: int
    """Where all systems have equally many."""
    iterations_equal_time: int | None
    """Where all have equal time; None where that was not done."""
    seconds_per_iteration: int | float | None
    n_parameters: int | None
    learning_rate: int | float | None
    tuning: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What one system or baseline made of the pictures that are shown."""

    name: str
    kind: str
    """`EQUAL_ITERATIONS`, `EQUAL_TIME`, or "" for a baseline."""
    pictures: "tuple[np.ndarray | None, ...]"
    """One per shown picture, uint8 (height, width, color); None where it was not restored."""
    predicted: tuple[int | None, ...]
    """The class that the classifier names for each; None where it was not asked."""


@dataclass(frozen=True, kw_only=True)
class ShownPictures:
    """Test pictures that the report shows, the first ones of each class in their stored order."""

    original: Restored
    corrupted: Restored
    labels: tuple[int, ...]
    names: tuple[str, ...]
    restored: tuple[Restored, ...]
    n_stored: int


@dataclass(frozen=True, kw_only=True)
class RestorationContents:
    """Systems, and what they and the baselines made of some pictures."""

    systems: tuple[TrainedSystem, ...]
    """In the order of the tables; the last one is the recipe's own."""
    shown: ShownPictures | None

    @property
    def main(self) -> TrainedSystem | None:
        """The recipe's own system."""
        return self.systems[-1] if self.systems else None

    @property
    def budgets(self) -> tuple[str, ...]:
        """What systems were given equally much of; once where equal time changed nothing."""
        if all(s.iterations_equal_time in (None, s.iterations) for s in self.systems):
            return (EQUAL_ITERATIONS,)
        return (EQUAL_ITERATIONS, EQUAL_TIME)


NOTHING_YET = RestorationContents(systems=(), shown=None)
"""Of a run that is known to restore pictures and has written nothing of it."""


def read_restorations(run: RunDir) -> RestorationContents | None:
    """Read what folds/pictures holds of restoration, None where it holds nothing of it.

    Raises
    ------
    ValueError
        If systems.json or the arrays are not what a course of restoration writes.
    """
    has_test = run.has(f"{FOLD}/test.npz")
    if not has_test and not run.has(f"{FOLD}/systems.json"):
        return None
    systems = read_systems(run)
    return RestorationContents(systems=systems, shown=_shown(run, systems) if has_test else None)


def read_systems(run: RunDir) -> tuple[TrainedSystem, ...]:
    """Read systems.json, nothing where it is not written yet.

    Raises
    ------
    ValueError
        If it is not what a course of restoration writes.
    """
    name = f"{FOLD}/systems.json"
    if not run.has(name):
        return ()
    stored = run.read_json(name)
    check_structure(stored, _SYSTEMS, where=name, remedy=_REMEDY)
    for entry in stored:
        _check_slug(entry["slug"], name)
    return tuple(
        TrainedSystem(
            name=entry["name"],
            slug=entry["slug"],
            iterations=entry["iterations"],
            tuning=entry.get("tuning", {}),
            **{
                key: entry.get(key)
                for key in (
                    "iterations_equal_time",
                    "seconds_per_iteration",
                    "n_parameters",
                    "learning_rate",
                )
            },
        )
        for entry in stored
    )


def _check_slug(slug: str, where: str) -> None:
    if not slug or not slug.replace("-", "").replace("_", "").isalnum():
        raise ValueError(
            f"`slug` in {where} must be letters, digits and hyphens; got {slug[:100]!r}; {_REMEDY}"
        )


def _shown(run: RunDir, systems: Sequence[TrainedSystem]) -> ShownPictures:
    from phosphene.reporting.figures.picture_grid import round_robin

    name = f"{FOLD}/test.npz"
    arrays = run.read_arrays(name)
    _check_test(arrays, name)
    labels = arrays["label"]
    most = min(MAX_ROWS, ROWS_PER_CLASS * len(set(labels.tolist())))
    rows = sorted(round_robin(labels, most), key=lambda row: (labels[row], row))
    wanted = [
        (system.name, f"{system.slug}.{file}", kind)
        for kind, file in ((EQUAL_ITERATIONS, "iterations"), (EQUAL_TIME, "time"))
        for system in systems
    ]
    wanted += [(baseline, baseline.replace(" ", "-"), "") for baseline in BASELINES[1:]]
    shape = arrays["original"].shape[1:]
    named = run.read_arrays(f"{FOLD}/{CLASSIFIED}") if run.has(f"{FOLD}/{CLASSIFIED}") else {}
    restored = [
        _restored(run, file, rows, shape, name=method, kind=kind)
        for method, file, kind in wanted
        if run.has(f"{FOLD}/restored/{file}.npz")
    ]
    return ShownPictures(
        original=_given("original", arrays["original"], rows, named),
        corrupted=_given("corrupted", arrays["corrupted"], rows, named),
        labels=tuple(int(label) for label in labels[rows]),
        names=tuple(str(each) for each in arrays["image_id"][rows]),
        restored=tuple(restored),
        n_stored=len(labels),
    )


def _check_test(arrays: "Mapping[str, np.ndarray]", name: str) -> None:
    original = arrays.get("original")
    if (
        original is None
        or original.ndim != 4
        or str(original.dtype) != "uint8"
        or not original.size
        or original.shape[3] not in (1, 3)
    ):
        got = "none" if original is None else f"{original.dtype} {original.shape}"
        raise ValueError(
            f"`original` of {name} must be bytes (picture, height, width, 1 or 3 colors); got "
            f"{got}; {_REMEDY}"
        )
    expected = {
        "corrupted": (original.shape, "u"),
        "label": (original.shape[:1], "iu"),
        "image_id": (original.shape[:1], "U"),
    }
    for key, (shape, kinds) in expected.items():
        found = arrays.get(key)
        if found is None or found.shape != shape or found.dtype.kind not in kinds:
            got = "none" if found is None else f"{found.dtype} {found.shape}"
            raise ValueError(f"`{key}` of {name} must have the shape {shape}; got {got}; {_REMEDY}")


def _given(
    name: str, pixels: "np.ndarray", rows: Sequence[int], named: "Mapping[str, np.ndarray]"
) -> Restored:
    classes = named.get(name)
    if classes is not None and (
        classes.shape != pixels.shape[:1] or classes.dtype.kind not in "iu"
    ):
        raise ValueError(
            f"`{name}` of {CLASSIFIED} must be a class of each picture; got {classes.dtype} "
            f"{classes.shape}; {_REMEDY}"
        )
    return Restored(
        name=name,
        kind="",
        pictures=tuple(pixels[row] for row in rows),
        predicted=tuple(None if classes is None else int(classes[row]) for row in rows),
    )


def _restored(
    run: RunDir, file: str, rows: Sequence[int], shape: tuple[int, ...], *, name: str, kind: str
) -> Restored:
    where = f"{FOLD}/restored/{file}.npz"
    arrays = run.read_arrays(where)
    if "restored" not in arrays or "index" not in arrays:
        raise ValueError(f"{where} must hold `restored` and `index`; it does not; {_REMEDY}")
    made, index, named = arrays["restored"], arrays["index"], arrays.get("predicted")
    if made.shape != (index.size, *shape) or str(made.dtype) != "uint8":
        raise ValueError(
            f"`restored` of {where} must be bytes ({index.size}, {', '.join(map(str, shape))}); "
            f"got {made.dtype} {made.shape}; {_REMEDY}"
        )
    for key, numbers in (("index", index), ("predicted", named)):
        if numbers is None:
            continue
        if numbers.dtype.kind not in "iu" or numbers.shape != made.shape[:1]:
            raise ValueError(
                f"`{key}` of {where} must be {len(made)} whole numbers; got {numbers.dtype} "
                f"{numbers.shape}; {_REMEDY}"
            )
    place = {int(row): at for at, row in enumerate(index)}
    at = [place.get(row) for row in rows]
    return Restored(
        name=name,
        kind=kind,
        pictures=tuple(None if one is None else made[one] for one in at),
        predicted=tuple(None if one is None or named is None else int(named[one]) for one in at),
    )
