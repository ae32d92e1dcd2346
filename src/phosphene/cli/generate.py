"""`phosphene generate BUNDLE --signals FILE --out DIR`: pictures from signals, or the reverse."""

import shlex
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from phosphene._checks import check_positive
from phosphene.cli.progress import open_progress
from phosphene.cli.signals import evenly_spread, read_signals
from phosphene.cli.wrong_use import WrongUseError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from phosphene.data.trials import Trials
    from phosphene.export.bundle import Bundle
    from phosphene.training.progress import Progress

N_ON_GRID = 24


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """Make pictures from signals or signals from pictures, as the bundle was trained to.

    From signals: each trial is decoded, and pictures of the decoded class are drawn. A picture
    shows the class that was decoded, not the picture that was seen. A raw recording is filtered and
    cut as the training trials were, at each of its events.

    From pictures: windows of local field potentials are drawn for each, and written as an array and
    as NWB. They are generated, not recorded.

    Example: phosphene generate runs/n170/bundle --signals recording.csv --out pictures

    Example: phosphene generate runs/lfp/bundle --images scenes --n 50 --out responses
    """

    bundle: tyro.conf.Positional[Path]
    """Bundle, or the run folder that holds it."""
    signals: Path | None = None
    """Pictures from signals: a recording (in a format that `data import` reads), a folder of them,
    or a data set folder. Channels of recordings are found by their names; those that the model does
    not know are left out."""
    images: tuple[Path, ...] = ()
    """Signals from pictures: PNG, JPEG, TIFF or BMP files, or folders of them, of the size of the
    pictures of the training. Colors become grey (0.299 R + 0.587 G + 0.114 B)."""
    out: Path
    """Folder to make; must not exist or be empty."""
    n: int = 50
    """Signals from pictures: windows per picture, each from other noise."""
    volts: bool = False
    """Signals from pictures: scale windows to V by the statistics of the training recording; else
    they are z-scored."""
    n_draws: int = 4
    """Pictures from signals: pictures per trial, each from other noise."""
    n_trials: int | None = None
    """Most trials to draw, evenly spread over the signals; None draws all."""
    events: tuple[str, ...] = ()
    """Event codes to cut at and what was shown then, as in 1=houses 2=faces; all codes if left
    out."""
    events_from: str | None = None
    """Where events stand, if in several places: annotations, or the name of a stimulus channel or
    of a marker stream."""
    onsets: tuple[float, ...] = ()
    """When pictures were shown, in s from the start, for a recording without events."""
    drop_channels: tuple[str, ...] = ()
    """Channels of a recording to leave out, such as flat ones."""
    rename_channels: tuple[str, ...] = ()
    """New names of channels, as in 'EEG Fp1=Fp1', where yours differ from the model's."""
    channel_types: tuple[str, ...] = ("eeg",)
    """Types of the channels to read, as MNE names them."""
    montage: str | None = None
    """Standard montage (MNE) of the recording; it must agree with the model's."""
    stream: str | None = None
    """Name of the stream that is the signal, where an XDF file has several."""
    unit: str | None = None
    """Unit of the channels, such as uV, where an XDF file names none."""
    scale_signals: float = 1.0
    """Factor on all samples, where a file names the wrong unit."""
    seed: int = 0
    """Seed of the noise."""


