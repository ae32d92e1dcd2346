"""Bundles of networks that restore pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from phosphene.export.bundle_files import fill_networks, network_tensors, write_bundle
from phosphene.export.networks import build_network
from phosphene.export.picture_to_picture import PictureToPicture
from phosphene.export.spec import PICTURE_TO_PICTURE, read_spec


@dataclass(frozen=True, eq=False)
class RestorationBundle:
    """A trained restorer of pictures and what its spec.json says of it."""

    system: PictureToPicture
    spec: dict[str, Any]
    path: Path


def restoration_spec(system: PictureToPicture, *, network: Mapping[str, Any]) -> dict[str, Any]:
    """Return what spec.json must say of a restorer.

    A recipe adds ``recipe``, ``citation``, ``name`` of the system, ``fold`` and what it likes; the
    model card wants those four.

    Parameters
    ----------
    system
        The restorer.
    network
        What `build_network` builds its network from.
    """
    return {
        "task": PICTURE_TO_PICTURE,
        "network": dict(network),
        "size": list(system.size),
        "color": system.color,
        "corruption": system.corruption,
    }


def save_restoration_bundle(
    folder: Path, system: PictureToPicture, *, spec: Mapping[str, Any], card: str
) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place.

    Parameters
    ----------
    folder
        Where it goes; a bundle that is there is replaced.
    system
        What is given away.
    spec
        At least ``network``; what `restoration_spec` says of the restorer is added.
    card
        Model card.
    """
    content = {**spec, **restoration_spec(system, network=spec["network"])}
    tensors = network_tensors({"network": system.network})
    write_bundle(folder, tensors=tensors, spec=content, card=card)


def load_restoration_bundle(folder: Path) -> RestorationBundle:
    """Read a bundle; its files are not trusted.

    The network is laid out without memory first and compared with the spec and with the header of
    the weights: only weights of exactly the expected names and shapes are read.

    Raises
    ------
    ValueError
        When the folder is no bundle of this task, or spec and weights do not belong together.
    """
    folder = Path(folder)
    spec = read_spec(folder, task=PICTURE_TO_PICTURE)
    with torch.device("meta"):
        network = build_network(spec["network"], kind="restoration")
    rows, columns = spec["size"]
    system = PictureToPicture(
        network, size=(rows, columns), color=spec["color"], corruption=spec["corruption"]
    )
    fill_networks(folder, {"network": network})
    return RestorationBundle(system, spec, folder)
