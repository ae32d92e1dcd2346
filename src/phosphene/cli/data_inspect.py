"""`phosphene data inspect`: look at raw recordings, pictures or a data set."""

import json as json_format
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import tyro


def inspect(
    path: tyro.conf.Positional[Path],
    *,
    json: bool = False,
    figure: bool = True,
    class_from: Literal["folder", "prefix"] = "folder",
) -> None:
    """Say what is in raw recordings, in pictures or in a data set, and what to do next.

    Args:
        path: A recording, a folder of recordings, a pickle or .pth of windows, pictures, or a data
            set folder.
        json: Print JSON instead of tables.
        figure: Draw a data set into a PNG file beside its folder.
        class_from: Class of a picture: its folder's name, or its own name up to the first hyphen.
    """
    from phosphene.data.dataset import is_dataset
    from phosphene.data.formats import has_recordings
    from phosphene.data.formats.eeg_imagenet40 import is_eeg_imagenet40
    from phosphene.data.formats.thoughtviz import is_thoughtviz

    if not path.exists():
        raise ValueError(
            f"need a recording, pictures or a data set; there is nothing at {path}; correct the "
            f"path."
        )
    if is_dataset(path):
        _inspect_dataset(path, as_json=json, figure=figure)
    elif has_recordings(path):
        _inspect_recordings(path, as_json=json)
    elif is_thoughtviz(path):
        from phosphene.cli.import_windows import inspect_windows

        inspect_windows(path, as_json=json)
    elif is_eeg_imagenet40(path):
        from phosphene.cli.import_segments import inspect_segments

        inspect_segments(path, as_json=json)
    else:
        _inspect_images(path, as_json=json, class_from=class_from)


def main(argv: list[str]) -> None:
    """Run the command."""
    tyro.cli(inspect, args=argv, prog="phosphene data inspect")


def import_command(path: Path, found: Sequence[Mapping[str, Any]]) -> str:
    """Return the command that imports what was inspected.

    PICTURES and the names of the classes (class1, ...) are to be replaced; all else runs as it is.
    """
    codes = list(dict.fromkeys(code for record in found for code in record["events"]))
    bad = [
        channel["name"]
        for record in found
        for channel in record["channels"]
        if channel["problem"] in ("flat", "NaN")
    ]
    bad += [name for record in found for name in record["bad_channels"]]
    bad = list(dict.fromkeys(bad))
    options: dict[str, str] = {}
    for record in found:
        names, values = record["import_options"][::2], record["import_options"][1::2]
        options = {**dict(zip(names, values, strict=True)), **options}
    classes = [f"class{code if code.isalnum() else i}" for i, code in enumerate(codes, start=1)]
    if len(set(classes)) < len(classes):
        classes = [f"class{i}" for i in range(1, len(codes) + 1)]
    name = path.resolve().stem if path.is_file() else path.resolve().name
    words = ["phosphene", "data", "import", str(path), "--out", f"data/{name}"]
    words += ["--images", "PICTURES"]
    words += ["--events", *(f"{code}={name}" for code, name in zip(codes, classes, strict=True))]
    words += [word for option in options.items() for word in option]
    words += ["--drop-channels", *bad] if bad else []
    return shlex.join(words)


def _inspect_recordings(path: Path, *, as_json: bool) -> None:
    from phosphene.data.formats import find_recordings, read_recording
    from phosphene.data.inspection import inspect_recording

    found = [
        inspect_recording(read_recording(file, strict=False, keep_aux=False))
        for file in find_recordings([path])
    ]
    command = import_command(path, found)
    if as_json:
        print(json_format.dumps({"recordings": found, "next": command}, indent=2))
        return
    _print_recordings(found)
    n_codes = len({code for record in found for code in record["events"]})
    if n_codes < 2:
        print(f"\nevents  {n_codes} event codes; at least 2 classes are needed for a data set")
        return
    print(
        "\nIn the next command, put your folder of pictures for PICTURES, and the names of its "
        "sub-folders for the classes."
    )
    print(f"next    {command}")