def generate(options: GenerateOptions) -> "pd.DataFrame":
    """Check, decode and draw pictures from signals; return the table of what was decoded."""
    _check_use(options)
    for name in ("n_draws", "n_trials"):
        if (value := getattr(options, name)) is not None:
            _check_count(name, value)
    _check_out(options.out)
    from phosphene.export.bundle import load_bundle

    bundle = load_bundle(_bundle_folder(options.bundle))
    trials, shown = read_signals(options, bundle)
    if options.n_trials is not None and options.n_trials < len(trials):
        rows = evenly_spread(len(trials), options.n_trials)
        print(f"{len(rows)} of {len(trials)} trials, evenly spread")
        trials = trials.select(rows)
        shown = [shown[row] for row in rows]
    features = bundle.system.features(trials.epochs)
    probabilities = bundle.system.decoder.probabilities(features)
    table = describe(trials, shown, probabilities, bundle.classes)

    options.out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=options.out.parent, prefix=f".{options.out.name}."))
    progress = open_progress()
    try:
        table.to_csv(draft / "decoded.csv", index=False, float_format="%.4f")
        _draw(bundle, features, table, options, folder=draft, progress=progress)
        draft.chmod(0o755)
        draft.replace(options.out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        progress.finish()
    return table


def main(argv: list[str]) -> None:
    """Run the command."""
    options = tyro.cli(GenerateOptions, args=argv, prog="phosphene generate")
    _check_out(options.out)
    from phosphene.export import spec

    folder = _bundle_folder(options.bundle)
    task = spec.bundle_task(folder)
    if task == spec.PICTURE_TO_SIGNAL:
        from phosphene.cli.generate_signals import generate_signals, print_responses

        print_responses(options, generate_signals(options, folder), folder)
        return
    if task == spec.SIGNAL_TO_FEATURES:
        raise WrongUseError(
            f"`phosphene generate` needs a bundle that makes pictures or signals; {options.bundle} "
            f"classifies signals; {folder / 'README.md'} says how to use it."
        )
    if task == spec.PICTURE_TO_PICTURE:
        raise WrongUseError(
            f"`phosphene generate` needs a bundle that makes pictures or signals; {options.bundle} "
            f"restores pictures; call `phosphene restore {shlex.quote(str(options.bundle))} "
            "--images FILES --out DIR`."
        )
    table = generate(options)
    counts = table["decoded"].value_counts()
    print(f"decoded {', '.join(f'{n} {name}' for name, n in counts.items())}")
    print("A picture shows the class that was decoded, not the picture that was seen.")
    print(f"pictures {options.out / 'pictures'}, {len(table) * options.n_draws} files")
    print(f"grid     {options.out / 'grid.png'}")
    print(f"table    {options.out / 'decoded.csv'}")
    run = next(
        (p for p in (options.bundle, options.bundle.parent) if (p / "scores.json").is_file()), None
    )
    print(
        f"next     phosphene evaluate {shlex.quote(str(run))}  (how far to trust these pictures)"
        if run is not None
        else f"next     phosphene data inspect {shlex.quote(str(options.signals))}"
    )


def describe(
    trials: "Trials", shown: Sequence[str], probabilities: "np.ndarray", classes: Sequence[str]
) -> "pd.DataFrame":
    """Return one row per trial: where it is from, what was shown, what was decoded."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "trial": range(len(trials)),
            "recording": trials.table["recording"].to_numpy(),
            "onset_s": trials.table["onset"].to_numpy(),
            "shown": list(shown),
            "decoded": [classes[label] for label in probabilities.argmax(axis=1)],
        }
    )
    columns = {f"p({name})": probabilities[:, label] for label, name in enumerate(classes)}
    return table.assign(**columns)


def _bundle_folder(path: Path) -> Path:
    """Return the bundle of a run folder, or the path itself."""
    if not (path / "spec.json").is_file() and (path / "bundle" / "spec.json").is_file():
        return path / "bundle"
    return path


def _check_out(out: Path) -> None:
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise WrongUseError(
            f"`--out` must be new or empty; {out} is not; choose another name or remove it."
        )


def _check_use(options: GenerateOptions) -> None:
    """Refuse options about signals from pictures."""
    bundle = shlex.quote(str(options.bundle))
    command = f"call `phosphene generate {bundle} --signals FILE --out DIR`"
    if options.images:
        raise WrongUseError(
            f"`--images` is for bundles that make signals from pictures; {bundle} makes pictures "
            f"from signals; {command}."
        )
    if options.signals is None:
        raise WrongUseError(
            f"`--signals` is needed: {bundle} makes pictures from signals; {command}."
        )
    for name in ("n", "volts"):
        if getattr(options, name) != GenerateOptions.__dataclass_fields__[name].default:
            remedy = "give --n-draws" if name == "n" else "leave it out"
            raise WrongUseError(
                f"`--{name}` is about signals from pictures; {bundle} makes pictures from signals; "
                f"{remedy}."
            )


def _check_count(name: str, value: int) -> None:
    try:
        check_positive(name, value)
    except ValueError as error:
        raise WrongUseError(str(error)) from None


def _draw(
    bundle: "Bundle",
    features: "np.ndarray",
    table: "pd.DataFrame",
    options: GenerateOptions,
    *,
    folder: Path,
    progress: "Progress",
) -> None:
    """Write the pictures one by one, and some of them on a sheet."""
    import numpy as np

    from phosphene.export.contact_sheet import contact_sheet, readable_picture

    (folder / "pictures").mkdir()
    on_grid = evenly_spread(len(table), N_ON_GRID)
    kept = []
    progress.start("drawing", len(table) * options.n_draws)
    digits = max(4, len(str(len(table) - 1)))
    for draw in range(options.n_draws):
        pictures = bundle.system.draw(features, seed=options.seed, draw=draw)
        kept.append(pictures[on_grid])
        for trial, pixels in enumerate(pictures):
            name = f"trial_{trial:0{digits}d}_draw_{draw + 1}.png"
            readable_picture(pixels).save(folder / "pictures" / name)
            progress.update(draw * len(table) + trial + 1, {})
    best = table.filter(regex=r"^p\(").max(axis=1)
    captions = []
    for row in on_grid:
        entry = table.iloc[row]
        lines = [
            f"trial {row}, {entry['onset_s']:.1f} s",
            f"decoded {entry['decoded']} {best[row]:.0%}",
        ]
        captions.append(lines + ([f"shown {entry['shown']}"] if entry["shown"] else []))
    title = f"{len(on_grid)} of {len(table)} trials: pictures of the decoded class"
    sheet = contact_sheet(np.stack(kept, axis=1), captions, title=title)
    sheet.save(folder / "grid.png")
