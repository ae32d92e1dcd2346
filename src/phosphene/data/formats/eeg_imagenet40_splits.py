"""The published splits of EEG-ImageNet40: lists of places in the file of segments."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phosphene._checks.files import shown
from phosphene.data.torch_files import read_torch, require_lists, whole_number
from phosphene.data.trials import Trials

PARTS = ("train", "val", "test")
MAX_BYTES = 256 << 20
MAX_SPLITS = 1000


def read_splits(path: Path, *, n_items: int) -> tuple[dict[str, tuple[int, ...]], ...]:
    """Read a published split file: `splits[k][part]` lists places in the file of segments.

    Parameters
    ----------
    path
        Such as block_splits_by_image_all.pth.
    n_items
        Segments in the file that the split belongs to.

    Returns
    -------
    tuple of dict
        For each split the places of ``train``, ``val`` (empty where there is none) and ``test``.

    Raises
    ------
    ValueError
        When a part is missing, a place is none, or occurs twice in a split.
    """
    path = Path(path)
    content = read_torch(path, max_bytes=MAX_BYTES)
    require_lists(content, ("splits",), path)
    if not 1 <= len(content["splits"]) <= MAX_SPLITS:
        raise ValueError(
            f"`splits` holds 1 to {MAX_SPLITS} splits; in {path.name} it has "
            f"{len(content['splits'])}; get the file again."
        )
    found = []
    for number, split in enumerate(content["splits"]):
        where = f"split {number} of {path.name}"
        if not isinstance(split, Mapping) or not {"train", "test"} <= set(split):
            raise ValueError(
                f"a split has the parts train and test, and perhaps val; {where} is "
                f"{shown(list(split) if isinstance(split, Mapping) else split)}; get it again."
            )
        parts = {name: _places(split.get(name, []), name, where, n_items) for name in PARTS}
        every = [place for part in parts.values() for place in part]
        if len(set(every)) < len(every):
            raise ValueError(
                f"a segment is in one part of a split; in {where} {len(every) - len(set(every))} "
                "occur again; get the file again."
            )
        found.append(parts)
    return tuple(found)


def folds_from(
    splits: Sequence[Mapping[str, Sequence[int]]], trials: Trials, places: np.ndarray
) -> list[dict[str, Any]]:
    """Translate places in the file to trial ids; segments that were left out drop out.

    The released code filters by subject first and then takes the places, which count the whole
    file, as places in what is left: its subjects train and test on other segments than the split
    says. Places stay places in the file here.

    Raises
    ------
    ValueError
        When nothing is left to train or to test.
    """
    id_of = dict(zip(places.tolist(), trials.table["trial"].tolist(), strict=True))
    folds = []
    for number, split in enumerate(splits):
        parts = {name: [id_of[place] for place in split[name] if place in id_of] for name in PARTS}
        if not parts["train"] or not parts["test"]:
            raise ValueError(
                f"a split needs segments to train and to test; of split {number} "
                f"{len(parts['train'])} and {len(parts['test'])} are among the {len(trials)} that "
                "were kept; take another subject or split file."
            )
        folds.append({"key": str(number), **parts})
    return folds


def _places(part: Any, name: str, where: str, n_items: int) -> tuple[int, ...]:
    import torch

    if isinstance(part, torch.Tensor):
        fits = part.ndim == 1 and part.numel() <= n_items and part.layout == torch.strided
        part = part.tolist() if fits else None
    fits = isinstance(part, list | tuple) and len(part) <= n_items
    places = [whole_number(place) for place in part] if fits else [None]
    if any(place is None or not 0 <= place < n_items for place in places):
        raise ValueError(
            f"`{name}` of a split lists places in the file, 0 to {n_items - 1}; in {where} it does "
            "not; name the split file that was published with these segments."
        )
    return tuple(place for place in places if place is not None)
