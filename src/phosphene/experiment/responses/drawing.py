"""What trained networks make: windows of each system, reconstructions, summaries for figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from phosphene.evaluation.signals.summary import summarise
from phosphene.evaluation.signals.surrogates import gaussian_noise, phase_randomised
from phosphene.experiment.responses.autoencoders import reconstruct
from phosphene.experiment.responses.session import FOLD, SETS, Session, scored_rows
from phosphene.experiment.responses.settings import ResponseSettings
from phosphene.run_dir import RunDir
from phosphene.training.seeding import derive_seed, seeded_generator

REAL = f"folds/{FOLD}/real.npz"
SUMMARIES = f"folds/{FOLD}/summaries"
INDEX = f"{SUMMARIES}/index.json"
N_EXAMPLES = 4
"""Windows and pictures beside their reconstructions."""
SURROGATES = {"noise": gaussian_noise, "phase-randomised": phase_randomised}


def generated_file(system: str) -> str:
    """Return where a system's windows lie in the run folder."""
    return f"folds/{FOLD}/generated/{slug(system)}.npz"


def slug(name: str) -> str:
    """Return a name as part of a file name."""
    return "-".join(name.lower().split())


def write_real(settings: ResponseSettings, session: Session, *, run: RunDir) -> None:
    """Write the real windows that all are compared with, and what noise makes of them."""
    if run.has(REAL):
        return
    arrays = {}
    for name, rows in scored_rows(settings, session).items():
        arrays |= {name: session.signals[rows], f"{name}_picture": session.picture[rows]}
        if session.truth is not None:
            arrays["truth"] = session.truth.astype(np.float32)
    for system, make in SURROGATES.items():
        made = {}
        for name in SETS:
            seed = derive_seed(settings.split_seed, system, name)
            rng = np.random.default_rng(seed)
            made[name] = make(arrays[name], rng=rng)
            made[f"{name}_picture"] = arrays[f"{name}_picture"]
        run.write_arrays(generated_file(system), made)
        summarise_system(settings, session, system, made, run=run)
    summarise_system(settings, session, "real", arrays, run=run)
    run.write_arrays(REAL, arrays)


def write_generated(
    settings: ResponseSettings,
    session: Session,
    system: str,
    generator: nn.Module,
    *,
    uses_pictures: bool,
    run: RunDir,
) -> None:
    """Generate a window for each real one that is scored, and summarise them."""
    real = run.read_arrays(REAL)
    made: dict[str, np.ndarray] = {}
    for name in SETS:
        picture = real[f"{name}_picture"]
        rng = seeded_generator(settings.seed, "generate", system, name)
        windows = generate(generator, session.pictures if uses_pictures else None, picture, rng=rng)
        made |= {name: windows, f"{name}_picture": picture}
    run.write_arrays(generated_file(system), made)
    summarise_system(settings, session, system, made, run=run)


def write_reconstructions(
    settings: ResponseSettings,
    session: Session,
    *,
    signals: nn.Module,
    pictures: nn.Module | None,
    run: RunDir,
) -> None:
    """Write windows and test pictures beside what the autoencoders make of them."""
    real = run.read_arrays(REAL)
    made = {name: reconstruct(signals, real[name]) for name in SETS}
    made |= {f"{name}_picture": real[f"{name}_picture"] for name in SETS}
    run.write_arrays(generated_file("autoencoder"), made)
    summarise_system(settings, session, "autoencoder", made, run=run)
    some = np.linspace(0, len(real["test"]) - 1, N_EXAMPLES).round().astype(int)
    found = {"real": real["test"][some], "autoencoder": made["test"][some]}
    if pictures is not None:
        rows = np.unique(real["test_picture"])[:N_EXAMPLES]
        shown = session.pictures[torch.from_numpy(rows)]
        found |= {
            "picture": _pixels(shown.numpy()),
            "picture_autoencoder": _pixels(reconstruct(pictures, shown.numpy())),
        }
    run.write_arrays(f"folds/{FOLD}/reconstructions.npz", found)


@torch.no_grad()
def generate(
    generator: nn.Module,
    pictures: torch.Tensor | None,
    picture: np.ndarray,
    *,
    rng: torch.Generator,
    batch_size: int = 128,
) -> np.ndarray:
    """Generate one z-scored window for each entry of `picture`, a row of `pictures`."""
    generator.eval()
    parts = []
    for rows in torch.from_numpy(np.asarray(picture)).split(batch_size):
        noise = torch.randn((len(rows), *generator.noise_shape), generator=rng)  # pyright: ignore
        if pictures is None:
            parts.append(generator(noise))
            continue
        shown, index = rows.unique(return_inverse=True)
        parts.append(generator(noise, pictures[shown], index))
    return torch.cat(parts).numpy()


def summarise_system(
    settings: ResponseSettings,
    session: Session,
    system: str,
    arrays: Mapping[str, np.ndarray],
    *,
    run: RunDir,
) -> None:
    """Write what figures show of a system's windows, of each set and of single test pictures."""
    entries: list[dict[str, Any]] = []
    for name in SETS:
        _summarise(run, entries, arrays[name], system=system, set=name, sfreq=session.sfreq)
    singles = single_pictures(settings, arrays["test_picture"])
    for row in singles:
        some = arrays["test"][arrays["test_picture"] == row]
        stimulus = str(session.stimuli[row])
        _summarise(
            run, entries, some, system=system, set="picture", picture=stimulus, sfreq=session.sfreq
        )
    if system == "real" and len(singles):
        assert session.dataset.images is not None
        run.write_arrays(
            f"folds/{FOLD}/shown.npz",
            {
                "picture": session.dataset.images.pixels[singles, :, :, 0],
                "stimulus": session.stimuli[singles],
            },
        )
    others = run.read_json(INDEX) if run.has(INDEX) else []
    run.write_json(INDEX, [*(e for e in others if e["system"] != system), *entries])


def single_pictures(settings: ResponseSettings, picture: np.ndarray) -> np.ndarray:
    """Return the rows of the test pictures that are shown by themselves: those most shown."""
    rows, counts = np.unique(picture, return_counts=True)
    return np.sort(rows[np.argsort(-counts, kind="stable")][: settings.n_single])


def _summarise(
    run: RunDir,
    entries: list[dict[str, Any]],
    signals: np.ndarray,
    *,
    system: str,
    set: str,
    sfreq: float,
    picture: str = "",
) -> None:
    file = f"{slug(system)}-{slug(picture) or set}.npz"
    run.write_arrays(f"{SUMMARIES}/{file}", summarise(signals, sfreq=sfreq))
    of = f"picture {picture}" if picture else f"{set} pictures"
    title = f"{system}, {of}"
    entries.append({"file": file, "system": system, "set": set, "title": title, "picture": picture})


def _pixels(pictures: np.ndarray) -> np.ndarray:
    """Turn pictures in [-1, 1] into uint8 without their colour axis."""
    return ((pictures[:, 0].clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)
