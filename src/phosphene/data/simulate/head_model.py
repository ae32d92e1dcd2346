"""From dipoles in the head to electrode voltages: MNE's sphere, computed once and kept."""

import importlib.metadata
import logging
import os
import platform
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phosphene._checks import check_option

logger = logging.getLogger(__name__)

HEAD_MODEL_VERSION = 1
"""Part of the cache key: raise it with every change to the sources or the geometry."""

HEAD_RADIUS = 0.09
"""Radius of the scalp in m; every montage is laid onto this sphere."""

N_BACKGROUND_SOURCES = 150

HEADSETS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "emotiv14": (
        (
            *("AF3", "F7", "F3", "FC5", "T7", "P7", "O1"),
            *("O2", "P8", "T8", "FC6", "F4", "F8", "AF4"),
        ),
        "P3",  # common mode sense electrode of the EPOC
    ),
    "muse": (("TP9", "AF7", "AF8", "TP10"), "Fpz"),
}
"""Channels and reference electrode of known headsets, placed by the extended 10-20 system."""

# Directions from the centre of the head: x right, y front, z up. Every source has a mirror image.
CORTEX: Mapping[str, tuple[float, float, float]] = {
    "occipital": (0.20, -0.95, 0.10),
    "lateral occipital": (0.55, -0.80, 0.05),
    "ventral temporal": (0.72, -0.58, -0.25),
    "anterior temporal": (0.90, 0.00, -0.20),
    "parietal": (0.45, -0.60, 0.65),
    "frontal": (0.45, 0.75, 0.45),
}
"""The places that answer to pictures."""

CORTEX_DEPTH = 0.78
"""Distance of the cortical sources from the centre, as a fraction of the scalp's radius."""

EYES: Mapping[str, tuple[float, float, float]] = {
    "right": (0.33, 0.93, -0.15),
    "left": (-0.33, 0.93, -0.15),
}
"""Directions from the centre to the eyes, whose turns move a standing potential."""

EYES_DEPTH = 0.88

_ARRAYS = {"ch_names": 1, "positions": 2, "cortex": 3, "background": 3, "gaze": 2}


@dataclass(frozen=True)
class LeadField:
    """Voltages at the electrodes for a unit current dipole at each source.

    Parameters
    ----------
    ch_names
        Electrodes.
    positions
        (chan, 3) electrode positions in m, x right, y front, z up.
    cortex
        (source, axis, chan) in V per A m; sources are the entries of `CORTEX`, right then left.
    background
        (source, axis, chan) in V per A m, for sources spread evenly over the sphere.
    gaze
        (2, chan): both eyes turn right, both turn up; 1 at the channel that changes most.
    """

    ch_names: tuple[str, ...]
    positions: np.ndarray
    cortex: np.ndarray
    background: np.ndarray
    gaze: np.ndarray


def cortex_names() -> list[str]:
    """Return the names of the cortical sources in the order of `LeadField.cortex`."""
    return [f"{place} {side}" for place in CORTEX for side in ("right", "left")]


def cortex_directions() -> np.ndarray:
    """Return unit vectors (source, 3) from the centre of the head to the cortical sources."""
    right = np.array(list(CORTEX.values()))
    both = np.stack([right, right * (-1, 1, 1)], axis=1).reshape(-1, 3)
    return both / np.linalg.norm(both, axis=1, keepdims=True)


def load_lead_field(montage: str) -> LeadField:
    """Read the lead field of a montage from the cache, or compute it and put it there.

    Parameters
    ----------
    montage
        A key of `HEADSETS`, or the name of one of MNE's standard montages.

    Raises
    ------
    ValueError
        If the montage is unknown.
    """
    path = cache_folder() / _file_name(montage)
    lead_field = _read(path)
    if lead_field is None:
        lead_field = compute_lead_field(montage)
        _write(path, lead_field)
    return lead_field