def _print_recordings(found: Sequence[Mapping[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    for record in found:
        measured = record["sfreq_measured"]
        rate = f"{record['sfreq']:g} Hz" + (f" (measured {measured:.2f})" if measured else "")
        gaps = record["gaps_s"]
        where = f" at {', '.join(f'{gap:.1f}' for gap in gaps[:5])} s" if gaps else ""
        line = record["mains"]
        mains = f"mains {line:g} Hz ({record['mains_ratio']:.0f} x its neighbours)" if line else ""
        console.print(
            f"[bold]{escape(record['source'])}[/]  subject {escape(record['subject'])}, session "
            f"{escape(record['session'])}\n  {record['duration_s']:.1f} s at {rate}, {len(gaps)} "
            f"gaps{where}, {mains or 'mains none'}"
        )
        codes = [
            f"{code}: {event['n']}"
            + (f" (every {event['median_spacing_s']:.2f} s)" if event["median_spacing_s"] else "")
            for code, event in record["events"].items()
        ]
        options = shlex.join(record["import_options"])
        source = f" ({options}: one of several)" if options else ""
        console.print(f"  events {', '.join(codes) or 'none'}{source}", markup=False)
        if record["note"]:
            console.print(f"  note {record['note']}", markup=False)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("channel")
        for column in ("mean uV", "SD uV", "peak to peak uV"):
            table.add_column(column, justify="right")
        table.add_column("problem")
        for channel in record["channels"]:
            keys = ("mean_uv", "sd_uv", "peak_to_peak_uv")
            numbers = [f"{channel[k]:.1f}" if channel[k] is not None else "-" for k in keys]
            table.add_row(escape(channel["name"]), *numbers, channel["problem"])
        console.print(table)


def _inspect_dataset(path: Path, *, as_json: bool, figure: bool) -> None:
    from phosphene.data.dataset import load_dataset
    from phosphene.data.inspection import inspect_dataset

    dataset = load_dataset(path)
    found = inspect_dataset(dataset)
    drawn = None
    if figure:
        from phosphene.reporting.dataset_figure import write_dataset_figure

        folder = path.resolve()
        drawn = path.parent / f"{folder.name}.png" if path.name else folder.with_suffix(".png")
        write_dataset_figure(dataset, drawn)
    if as_json:
        extra = {} if drawn is None else {"figure": str(drawn)}
        print(json_format.dumps({**found, **extra}, indent=2, ensure_ascii=False))
        return
    _print_dataset(found)
    if drawn is not None:
        print(f"figure  {drawn}")
    from phosphene.recipes import find_recipes

    task = "signal to class" if dataset.images is None else "signal to picture"
    if dataset.images is not None and dataset.trials.n_classes == 1:  # showings of pictures
        task = "picture to signal"
    fitting = [recipe for recipe in find_recipes().values() if recipe.task == task]
    fitting.sort(key=lambda recipe: not recipe.suggested)
    recipe = fitting[0].key if fitting else "RECIPE"
    print(f"next    phosphene train {recipe} quick --data {shlex.quote(str(path))} --out RUN")


def _print_dataset(found: Mapping[str, Any]) -> None:
    n = found["n_recordings"]
    print(
        f"{found['name']} ({found['origin']}), hash {found['data_hash']}\n"
        f"{found['n_trials']} trials of {len(found['ch_names'])} channels x {found['n_times']} "
        f"samples "
        f"({found['tmin']:g} to {found['tmin'] + found['duration_s']:.3g} s at {found['sfreq']:g} "
        f"Hz), "
        + (
            f"{n} recording{'s' * (n > 1)} of {found['recorded_s'] / 60:.1f} minutes"
            if n
            else "no recordings"
        )
    )
    if found["unit"] != "V":
        print(f"unit    {found['unit']}")
    _print_counts(found)
    for reason, n in found["rejected"].items():
        print(f"{n} rejected: {reason}")
    mains = found["mains"]
    print(f"mains   {f'{mains:g} Hz' if mains else 'none'}")
    images = found["images"]
    if images is None:
        print("pictures none")
    else:
        print(f"{_images_line(images)}, {images['n_shown']} of them shown")
    print(f"pairing {found['pairing']['kind']}: {found['pairing']['reason']}")
    for name, shape in found["extra"].items():
        print(f"extra   {name}, {' x '.join(map(str, shape))}")
    ceiling = found["ceiling"]
    if ceiling:
        span = f"{ceiling['low']:.3f} - {ceiling['high']:.3f}"
        print(f"ceiling {ceiling['accuracy']:.3f} ({span}): the best that any decoder can reach")


def _print_counts(found: Mapping[str, Any]) -> None:
    """Print trials per class for all, per subject, session and recording."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    few = len(found["classes"]) <= 4
    table.add_column("trials", no_wrap=few)
    for name in found["classes"] if few else ("fewest per class", "most per class"):
        table.add_column(escape(name), justify="right")
    table.add_column("all", justify="right")
    units = {"": {"all": found["per_class"]}}
    for unit in ("subject", "session", "recording"):
        units[f"{unit} "] = found[f"per_{unit}"]
    for prefix, rows in units.items():
        for key, counts in rows.items():
            shown = counts.values() if few else (min(counts.values()), max(counts.values()))
            numbers = [str(n) for n in shown]
            table.add_row(escape(prefix + key), *numbers, str(sum(counts.values())))
    if not few:
        print(", ".join(f"{name}: {n}" for name, n in found["per_class"].items()))
    Console(highlight=False).print(table)


def _inspect_images(path: Path, *, as_json: bool, class_from: Literal["folder", "prefix"]) -> None:
    from phosphene.data.formats import image_folder, read_images
    from phosphene.data.inspection import inspect_images

    images = read_images(path, class_from=class_from, image_size=128)
    found = inspect_images(images)
    if as_json:
        print(json_format.dumps(found, indent=2, ensure_ascii=False))
        return
    print(_images_line(found))
    for name, n in found["per_class"].items():
        print(f"  {name}: {n}")
    for note in images.notes:
        print(f"note    {note}")
    if image_folder.find_document(path):
        print("licence found beside the pictures; it travels with the data set")
    print(f"next    phosphene data import RECORDINGS --out DATA --images {shlex.quote(str(path))}")


def _images_line(images: Mapping[str, Any]) -> str:
    color = "grey" if images["color"] == 1 else "RGB"
    return f"{images['n']} pictures of {images['width']} x {images['height']}, {color}"
