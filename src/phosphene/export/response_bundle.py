"""Bundles of systems from picture to signal."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from phosphene.export.bundle_files import fill_networks, network_tensors, write_bundle
from phosphene.export.networks import build_network
from phosphene.export.picture_to_signal import PictureToSignal
from phosphene.export.spec import PICTURE_TO_SIGNAL, read_spec


@dataclass(frozen=True, eq=False)
class ResponseBundle:
    """A trained system from picture to signal and what its spec.json says of it."""

    system: PictureToSignal
    spec: dict[str, Any]
    path: Path


def response_spec(system: PictureToSignal, *, generator: Mapping[str, Any]) -> dict[str, Any]:
    """Return what spec.json must say of a system.

    A recipe adds ``recipe``, ``citation``, ``name`` of the system, ``fold`` and what it likes; the
    model card wants those four.

    Parameters
    ----------
    system
        The system.
    generator
        What `build_network` builds its generator from.
    """
    return {
        "task": PICTURE_TO_SIGNAL,
        "generator": dict(generator),
        "noise": system.noise,
        "ch_names": list(system.ch_names),
        "sfreq": system.sfreq,
        "tmin": system.tmin,
        "n_times": system.n_times,
        "unit": "z-score",
        "picture_size": None if system.picture_size is None else list(system.picture_size),
        "source_size": None if system.source_size is None else list(system.source_size),
        "window_mean": system.mean,
        "window_sd": system.sd,
    }


def save_response_bundle(
    folder: Path, system: PictureToSignal, *, spec: Mapping[str, Any], card: str
) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place.

    Parameters
    ----------
    folder
        Where it goes; a bundle that is there is replaced.
    system
        What is given away.
    spec
        At least ``generator``; what `response_spec` says of the system is added.
    card
        Model card.
    """
    content = {**spec, **response_spec(system, generator=spec["generator"])}
    tensors = network_tensors({"generator": system.generator})
    write_bundle(folder, tensors=tensors, spec=content, card=card)


def load_response_bundle(folder: Path) -> ResponseBundle:
    """Read a bundle; its files are not trusted.

    The network is laid out without memory first and compared with the spec and with the header of
    the weights: only weights of exactly the expected names and shapes are read.

    Raises
    ------
    ValueError
        When the folder is no bundle of this task, or spec and weights do not belong together.
    """
    folder = Path(folder)
    spec = read_spec(folder, task=PICTURE_TO_SIGNAL)
    with torch.device("meta"):
        generator = build_network(spec["generator"], kind="generators")
    sizes = [spec[name] for name in ("picture_size", "source_size")]
    picture_size, source_size = (None if s is None else (s[0], s[1]) for s in sizes)
    system = PictureToSignal(
        generator,
        picture_size=picture_size,
        source_size=source_size,
        ch_names=tuple(spec["ch_names"]),
        sfreq=float(spec["sfreq"]),
        n_times=spec["n_times"],
        mean=float(spec["window_mean"]),
        sd=float(spec["window_sd"]),
        tmin=float(spec["tmin"]),
    )
    fill_networks(folder, {"generator": generator})
    return ResponseBundle(system, spec, folder)