def compute_lead_field(montage: str) -> LeadField:
    """Solve the forward problem in MNE's four-shell sphere (Berg and Scherg, 1994).

    Electrodes are projected onto the sphere that fits their montage best. Potentials of a headset
    are against its reference electrode; those of an MNE montage against the average.
    """
    import mne

    builtin = mne.channels.get_builtin_montages()
    channels, reference = HEADSETS.get(montage, ((), None))
    template = "standard_1020" if channels else montage
    if template not in builtin:  # MNE 1.13 calls its standard montages after the head they fit
        template = template.replace("standard_", "colin27_")
    check_option("montage", template, [*builtin, *HEADSETS])
    placed = mne.channels.make_standard_montage(template).get_positions()["ch_pos"]
    center = _sphere_center(np.array(list(placed.values())))
    names = list(channels) or list(placed)
    wanted = [*names, reference] if reference else names
    positions = {name: HEAD_RADIUS * _unit(placed[name] - center) for name in wanted}

    info = mne.create_info(wanted, sfreq=128.0, ch_types="eeg", verbose="error")
    info.set_montage(mne.channels.make_dig_montage(positions, coord_frame="head"))
    sphere = mne.make_sphere_model((0.0, 0.0, 0.0), HEAD_RADIUS, info=info, verbose="error")
    cortex, background = cortex_directions() * CORTEX_DEPTH, _spread(N_BACKGROUND_SOURCES) * 0.7
    eyes = _unit(np.array(list(EYES.values()))) * EYES_DEPTH
    directions = np.concatenate([cortex, background, eyes])
    # Normals are needed by MNE's interface only: the solution below is for all three axes.
    source: Any = {"rr": directions * HEAD_RADIUS, "nn": _unit(directions)}
    sources = mne.setup_volume_source_space(pos=source, sphere=sphere, verbose="error")
    forward: Any = mne.make_forward_solution(
        info, trans=None, src=sources, bem=sphere, meg=False, mindist=0.0, verbose="error"
    )
    gain = forward["sol"]["data"].T.reshape(len(directions), 3, len(wanted))
    gain = gain[..., :-1] - gain[..., -1:] if reference else gain - gain.mean(-1, keepdims=True)
    gaze = gain[-len(eyes) :].sum(0)[[0, 2]]
    return LeadField(
        ch_names=tuple(names),
        positions=np.array([positions[name] for name in names]),
        cortex=gain[: len(cortex)],
        background=gain[len(cortex) : -len(eyes)],
        gaze=gaze / np.abs(gaze).max(1, keepdims=True),
    )


def cache_folder() -> Path:
    """Return where this platform keeps a user's caches, without creating anything."""
    if platform.system() == "Windows":
        root = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif platform.system() == "Darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "phosphene"


def _file_name(montage: str) -> str:
    safe = "".join(letter if letter.isalnum() else "_" for letter in montage)
    return f"lead_field_{safe}_{HEAD_MODEL_VERSION}_mne{importlib.metadata.version('mne')}.npz"


def _read(path: Path) -> LeadField | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _ARRAYS}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    ranks_match = all(arrays[name].ndim == rank for name, rank in _ARRAYS.items())
    if not ranks_match or not all(np.isfinite(arrays[name]).all() for name in [*_ARRAYS][1:]):
        return None
    return LeadField(ch_names=tuple(map(str, arrays.pop("ch_names"))), **arrays)


def _write(path: Path, lead_field: LeadField) -> None:
    """Write to a neighbouring file and rename, so that a reader never meets half a file."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)
            arrays = {name: np.asarray(getattr(lead_field, name)) for name in _ARRAYS}
            np.savez(file, allow_pickle=False, **arrays)
        temporary.replace(path)
    except OSError as error:
        logger.debug("lead field not kept: %s", error)
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _sphere_center(points: np.ndarray) -> np.ndarray:
    """Fit |p - c| = r in the least-squares sense, linear in c and r^2 - |c|^2."""
    system = np.column_stack([2 * points, np.ones(len(points))])
    return np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0][:3]


def _spread(n: int) -> np.ndarray:
    """Place n points evenly on the unit sphere above the neck (Fibonacci lattice)."""
    height = 1 - 1.5 * (np.arange(n) + 0.5) / n  # from 1 down to -0.5
    angle = np.arange(n) * np.pi * (3 - np.sqrt(5))
    radius = np.sqrt(1 - height**2)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), height])
