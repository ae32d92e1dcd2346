"""`phosphene data inspect` and `data import` of EEG-ImageNet40: segments without recordings."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phosphene._checks.files import shown
from phosphene.cli.data_import import ImportOptions, print_counts, read_pictures, refuse_existing
from phosphene.cli.import_windows import FITTING, refuse_others
from phosphene.cli.wrong_use import WrongUseError

if TYPE_CHECKING:
    import numpy as np

    from phosphene.data.trials import Trials


def import_segments(options: ImportOptions) -> "Trials":
    """Read a `.pth` of segments, perhaps with its split, and write windows; return the trials.

    Options about recordings, their events and their preprocessing are refused.
    """
    from phosphene.data.dataset import save_dataset
    from phosphene.data.formats.eeg_imagenet40 import (
        CITATION,
        DOUBT,
        WINDOW,
        is_eeg_imagenet40,
        read_source,
        trials_from,
    )
    from phosphene.data.formats.eeg_imagenet40_splits import folds_from, read_splits
    from phosphene.data.formats.image_folder import find_document
    from phosphene.data.pairing import pair

    if len(options.sources) != 1 or not is_eeg_imagenet40(options.sources[0]):
        raise WrongUseError(
            "`--split-file` and `--subject-filter` are about one .pth file of EEG-ImageNet40; got "
            f"{', '.join(map(str, options.sources)) or 'none'}; name the file of segments alone."
        )
    (path,) = options.sources
    fitting = (FITTING - {"window_set"}) | {"split_file", "subject_filter"}
    refuse_others(options, path, fitting=fitting)
    refuse_existing(options.out)
    source = read_source(path)
    splits = ()
    if options.split_file is not None:
        splits = read_splits(options.split_file, n_items=len(source.items))
    trials, rejected, places = trials_from(source, subject=options.subject_filter)
    folds = folds_from(splits, trials, places)
    images = read_pictures(options, source.classes)
    if images is not None:
        trials = _with_file_names(trials, images.table["stimulus"])
    pairing = pair(trials, images)
    published = {"published_splits": folds} if folds else {}
    segments = {
        "source": path.name,
        "split_file": "" if options.split_file is None else options.split_file.name,
        "subject_filter": options.subject_filter,
        "window": list(WINDOW),
        "unit": "unknown",
    }
    save_dataset(
        options.out,
        recordings=[],
        trials=trials,
        images=images,
        pairing=pairing,
        rejected=rejected,
        info={
            "origin": "imported",
            "segments": segments,
            "doubt": DOUBT,
            **published,
            "montage": None,
            "licence": "" if options.images is None else find_document(options.images),
            "citation": CITATION,
        },
    )
    print_counts(trials, rejected)
    _print_splits(splits, places, folds)
    print(f"doubt   {DOUBT}")
    print("unit    unknown: samples are as in the file, and `a.u.` in figures")
    if source.others:
        print(f"others  {shown(list(source.others))} in the file were passed over")
    print(f"pairing {pairing.kind}: {pairing.reason}")
    return trials


def _with_file_names(trials: "Trials", names: Iterable[str]) -> "Trials":
    """Call each picture as its file is called, for the source may leave out the suffix."""
    by_stem = {Path(name).stem: name for name in names}
    known = set(by_stem.values())
    called = [s if s in known else by_stem.get(s, s) for s in trials.table["stimulus"]]
    return replace(trials, table=trials.table.assign(stimulus=called))


def inspect_segments(path: Path, *, as_json: bool) -> None:
    """Say what is in a file of segments, and which command imports it."""
    from phosphene.data.formats.eeg_imagenet40 import LENGTHS, WINDOW, inspect_eeg_imagenet40

    found = inspect_eeg_imagenet40(path)
    name = path.resolve().stem
    command = shlex.join(["phosphene", "data", "import", str(path), "--out", f"data/{name}"])
    if as_json:
        print(json.dumps({**found, "next": command}, indent=2, ensure_ascii=False))
        return
    low, high = found["samples"]
    print(f"{found['n_segments']} segments of {low} to {high} samples (unit unknown)")
    print(
        f"        {found['n_usable']} of them have {WINDOW[1]} to {LENGTHS[1]} samples and are "
        f"imported, samples {WINDOW[0]} to {WINDOW[1] - 1}"
    )
    counts = ", ".join(f"{n} of subject {s}" for s, n in found["per_subject"].items())
    print(f"people  {counts}")
    least, most = min(found["per_class"].values()), max(found["per_class"].values())
    print(f"classes {len(found['per_class'])}, with {least} to {most} segments each")
    if found["others"]:
        print(f"others  {shown(found['others'])} are passed over")
    print("\nTo the next command add --split-file FILE for the published split.")
    print(f"next    {command}")


def _print_splits(
    splits: Sequence[Mapping[str, Sequence[int]]],
    places: "np.ndarray",
    folds: Sequence[Mapping[str, Any]],
) -> None:
    """Print how many segments of each part were kept."""
    kept = set(places.tolist())
    for split, fold in zip(splits, folds, strict=True):
        parts = [
            f"{sum(place in kept for place in split[name])} of {len(split[name])} {words}"
            for name, words in (("train", "train"), ("val", "validate"), ("test", "test"))
        ]
        print(f"split   {fold['key']}: {', '.join(parts)}")
