"""`phosphene generate BUNDLE --images FILES --out DIR`: signals from pictures."""

import shlex
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from phosphene._checks import check_positive
from phosphene._checks.installation import pip_install
from phosphene.cli.progress import open_progress
from phosphene.cli.signals import RAW_OPTIONS, evenly_spread
from phosphene.cli.wrong_use import WrongUseError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from phosphene.cli.generate import GenerateOptions
    from phosphene.export.response_bundle import ResponseBundle
    from phosphene.training.progress import Progress

OTHER_OPTIONS = ("n_draws", "n_trials", *RAW_OPTIONS)
"""Options about pictures from signals."""
ROWS_IN_FIGURE, WINDOWS_IN_FIGURE = 4, 3


@dataclass(frozen=True, eq=False)
class Responses:
    """What was written, and what could not be."""

    table: "pd.DataFrame"
    """One row per picture."""
    shape: tuple[int, ...]
    """Of generated.npy."""
    unit: str
    has_nwb: bool


def generate_signals(options: "GenerateOptions", folder: Path) -> Responses:
    """Check, draw and write signals for pictures.

    Parameters
    ----------
    options
        Of the command.
    folder
        The bundle.
    """
    _check_use(options)
    from phosphene.export.response_bundle import load_response_bundle

    bundle = load_response_bundle(folder)
    pixels, table = _read_pictures(options, bundle)
    system = bundle.system
    shape = (len(table), options.n, len(system.ch_names), system.n_times)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    _check_room(options.out, shape)
    draft = Path(tempfile.mkdtemp(dir=options.out.parent, prefix=f".{options.out.name}."))
    progress = open_progress()
    has_nwb = find_spec("pynwb") is not None
    unit = "V" if options.volts else "z-score"
    try:
        table.to_csv(draft / "pictures.csv", index=False)
        windows = _draw(bundle, pixels, options, shape, folder=draft, progress=progress)
        names = _short_names(table["file"].tolist())
        if has_nwb:
            _write_nwb(draft / "generated.nwb", windows, bundle, options, names=names)
        _write_figure(draft / "generated.png", windows, pixels, bundle, names=names, unit=unit)
        del windows
        draft.chmod(0o755)
        draft.replace(options.out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        progress.finish()
    return Responses(table, shape, unit, has_nwb)


def print_responses(options: "GenerateOptions", responses: Responses, folder: Path) -> None:
    """Say what was written, and what to do next."""
    out, shape = options.out, responses.shape
    many = f"{shape[0]} x " if responses.table["file"].iloc[0] else ""
    channels = f"{shape[2]} channels x {shape[3]} samples"
    print(f"signals  {many}{shape[1]} windows of {channels}, {responses.unit}")
    print("They are generated, not recorded.")
    print(f"array    {out / 'generated.npy'}  (picture, draw, channel, time)")
    if responses.has_nwb:
        print(f"NWB      {out / 'generated.nwb'}")
    else:
        print(f"NWB      none, for pynwb is not installed; {pip_install('pynwb')} installs it")
    print(f"figure   {out / 'generated.png'}")
    print(f"table    {out / 'pictures.csv'}")
    if (folder.parent / "scores.json").is_file():
        run = shlex.quote(str(folder.parent))
        print(f"next     phosphene evaluate {run}  (how far to trust these signals)")
    else:
        card = shlex.quote(str(folder / "README.md"))
        print(f"next     less {card}  (what made these signals, and how far to trust them)")


def _check_use(options: "GenerateOptions") -> None:
    """Refuse options about pictures from signals."""
    bundle = shlex.quote(str(options.bundle))
    if options.signals is not None:
        raise WrongUseError(
            f"`--signals` is for bundles that make pictures from signals; {bundle} makes signals "
            f"from pictures; call `phosphene generate {bundle} --images FILES --out DIR`."
        )
    for name in OTHER_OPTIONS:
        if getattr(options, name) != type(options).__dataclass_fields__[name].default:
            remedy = "give --n" if name == "n_draws" else "leave it out"
            raise WrongUseError(
                f"`--{name.replace('_', '-')}` is about pictures from signals; {bundle} makes "
                f"signals from pictures; {remedy}."
            )
    try:
        check_positive("n", options.n)
    except ValueError as error:
        raise WrongUseError(str(error)) from None


def _read_pictures(
    options: "GenerateOptions", bundle: "ResponseBundle"
) -> "tuple[np.ndarray | None, pd.DataFrame]":
    """Return the pictures and a table of them; one empty row for a system without pictures."""
    import pandas as pd

    from phosphene.data.formats.picture_files import COLUMNS, read_picture_files

    size = bundle.system.source_size
    name = shlex.quote(str(options.bundle))
    if size is None:
        if options.images:
            raise WrongUseError(
                f"the system of {name} takes no pictures: its signals would be the same for all; "
                f"call `phosphene generate {name} --n {options.n} --out DIR` without --images."
            )
        return None, pd.DataFrame([(0, "", "", "")], columns=list(COLUMNS))
    if not options.images:
        raise WrongUseError(
            f"`--images` is needed: {name} makes signals from pictures; name files or folders of "
            f"pictures of {size[1]} x {size[0]} pixels."
        )
    found = read_picture_files(options.images, size=size)
    return found.pixels, found.table


def _check_room(out: Path, shape: tuple[int, ...]) -> None:
    """Refuse more windows than the disk has room for, in both files."""
    import math

    needed = 2 * 4 * math.prod(shape)
    free = shutil.disk_usage(out.parent).free
    if needed > free:
        raise ValueError(
            f"`--out` needs {needed / 1e9:.1f} GB; the disk of {out.parent} has {free / 1e9:.1f} "
            "GB left; take a smaller --n or fewer pictures, or another disk."
        )


def _draw(
    bundle: "ResponseBundle",
    pixels: "np.ndarray | None",
    options: "GenerateOptions",
    shape: tuple[int, ...],
    *,
    folder: Path,
    progress: "Progress",
) -> "np.ndarray":
    """Write generated.npy part by part; return it as it lies on disk."""
    import numpy as np

    system = bundle.system
    windows = np.lib.format.open_memmap(
        folder / "generated.npy", mode="w+", dtype=np.float32, shape=shape
    )
    progress.start("drawing", shape[0] * shape[1])
    n_done = 0
    for rows, draws, part in system.draw_parts(pixels, n_draws=options.n, seed=options.seed):
        windows[rows, draws] = system.in_volts(part) if options.volts else part
        n_done += part.shape[0] * part.shape[1]
        progress.update(n_done, {})
    windows.flush()
    return windows


def _write_nwb(
    path: Path,
    windows: "np.ndarray",
    bundle: "ResponseBundle",
    options: "GenerateOptions",
    *,
    names: list[str],
) -> None:
    from phosphene.data.formats.generated_nwb import GeneratedLFP, write_generated_nwb

    spec, system = bundle.spec, bundle.system
    words = [str(spec[key]) for key in ("recipe", "name") if isinstance(spec.get(key), str)]
    area = spec.get("area")
    generated = GeneratedLFP(
        windows=windows,
        volts=options.volts,
        pictures=names,
        ch_names=system.ch_names,
        sfreq=system.sfreq,
        tmin=system.tmin,
        area=area if isinstance(area, str) and area else "unknown",
        source=f"Made by {', '.join(words) or 'a network'}, seed {options.seed}.",
    )
    write_generated_nwb(path, generated)


def _write_figure(
    path: Path,
    windows: "np.ndarray",
    pixels: "np.ndarray | None",
    bundle: "ResponseBundle",
    *,
    names: list[str],
    unit: str,
) -> None:
    from phosphene.reporting.figures.generated_windows import write_generated_figure

    rows = evenly_spread(len(names), ROWS_IN_FIGURE)
    write_generated_figure(
        path,
        windows[rows, :WINDOWS_IN_FIGURE],
        None if pixels is None else pixels[rows],
        names=[names[row] or "without picture" for row in rows],
        ch_names=bundle.system.ch_names,
        sfreq=bundle.system.sfreq,
        unit=unit,
        tmin=bundle.system.tmin,
    )


def _short_names(files: list[str]) -> list[str]:
    """Return file names without folders, or as they were given where names repeat."""
    names = [Path(file).name for file in files]
    return names if len(set(names)) == len(names) else files
