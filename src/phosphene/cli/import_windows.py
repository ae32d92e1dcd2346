"""`phosphene data inspect` and `data import` of windows that were published without recordings."""

import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phosphene._checks.files import shown
from phosphene.cli.data_import import (
    ImportOptions,
    print_counts,
    print_pictures,
    read_pictures,
    refuse_existing,
)
from phosphene.cli.wrong_use import WrongUseError

if TYPE_CHECKING:
    from phosphene.data.trials import Trials

FITTING = {
    "sources", "out", "window_set", "images", "shown", "unseen_images", "class_from", "class_names",
    "image_size", "grey", "preprocessing",
}  # fmt: skip
"""Options that windows can follow; `preprocessing` is looked at field by field."""


def import_windows(options: ImportOptions) -> "Trials":
    """Read a ThoughtViz pickle and write its windows as they are; return the trials.

    Options about recordings, their events and their preprocessing are refused.
    """
    import pandas as pd

    from phosphene.data.dataset import save_dataset
    from phosphene.data.formats.image_folder import find_document
    from phosphene.data.formats.thoughtviz import (
        CITATION,
        SETS,
        is_thoughtviz,
        read_halves,
        trials_from,
    )
    from phosphene.data.pairing import Pairing
    from phosphene.data.splits import DOUBT, HALVES
    from phosphene.data.trials import REJECTED_COLUMNS

    if len(options.sources) != 1 or not is_thoughtviz(options.sources[0]):
        raise WrongUseError(
            "`--set` is about one ThoughtViz pickle; got "
            f"{', '.join(map(str, options.sources)) or 'none'}; name the pickle alone."
        )
    (path,) = options.sources
    if options.window_set is None:
        raise WrongUseError(
            f"`--set` must say which of ThoughtViz's sets a pickle is, {', '.join(SETS)}, for the "
            f"file does not; got none for {path}; add for instance --set image."
        )
    refuse_others(options, path, fitting=FITTING)
    refuse_existing(options.out)
    images = read_pictures(options, SETS[options.window_set])
    halves, others = read_halves(path)
    trials = trials_from(halves, set_name=options.window_set)
    pairing = Pairing("class-only", "windows without recordings do not name their pictures")
    rejected = pd.DataFrame(columns=list(REJECTED_COLUMNS)).astype(REJECTED_COLUMNS)
    save_dataset(
        options.out,
        recordings=[],
        trials=trials,
        images=images,
        pairing=pairing,
        rejected=rejected,
        info={
            "origin": "imported",
            "windows": {"source": path.name, "set": options.window_set, "unit": "unknown"},
            "montage": "standard_1020",
            "licence": "" if options.images is None else find_document(options.images),
            "citation": CITATION,
        },
    )
    print_counts(trials, rejected)
    counts = trials.table["recording"].value_counts()
    print(f"split   {', '.join(f'{counts[half]} in {half}' for half in HALVES)}")
    train, test = (trials.table.loc[trials.table["recording"] == h, "content"] for h in HALVES)
    _print_doubles(int(test.isin(train).sum()))
    print(f"doubt   {DOUBT}")
    print("unit    unknown: samples are as in the file, and `a.u.` in figures")
    if others:
        print(f"others  {shown(list(others))} in the pickle were passed over")
    if images is not None:
        print_pictures(images)
    print(f"pairing {pairing.kind}: {pairing.reason}")
    return trials


def inspect_windows(path: Path, *, as_json: bool) -> None:
    """Say what is in a ThoughtViz pickle, and which command imports it."""
    from phosphene.data.formats.thoughtviz import SETS, inspect_thoughtviz

    found = inspect_thoughtviz(path)
    words = ["phosphene", "data", "import", str(path), "--set", found["set"] or next(iter(SETS))]
    words += ["--out", f"data/{found['set'] or path.resolve().stem}", "--images", "PICTURES"]
    command = shlex.join(words)
    if as_json:
        print(json.dumps({**found, "next": command}, indent=2, ensure_ascii=False))
        return
    _print_halves(found)
    classes = [f"{name} ({', '.join(names)})" for name, names in SETS.items()]
    if found["set"] is None:
        print("set     not said by the file; take one of")
        print("\n".join(f"        {line}" for line in classes))
    else:
        print(f"set     {found['set']}, as its folder or file is called")
    print(
        "\nIn the next command, put your folder of pictures, with a sub-folder for each class, for "
        "PICTURES."
    )
    print(f"next    {command}")


def _print_halves(found: Mapping[str, Any]) -> None:
    for name, half in found["halves"].items():
        n, n_chans, n_times = half["shape"]
        span = "not finite" if half["min"] is None else f"{half['min']:g} to {half['max']:g}"
        print(
            f"{name:<7} {n} windows of {n_chans} channels x {n_times} samples, {half['dtype']}, "
            f"{span} (unit unknown)"
        )
        print(f"        per label {' '.join(map(str, half['per_label']))}")
        if half["n_repeated"]:
            print(f"        {half['n_repeated']} windows repeat another one of this half")
        if half["n_not_finite"]:
            print(f"        {half['n_not_finite']} samples are not finite: import will refuse them")
    _print_doubles(found["n_in_both"])
    if found["others"]:
        print(f"others  {shown(found['others'])} are passed over")


def _print_doubles(n_in_both: int) -> None:
    print(
        f"doubles {n_in_both} windows of x_test are in x_train as well"
        + ("; training refuses them without --allow-leak REASON" if n_in_both else "")
    )


def refuse_others(options: ImportOptions, path: Path, *, fitting: Collection[str]) -> None:
    """Refuse options that windows cannot follow, instead of passing them over."""
    defaults = {field.name: field.default for field in fields(ImportOptions)}
    changed = [
        name
        for name, default in defaults.items()
        if name not in fitting and getattr(options, name) != default
    ]
    settings, usual = options.preprocessing, defaults["preprocessing"]
    changed += [
        field.name
        for field in fields(settings)
        if getattr(settings, field.name) != getattr(usual, field.name)
    ]
    if changed:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
        raise WrongUseError(
            f"{names} is about recordings; {path.name} holds windows that were cut and filtered "
            "before they were published; leave it out."
        )
