"""`phosphene restore BUNDLE --images FILES --out DIR`: what corrupted pictures were before."""

import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from phosphene.cli.progress import open_progress
from phosphene.cli.signals import evenly_spread
from phosphene.cli.wrong_use import WrongUseError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from phosphene.augment.corruption import Corruption
    from phosphene.export.picture_to_picture import PictureToPicture
    from phosphene.export.restoration_bundle import RestorationBundle
    from phosphene.training.progress import Progress

N_ON_GRID = 24
AT_ONCE = 256
"""Pictures that are corrupted, restored and written at a time."""
MAX_STEM = 200
"""Bytes of a file's name that the names of its results keep."""


CONVERTED = {
    "from RGB": "made grey",
    "from grey": "made RGB",
    "laid on white": "laid on white where transparent",
    "inverted": "inverted",
    "resized": "resized to {size}",
    "stretched": "resized to {size} and stretched: their sides have another ratio",
}
"""What the reader did to pictures, as the table has it and as it is printed."""


@dataclass(frozen=True, eq=False)
class Results:
    """What became of the pictures, apart from the files."""

    errors: "dict[str, np.ndarray]"
    """Columns of the table; empty where nobody knows the originals."""
    on_grid: "np.ndarray"
    """Rows of the pictures that the grid shows."""
    kept: "np.ndarray"
    """Their pictures (row, kind, height, width, color)."""
    kinds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RestoreOptions:
    """Restore corrupted pictures with a trained network.

    Pictures of any size are resized as a whole to the size that the network was trained on, and
    stretched where their sides have another ratio. What was lost is drawn as the network has learnt
    such pictures; it is not recovered. Your files stay as they are.

    With --corrupt the pictures are corrupted first, so that each can be compared with what it was.

    Example: phosphene restore runs/digits/bundle --images scans --out restored

    Example: phosphene restore runs/digits/bundle --images digits --corrupt
    'lower_half+salt_pepper:0.1' --out restored
    """

    bundle: tyro.conf.Positional[Path]
    """Bundle, or the run folder that holds it."""
    images: tuple[Path, ...] = ()
    """PNG, JPEG, TIFF or BMP files, or folders of them (without their sub-folders)."""
    out: Path
    """Folder to make; must not exist or be empty."""
    corrupt: str | None = None
    """What to do to the pictures first: parts joined by '+', of '(a|b)' one drawn for each picture:
    lower_half, lower:SHARE, rectangle:TOP,LEFT,HEIGHT,WIDTH, random_rectangle:LOW,HIGH,
    salt_pepper:DENSITY, white_noise:SD; 'trained' is what the network was trained to undo."""
    seed: int = 0
    """Seed of the corruption; that of a picture does not depend on how many follow it."""
    convert: bool = False
    """Make colored pictures grey for a network of grey ones (0.299 R + 0.587 G + 0.114 B), or
    repeat the channel of grey ones for a network of RGB ones; else such pictures are refused."""
    invert: bool = False
    """Turn dark into bright, for pictures of the opposite ground: handwritten digits of MNIST, for
    one, are white on black."""


