"""The folder that a bundle is: written whole or not at all, and networks filled from it."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from phosphene.export.spec import FORMAT_VERSION
from phosphene.export.weights import load_weights, read_shapes, save_weights


def write_bundle(
    folder: Path, *, tensors: Mapping[str, Tensor], spec: Mapping[str, Any], card: str
) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place.

    Parameters
    ----------
    folder
        Where it goes; a bundle that is there is replaced.
    tensors
        Weights by name.
    spec
        What spec.json says besides the version of the format.
    card
        Text of README.md.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        save_weights(draft / "weights.safetensors", tensors)
        content = {"format_version": FORMAT_VERSION, **spec}
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        (draft / "spec.json").write_text(text + "\n", encoding="utf-8")
        (draft / "README.md").write_text(card, encoding="utf-8")
        for path in draft.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        draft.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def network_tensors(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the weights of networks as `fill_networks` finds them again: "part.name"."""
    return {
        f"{part}.{name}": value.detach().cpu().contiguous().clone()
        for part, network in networks.items()
        for name, value in network.state_dict().items()
    }


def fill_networks(
    folder: Path,
    networks: Mapping[str, nn.Module],
    *,
    others: Mapping[str, tuple[int, ...]] | None = None,
) -> dict[str, np.ndarray]:
    """Read a bundle's weights into networks that were laid out without memory.

    The header of the file is compared with the networks first: only weights of exactly the expected
    names and shapes are read.

    Parameters
    ----------
    folder
        The bundle.
    networks
        By the part that their weights are named after; built on the device "meta". They are filled
        in place and left in evaluation mode.
    others
        Shapes of what else the file must hold.

    Returns
    -------
    dict
        What else it holds.

    Raises
    ------
    ValueError
        For a file that is missing or damaged, or holds other names, shapes, types or values.
    """
    path = folder / "weights.safetensors"
    expected = {
        f"{part}.{name}": tuple(value.shape)
        for part, network in networks.items()
        for name, value in network.state_dict().items()
    }
    expected |= others or {}
    weights = load_weights(path, read_shapes(path), expected)
    for part, network in networks.items():
        # Taken as they are: `to_empty` on networks without memory imports sympy, half a second.
        state = {
            name: weights[f"{part}.{name}"].to(like.dtype, copy=True)
            for name, like in network.state_dict().items()
        }
        network.load_state_dict(state, assign=True)
        left = [name for name, value in network.named_buffers() if value.is_meta]
        if left:
            raise ValueError(
                "networks of bundles keep all of their constants among the weights; "
                f"{type(network).__name__} keeps `{left[0]}` elsewhere. Register it as a "
                "persistent buffer and export the run again."
            )
        network.eval()
    return {name: weights[name].numpy() for name in others or {}}
