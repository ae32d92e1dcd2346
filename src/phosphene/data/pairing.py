"""Whether a trial's own picture is known, or only its class."""

import zlib
from dataclasses import dataclass

import numpy as np

from phosphene import _checks
from phosphene.data.images import ImageSet
from phosphene.data.trials import Trials

KINDS = ("paired", "class-only")


@dataclass(frozen=True)
class Pairing:
    """The pairing manifest: what is known about the picture behind a trial, and why."""

    kind: str
    """'paired': each trial names its own picture. 'class-only': only the class is known."""
    reason: str

    def __post_init__(self) -> None:
        _checks.check_option("pairing", self.kind, KINDS)


def pair(trials: Trials, images: ImageSet | None) -> Pairing:
    """Say whether every trial names exactly one of the pictures.

    Raises
    ------
    ValueError
        When a trial names a picture of another class, or only some trials' pictures can be found.
    """
    if images is None:
        return Pairing("class-only", "the data set has no pictures")
    stimuli = trials.table["stimulus"]
    n_named = int((stimuli != "").sum())
    if n_named == 0:
        return Pairing("class-only", "the recordings do not say which picture a trial showed")
    if images.table["stimulus"].duplicated().any():
        twice = images.table.loc[images.table["stimulus"].duplicated(), "stimulus"].iloc[0]
        return Pairing("class-only", f"several pictures are called '{twice}'")
    if n_named < len(trials):
        return Pairing(
            "class-only", f"only {n_named} of {len(trials)} trials say which picture they showed"
        )
    class_of = dict(zip(images.table["stimulus"], images.table["class_name"], strict=True))
    unknown = sorted(set(stimuli) - set(class_of))
    if unknown:
        near = _checks.nearest_name(unknown[0], class_of)
        raise ValueError(
            f"each stimulus must be one of the pictures; {len(unknown)} are not, the first "
            f"'{unknown[0]}'; " + (f"did you mean '{near}'?" if near else "add the pictures.")
        )
    wrong = stimuli.map(class_of) != trials.table["class_name"]
    if wrong.any():
        row = trials.table[wrong].iloc[0]
        raise ValueError(
            f"a trial and its picture must be of one class; '{row.stimulus}' is of "
            f"'{class_of[row.stimulus]}', its trial of '{row.class_name}'; correct events or "
            f"pictures."
        )
    return Pairing("paired", "each trial names its picture")


def pictures_of(trials: Trials, images: ImageSet, *, seed: int) -> np.ndarray:
    """Return for each trial the index of its picture.

    On class-only data each trial gets a random one of the shown pictures of its class, drawn with
    `seed`, independent of which other trials are asked for.

    Raises
    ------
    ValueError
        When a class has no picture that was shown.
    """
    if pair(trials, images).kind == "paired":
        position = {name: i for i, name in enumerate(images.table["stimulus"])}
        return np.array([position[name] for name in trials.table["stimulus"]], dtype=np.int64)
    index = np.empty(len(trials), dtype=np.int64)
    names = images.table["class_name"].to_numpy()
    for class_name in trials.table["class_name"].unique():
        pool = np.flatnonzero(images.shown & (names == class_name))
        if not len(pool):
            raise ValueError(
                f"each class needs a picture that was shown; '{class_name}' has none among "
                f"{len(images)} pictures; correct --shown or add pictures."
            )
        rows = np.flatnonzero(trials.table["class_name"] == class_name)
        ids = trials.table["trial"].to_numpy()[rows]
        draws = [
            np.random.default_rng([seed, zlib.crc32(i.encode())]).integers(len(pool)) for i in ids
        ]
        index[rows] = pool[draws]
    return index