def restore(options: RestoreOptions) -> "pd.DataFrame":
    """Check, read, restore and write pictures; return the table of them.

    Raises
    ------
    ValueError
        For a bundle, pictures, a corruption or a folder that cannot be used.
    """
    _check_use(options)
    from phosphene.data.formats.resized_pictures import read_resized_pictures
    from phosphene.export.restoration_bundle import load_restoration_bundle

    bundle = load_restoration_bundle(_bundle_folder(options.bundle))
    corruption = _corruption(options, bundle)
    found = read_resized_pictures(
        options.images,
        size=bundle.system.size,
        color=bundle.system.color,
        convert=options.convert,
        invert=options.invert,
    )
    names = _result_names(found.table["file"].tolist())
    draft = _make_draft(options.out)
    progress = open_progress()
    try:
        results = _restore_each(
            draft,
            found.pixels,
            names,
            system=bundle.system,
            corruption=corruption,
            seed=options.seed,
            progress=progress,
        )
        table = found.table.assign(
            restored=[f"restored/{name}" for name in names], **results.errors
        )
        table.to_csv(draft / "restored.csv", index=False, float_format="%.5f")
        _write_grid(draft / "grid.png", results, table)
        draft.chmod(0o755)
        draft.replace(options.out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        progress.finish()
    _print_result(options, bundle, table, corruption)
    return table


def main(argv: list[str]) -> None:
    """Run the command."""
    restore(tyro.cli(RestoreOptions, args=argv, prog="phosphene restore"))


def _check_use(options: RestoreOptions) -> None:
    from phosphene.export import spec

    if options.out.exists() and not (options.out.is_dir() and not any(options.out.iterdir())):
        raise WrongUseError(
            f"`--out` must be new or empty; {options.out} is not; choose another name or remove it."
        )
    if not options.images:
        raise WrongUseError("`--images` is needed; name files or folders of pictures.")
    task = spec.bundle_task(_bundle_folder(options.bundle))
    if task != spec.PICTURE_TO_PICTURE:
        raise WrongUseError(
            f"`phosphene restore` needs a bundle that restores pictures; {options.bundle} is one "
            f"from {task}; call `phosphene generate {shlex.quote(str(options.bundle))} --help`."
        )


def _bundle_folder(path: Path) -> Path:
    """Return the bundle of a run folder, or the path itself."""
    if not (path / "spec.json").is_file() and (path / "bundle" / "spec.json").is_file():
        return path / "bundle"
    return path


def _corruption(options: RestoreOptions, bundle: "RestorationBundle") -> "Corruption | None":
    from phosphene.augment.corruption import parse_corruption

    if options.corrupt is None:
        return None
    text = bundle.system.corruption if options.corrupt == "trained" else options.corrupt
    try:
        return parse_corruption(text)
    except ValueError as error:
        raise WrongUseError(str(error).replace("--corruption", "--corrupt")) from None


def _make_draft(out: Path) -> Path:
    """Return a folder beside `out` to work in, with the folders of results."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise ValueError(
            f"`--out` must lie in a folder that can be written; {out.parent} cannot be "
            f"({error.strerror}); choose another --out."
        ) from None
    return draft


def _result_names(files: list[str]) -> list[str]:
    """Return names of the results, numbered where those of the files repeat."""
    stems = [Path(file).stem.encode()[:MAX_STEM].decode(errors="ignore") for file in files]
    if len({stem.casefold() for stem in stems}) < len(stems):  # some disks take A.png for a.png
        digits = len(str(len(files) - 1))
        stems = [f"{number:0{digits}d}-{stem}" for number, stem in enumerate(stems)]
    return [f"{stem}.png" for stem in stems]


def _restore_each(
    folder: Path,
    pixels: "np.ndarray",
    names: list[str],
    *,
    system: "PictureToPicture",
    corruption: "Corruption | None",
    seed: int,
    progress: "Progress",
) -> Results:
    """Write restored pictures, and the corrupted ones if there is a corruption."""
    import numpy as np

    from phosphene.export.contact_sheet import readable_picture

    for kind in ("restored", *(["corrupted"] if corruption is not None else [])):
        (folder / kind).mkdir()
    on_grid = evenly_spread(len(pixels), N_ON_GRID)
    kept, parts = [], []
    progress.start("restoring", len(pixels))
    for first in range(0, len(pixels), AT_ONCE):
        rows = slice(first, min(first + AT_ONCE, len(pixels)))
        shown = {"original": pixels[rows]}
        missing = None
        if corruption is None:
            shown = {"given": pixels[rows]}
        else:
            shown["corrupted"], missing = _corrupt(pixels[rows], corruption, seed=seed, first=first)
        seen = list(shown.values())[-1].transpose(0, 3, 1, 2)
        made = system.restore(seen.astype(np.float32) / 255).transpose(0, 2, 3, 1)
        shown["restored"] = (made * 255).round().astype(np.uint8)
        for kind in shown.keys() & {"corrupted", "restored"}:
            for row, picture in enumerate(shown[kind]):
                readable_picture(picture).save(folder / kind / names[first + row])
        if missing is not None:
            parts.append(_errors(shown, missing))
        chosen = on_grid[(on_grid >= rows.start) & (on_grid < rows.stop)] - first
        kept.append(np.stack([each[chosen] for each in shown.values()], axis=1))
        progress.update(rows.stop, {})
    errors = {key: np.concatenate([part[key] for part in parts]) for key in (parts or [{}])[0]}
    return Results(errors, on_grid, np.concatenate(kept), tuple(shown))


def _corrupt(
    pixels: "np.ndarray", corruption: "Corruption", *, seed: int, first: int
) -> "tuple[np.ndarray, np.ndarray]":
    """Return corrupted bytes and what is missing of them; each picture has a seed of its own."""
    import numpy as np
    import torch

    from phosphene.training.seeding import seeded_generator

    images = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float() / 255
    found = [
        corruption(image[None], generator=seeded_generator(seed, "corruption", first + row))
        for row, image in enumerate(images)
    ]
    corrupted = torch.cat([one.images for one in found]).mul(255).round().to(torch.uint8)
    missing = torch.cat([one.missing for one in found])
    return corrupted.permute(0, 2, 3, 1).numpy(), missing[:, 0].numpy()


def _errors(shown: "Mapping[str, np.ndarray]", missing: "np.ndarray") -> "dict[str, np.ndarray]":
    """Return the RMSE of each picture, and in its missing part, NaN where nothing is missing."""
    import numpy as np

    errors = {}
    for kind in ("corrupted", "restored"):
        gap = shown[kind].astype(np.float64) - shown["original"]
        squares = np.square(gap / 255).mean(axis=3)
        errors[f"rmse_{kind}"] = np.sqrt(squares.mean((1, 2)))
        n_missing = missing.sum((1, 2))
        total = (squares * missing).sum((1, 2))
        mean = np.full(len(total), np.nan)
        np.divide(total, n_missing, out=mean, where=n_missing > 0)
        errors[f"rmse_missing_{kind}"] = np.sqrt(mean)
    return errors


def _write_grid(path: Path, results: Results, table: "pd.DataFrame") -> None:
    from phosphene.export.contact_sheet import contact_sheet

    chosen = table.iloc[results.on_grid]
    captions = [[Path(file).name] for file in chosen["file"]]
    if results.errors:
        for lines, error in zip(captions, chosen["rmse_restored"], strict=True):
            lines.append(f"RMSE {error:.3f}")
    title = f"{len(results.on_grid)} of {len(table)} pictures"
    sheet = contact_sheet(results.kept, captions, title=title, headings=results.kinds)
    sheet.save(path)


def _print_result(
    options: RestoreOptions,
    bundle: "RestorationBundle",
    table: "pd.DataFrame",
    corruption: "Corruption | None",
) -> None:
    """Say what was written, how far it is from the originals, and what to do next."""
    height, width = bundle.system.size
    kind = "grey" if bundle.system.color == 1 else "RGB"
    n = len(table)
    print(f"restored  {n} {'picture' if n == 1 else 'pictures'}, {width} x {height} pixels, {kind}")
    for word, what in CONVERTED.items():
        count = sum(word in steps.split(", ") for steps in table["converted"])
        if count:
            print(f"          {count} of {n} {what.format(size=f'{width} x {height}')}")
    trained = bundle.system.corruption
    if corruption is None or str(corruption) != trained:
        print(f"trained   on {trained}; other losses it has not learnt to undo")
    if corruption is not None:
        print(f"corrupted {corruption}, seed {options.seed}")
        for key, where in (("", "whole picture"), ("missing_", "missing part")):
            before, after = (table[f"rmse_{key}{kind}"] for kind in ("corrupted", "restored"))
            if after.notna().any():
                print(
                    f"RMSE      {after.mean():.4f} restored, {before.mean():.4f} corrupted: {where}"
                    f", mean over {int(after.notna().sum())} pictures"
                )
    print("What was lost is drawn as the network learnt such pictures; it is not recovered.")
    print(f"pictures  {options.out / 'restored'}, {n} files")
    print(f"grid      {options.out / 'grid.png'}")
    print(f"table     {options.out / 'restored.csv'}")
    folder = _bundle_folder(options.bundle)
    if (folder.parent / "scores.json").is_file():
        run = shlex.quote(str(folder.parent))
        print(f"next      phosphene evaluate {run}  (how far to trust these pictures)")
    else:
        card = shlex.quote(str(folder / "README.md"))
        print(f"next      less {card}  (what restored these pictures, and how far to trust it)")
