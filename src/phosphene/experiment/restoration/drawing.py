"""What each method makes of the test pictures, as arrays of the run folder."""

import re

import numpy as np
import torch
from torch import nn

from phosphene.evaluation.restoration import baselines
from phosphene.experiment.restoration.classifier import name_classes
from phosphene.experiment.restoration.pictures import (
    FOLD,
    TEST,
    Pictures,
    pixels_of,
    unit_pictures,
)
from phosphene.experiment.restoration.settings import RestorationSettings
from phosphene.run_dir import RunDir
from phosphene.training.classifier_step import ClassifierStep

RESTORED = f"folds/{FOLD}/restored/{{}}.npz"
MEAN, NEAREST = "mean picture", "nearest training picture"
FILTERS: dict[str, tuple[baselines.Denoise, tuple[float, ...]]] = {
    "total variation": (baselines.total_variation, baselines.TV_WEIGHTS),
    "non-local means": (baselines.nonlocal_means, baselines.NLM_WIDTHS),
}
"""Filters for noise and the strengths that are tried on training pictures."""
BASELINES = (MEAN, NEAREST, *FILTERS)
N_CHOOSING = 200
"""Training pictures on which the strength of a filter is chosen."""


def slug(name: str) -> str:
    """Return a name as part of a file name."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))


def iterations_file(system: str) -> str:
    """Return where a system's pictures after equally many iterations lie."""
    return RESTORED.format(f"{slug(system)}.iterations")


def time_file(system: str) -> str:
    """Return where a system's pictures after equal time lie."""
    return RESTORED.format(f"{slug(system)}.time")


def baseline_file(name: str) -> str:
    """Return where a baseline's pictures lie."""
    return RESTORED.format(slug(name))


@torch.no_grad()
def restore(network: nn.Module, pixels: np.ndarray, *, batch: int = 500) -> np.ndarray:
    """Restore ``(picture, height, width, color)`` uint8 with a network, in evaluation mode."""
    network.eval()
    device = next(network.parameters()).device
    parts = [
        pixels_of(network(unit_pictures(pixels[first : first + batch]).to(device)))
        for first in range(0, len(pixels), batch)
    ]
    return np.concatenate(parts)


def write_restored(
    run: RunDir, file: str, restored: np.ndarray, index: np.ndarray, judge: ClassifierStep | None
) -> None:
    """Write restored pictures, the rows of the test pictures, and the class that is named."""
    arrays = {"restored": restored, "index": index.astype(np.int64)}
    if judge is not None:
        arrays["predicted"] = name_classes(judge, restored)
    run.write_arrays(file, arrays)


def write_system(run: RunDir, file: str, network: nn.Module, judge: ClassifierStep | None) -> None:
    """Restore all test pictures with a network and write them."""
    corrupted = run.read_arrays(TEST)["corrupted"]
    restored = restore(network, corrupted)
    write_restored(run, file, restored, np.arange(len(corrupted)), judge)


def write_baselines(
    run: RunDir, settings: RestorationSettings, pictures: Pictures, judge: ClassifierStep | None
) -> None:
    """Write what the baselines make of the test pictures, those that are not on disk."""
    test = run.read_arrays(TEST)
    rows = np.arange(len(test["corrupted"]))
    if not run.has(baseline_file(MEAN)):
        mean = pixels_of(pictures.mean[None])
        restored = np.repeat(mean, len(rows), axis=0)
        write_restored(run, baseline_file(MEAN), restored, rows, judge)
    if not run.has(baseline_file(NEAREST)):
        known = pictures.images.pixels[pictures.train]
        nearest = baselines.nearest_pictures(test["corrupted"], test["missing"], known)
        write_restored(run, baseline_file(NEAREST), known[nearest], rows, judge)
    rng = np.random.default_rng(settings.split_seed)
    some = np.sort(rng.permutation(rows)[: settings.n_denoised])
    for name, (denoise, strengths) in FILTERS.items() if len(some) else ():
        if not run.has(baseline_file(name)):
            strength = _choose(denoise, strengths, pictures, rng=np.random.default_rng(0))
            restored = denoise(test["corrupted"][some], strength)
            write_restored(run, baseline_file(name), restored, some, judge)


def _choose(
    denoise: baselines.Denoise,
    strengths: tuple[float, ...],
    pictures: Pictures,
    *,
    rng: np.random.Generator,
) -> float:
    """Choose the strength of a filter on corrupted training pictures."""
    chosen = np.sort(rng.permutation(pictures.train)[:N_CHOOSING])
    corrupted, _ = pictures.corrupted(chosen, "filters")
    return baselines.choose_strength(
        denoise, strengths, original=pictures.images.pixels[chosen], corrupted=corrupted
    )
