"""Bundles: what others get. Weights as safetensors, a spec as JSON, a model card; never a pickle."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from phosphene._checks import check_option
from phosphene.data.scaling import ChannelScaler
from phosphene.export.networks import build_network
from phosphene.export.signal_to_picture import FeatureScaler, LinearDecoder, SignalToPicture

FORMAT_VERSION = 1
MAX_SPEC_BYTES = 1 << 20
MAX_WEIGHT_BYTES = 4 << 30
NEEDED = ("task", "encoder", "generator", "noise", "classes", "ch_names", "sfreq", "n_times")


@dataclass(frozen=True, eq=False)
class Bundle:
    """A trained system and what it expects of signals."""

    system: SignalToPicture
    spec: dict[str, Any]
    path: Path

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the probabilities."""
        return tuple(self.spec["classes"])

    def check_signals(self, *, ch_names: tuple[str, ...], sfreq: float, n_times: int) -> None:
        """Refuse epochs that the system was not trained for, and say how to make them match."""
        expected = tuple(self.spec["ch_names"])
        if len(ch_names) != len(expected):
            raise ValueError(
                f"signals must have the {len(expected)} channels that the model was trained on "
                f"({', '.join(expected)}); got {len(ch_names)} ({', '.join(ch_names)}). "
                "Select these channels, or train on a recording with yours."
            )
        if tuple(ch_names) != expected:
            raise ValueError(
                f"channels must be {', '.join(expected)} in this order; got {', '.join(ch_names)}. "
                "Rename or reorder them."
            )
        if abs(sfreq - self.spec["sfreq"]) > 1e-6 * sfreq or n_times != self.spec["n_times"]:
            raise ValueError(
                f"epochs must have {self.spec['n_times']} samples at {self.spec['sfreq']:g} Hz; got "
                f"{n_times} at {sfreq:g} Hz. Import with the preprocessing in spec.json."
            )


def save_bundle(
    folder: Path, system: SignalToPicture, *, spec: Mapping[str, Any], card: str
) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        save_file(system.tensors(), draft / "weights.safetensors")
        content = {"format_version": FORMAT_VERSION, "noise": system.noise, **spec}
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


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle; its files are not trusted.

    Raises
    ------
    ValueError
        When the folder is no bundle, or spec and weights do not belong together.
    """
    folder = Path(folder)
    spec = _read_spec(folder)
    weights = _read_weights(folder / "weights.safetensors")
    networks = {part: build_network(spec[part]) for part in ("encoder", "generator")}
    for part, network in networks.items():
        _load(part, network, weights)
    arrays = {name: value.numpy() for name, value in weights.items() if value.ndim <= 2}
    try:
        system = SignalToPicture(
            ChannelScaler(arrays["scaler.mean"], arrays["scaler.scale"]),
            networks["encoder"].eval(),
            LinearDecoder(arrays["decoder.weight"], arrays["decoder.bias"]),
            FeatureScaler(arrays["features.mean"], arrays["features.scale"]),
            networks["generator"].eval(),
            str(spec["noise"]),
        )
    except KeyError as error:
        raise ValueError(
            f"a bundle's weights must hold {error}; {folder} lacks it. Export the run again."
        ) from None
    n_classes, n_chans = len(spec["classes"]), len(spec["ch_names"])
    shapes = {"decoder.weight": (n_classes, None), "scaler.mean": (n_chans,)}
    for name, shape in shapes.items():
        found = np.shape(arrays[name])
        if len(found) != len(shape) or any(e not in (None, f) for e, f in zip(shape, found)):  # noqa: B905
            raise ValueError(
                f"`{name}` must have the shape {shape} that spec.json implies; got {found}. "
                "Export the run again."
            )
    return Bundle(system, spec, folder)


def _read_spec(folder: Path) -> dict[str, Any]:
    path = folder / "spec.json"
    if not path.is_file():
        raise ValueError(
            f"a bundle is a folder with spec.json; {folder} has none. `phosphene train` leaves one "
            "in RUN/bundle."
        )
    if path.stat().st_size > MAX_SPEC_BYTES:
        raise ValueError(f"spec.json must be at most 1 MiB; {path} has {path.stat().st_size} bytes.")
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"spec.json must be JSON; {path} is not ({error}).") from None
    if not isinstance(spec, dict) or spec.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"this version reads bundles of format {FORMAT_VERSION}; {path} is none. "
            "Export the run again."
        )
    for name in NEEDED:
        if name not in spec:
            raise ValueError(f"spec.json must hold `{name}`; {path} lacks it. Export the run again.")
    check_option("noise", str(spec["noise"]), ("normal", "uniform"))
    return spec


def _read_weights(path: Path) -> dict[str, Tensor]:
    if not path.is_file() or path.stat().st_size > MAX_WEIGHT_BYTES:
        raise ValueError(f"a bundle needs weights.safetensors of at most 4 GiB; {path} is none.")
    try:
        return load_file(path)
    except (SafetensorError, ValueError, OSError) as error:
        raise ValueError(
            f"weights must be a whole safetensors file; {path} is not ({error}). Copy it again."
        ) from None


def _load(part: str, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    prefix = f"{part}."
    own = {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise ValueError(
            f"the weights of the {part} must fit spec.json; they do not "
            f"({str(error).splitlines()[-1].strip()}). Export the run again."
        ) from None
