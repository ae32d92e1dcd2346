"""What a run folder holds so far, read once; whatever is missing is None or empty."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from phosphene.reporting import restoration_contents
from phosphene.reporting.full_controls import FullControls, read_full_controls
from phosphene.reporting.restoration_contents import RestorationContents, read_restorations
from phosphene.reporting.signal_contents import KEY, NOTHING_YET, SignalContents, read_signals
from phosphene.run_dir import RunDir
from phosphene.score import Score, scores_from_json

if TYPE_CHECKING:
    import numpy as np

Arrays = Mapping[str, "np.ndarray"]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Arrays of one fold; None where they are not written yet."""

    key: str
    decoding: Arrays | None
    pictures: Arrays | None
    map: Arrays | None
    compare_map: Arrays | None = None
    """The map of the encoder that is trained for comparison, of the same trials."""
    interpolation: Arrays | None = None
    """Pictures along lines between classes."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A run folder in memory, possibly of a run that has not ended."""

    name: str
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    split: Mapping[str, Any]
    state: Mapping[str, Any]
    dataset: Mapping[str, Any]
    scores: tuple[Score, ...]
    log: tuple[Mapping[str, Any], ...]
    folds: tuple[Fold, ...]
    evoked: Arrays | None
    spectrum: Arrays | None
    classes: tuple[str, ...]
    signals: SignalContents | None = None
    """Set for a run that makes signals from pictures, whatever of it is there."""
    restorations: RestorationContents | None = None
    """Set for a run that restores pictures, whatever of it is there."""
    full_controls: FullControls | None = None
    """Verdict and controls, where `phosphene evaluate --controls full` left them."""

    @property
    def finished(self) -> bool:
        """Whether the run says that it ended."""
        return bool(self.state.get("finished"))

    @property
    def stage(self) -> str:
        """What the run says it is doing."""
        return str(self.state.get("stage", ""))

    @property
    def draws_pictures(self) -> bool:
        """Whether the run is one that draws pictures; a classifier gives none to a generator."""
        pictures = self.split.get("pictures")
        return not isinstance(pictures, Mapping) or not pictures or "generator" in pictures

    @property
    def pairing(self) -> str:
        """Whether trials are "paired" with pictures or "class-only"; "" where nothing says."""
        found = self.about("pairing")
        return str(found.get("kind", "") if isinstance(found, Mapping) else found or "")

    @property
    def ceiling(self) -> Mapping[str, Any]:
        """Best possible accuracy of simulated data; empty where it is unknown."""
        found = self.about("ceiling")
        return found if isinstance(found, Mapping) else {}

    def about(self, key: str) -> Any:
        """Return a field of dataset.json, from the top or from its `info`."""
        info = self.dataset.get("info")
        nested = info.get(key) if isinstance(info, Mapping) else None
        return nested if nested is not None else self.dataset.get(key)

    def class_name(self, label: int) -> str:
        """Return the name of a class, or its number where the run folder has no name for it."""
        return self.classes[label] if 0 <= label < len(self.classes) else str(label)

    def pooled(self, *keys: str) -> "tuple[np.ndarray, ...] | None":
        """Return arrays of decoding.npz over all folds, one after the other, or None."""
        import numpy as np

        found = [fold.decoding for fold in self.folds if fold.decoding]
        parts = [arrays for arrays in found if all(key in arrays for key in keys)]
        if not parts:
            return None
        return tuple(np.concatenate([part[key] for part in parts]) for key in keys)


def read_contents(run: RunDir) -> Contents:
    """Read a run folder, whatever it holds so far."""
    split = _json(run, "split.json")
    folds = tuple(_fold(run, key) for key in _fold_keys(run, split))
    dataset = _json(run, "dataset.json")
    stored_scores = run.read_json("scores.json") if run.has("scores.json") else []
    scores = tuple(scores_from_json(stored_scores))
    restorations = _restorations(run, scores, split)
    evoked = _arrays(run, "evoked.npz")
    return Contents(
        name=run.path.resolve().name,
        config=_json(run, "config.json"),
        environment=_json(run, "environment.json"),
        split=split,
        state=_json(run, "state.json"),
        dataset=dataset,
        scores=scores,
        log=tuple(run.read_log()),
        folds=folds,
        evoked=evoked,
        spectrum=_arrays(run, "spectrum.npz"),
        classes=_class_names(dataset, folds, evoked),
        signals=None if restorations else _signals(run, scores, split),
        restorations=restorations,
        full_controls=read_full_controls(run),
    )


def _signals(
    run: RunDir, scores: tuple[Score, ...], split: Mapping[str, Any]
) -> SignalContents | None:
    """Return what a run from pictures to signals holds, None for runs of the other kind."""
    found = read_signals(run)
    keys = [f.get("key") for f in split.get("folds", []) if isinstance(f, Mapping)]
    if found is None and (keys == [KEY] or any(score.section == "signals" for score in scores)):
        return NOTHING_YET
    return found


def _restorations(
    run: RunDir, scores: tuple[Score, ...], split: Mapping[str, Any]
) -> RestorationContents | None:
    """Return what a run that restores pictures holds, None for runs of the other kinds."""
    found = read_restorations(run)
    scored = any(score.section == restoration_contents.SECTION for score in scores)
    if found is None and (scored or split.get("unit") == restoration_contents.UNIT):
        return restoration_contents.NOTHING_YET
    return found


def _json(run: RunDir, name: str) -> Mapping[str, Any]:
    found = run.read_json(name) if run.has(name) else {}
    return found if isinstance(found, Mapping) else {}


def _arrays(run: RunDir, name: str) -> Arrays | None:
    return run.read_arrays(name) if run.has(name) else None


def _fold_keys(run: RunDir, split: Mapping[str, Any]) -> list[str]:
    """Return the folds on disk in the order of the split, then the others in natural order."""
    folder = run.path / "folds"
    paths = list(folder.iterdir()) if folder.is_dir() else []
    present = {path.name for path in paths if path.is_dir()}
    listed = [str(f.get("key", "")) for f in split.get("folds", []) if isinstance(f, Mapping)]
    ordered = [key for key in listed if key in present]
    return ordered + sorted(present - set(ordered), key=natural_key)


def natural_key(text: str) -> list[tuple[int, str]]:
    """Return a sorting key that puts "fold10" after "fold9"."""
    parts = re.split(r"(\d+)", text)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _fold(run: RunDir, key: str) -> Fold:
    return Fold(
        key=key,
        decoding=_arrays(run, f"folds/{key}/decoding.npz"),
        pictures=_arrays(run, f"folds/{key}/pictures.npz"),
        map=_arrays(run, f"folds/{key}/map.npz"),
        compare_map=_arrays(run, f"folds/{key}/compare_map.npz"),
        interpolation=_arrays(run, f"folds/{key}/interpolation.npz"),
    )


def _class_names(
    dataset: Mapping[str, Any], folds: tuple[Fold, ...], evoked: Arrays | None
) -> tuple[str, ...]:
    info = dataset.get("info")
    for place in (info if isinstance(info, Mapping) else {}, dataset):
        found = place.get("classes")
        if isinstance(found, (list, tuple, Mapping)) and found:
            return tuple(str(c.get("name", c) if isinstance(c, Mapping) else c) for c in found)
    for fold in folds:
        if fold.decoding and "probabilities" in fold.decoding:
            return tuple(str(label) for label in range(fold.decoding["probabilities"].shape[1]))
    n_classes = len(evoked["mean"]) if evoked and "mean" in evoked else 0
    return tuple(str(label) for label in range(n_classes))
