"""Bundles, what others get: weights as safetensors, a spec as JSON, a model card. No pickles."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from phosphene.data.preprocessing import Preprocessing
from phosphene.data.scaling import ChannelScaler
from phosphene.export.bundle_files import fill_networks, write_bundle
from phosphene.export.networks import build_network
from phosphene.export.signal_to_picture import (
    ClassPull,
    FeatureScaler,
    LinearDecoder,
    SignalToPicture,
)
from phosphene.export.spec import preprocessing_from, read_spec, scaling_from

COMPARED = ("reference", "notch", "band", "tmin", "baseline")
"""Settings of preprocessing that change a signal and show neither in its shape nor in its rate."""


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

    @property
    def ch_names(self) -> tuple[str, ...]:
        """Channels that signals must have, in this order."""
        return tuple(self.spec["ch_names"])

    def preprocessing(self) -> Preprocessing:
        """Return the settings with which the training trials were cut.

        Raises
        ------
        ValueError
            When spec.json does not say, or says what cannot be.
        """
        return preprocessing_from(self.spec, path=self.path)

    def check_channels(self, ch_names: tuple[str, ...]) -> None:
        """Refuse channels that the system was not trained on, and say how to make them match."""
        expected = self.ch_names
        if ch_names == expected:
            return
        missing = [name for name in expected if name not in ch_names]
        extra = [name for name in ch_names if name not in expected]
        if len(ch_names) != len(expected):
            rule = f"signals must have the {len(expected)} channels that the model was trained on"
        else:
            rule = "channels must be those that the model was trained on, in the same order"
        if missing:
            remedy = (
                f"Record {', '.join(missing)} too, rename the channels, or train on recordings "
                "with yours."
            )
        elif extra:
            remedy = f"Import again with --drop-channels {shlex.join(extra)}."
        else:
            remedy = "Give the raw recordings: `phosphene generate` finds their channels by name."
        raise ValueError(
            f"{rule} ({', '.join(expected)}); got {len(ch_names)} ({', '.join(ch_names)}). {remedy}"
        )

    def check_signals(self, *, ch_names: tuple[str, ...], sfreq: float, n_times: int) -> None:
        """Refuse epochs that the system was not trained for, and say how to make them match."""
        self.check_channels(tuple(ch_names))
        rate, length = float(self.spec["sfreq"]), int(self.spec["n_times"])
        if abs(sfreq - rate) > 1e-6 * rate or n_times != length:
            tmin = float(self.spec["tmin"])
            raise ValueError(
                f"epochs must have {length} samples at {rate:g} Hz; got {n_times} at {sfreq:g} Hz. "
                f"Import with --resample {rate:g} --tmin {tmin:g} --tmax {tmin + length / rate:g}."
            )

    def check_preprocessing(self, found: Mapping[str, Any]) -> None:
        """Refuse epochs that were filtered or cut in another way than the training trials.

        Parameters
        ----------
        found
            What `Trials.preprocessing` says of the epochs.
        """
        expected = self.spec["preprocessing"].get("settings", {})
        settings = found.get("settings", {})
        for name in COMPARED:
            if expected.get(name) != settings.get(name):
                value = expected.get(name)
                words = value if isinstance(value, list) else [value]
                raise ValueError(
                    f"epochs must be cut as the training trials were; `{name}` was {value} and is "
                    f"{settings.get(name)} here. Import with --{name} {' '.join(map(str, words))}."
                )


def save_bundle(
    folder: Path, system: SignalToPicture, *, spec: Mapping[str, Any], card: str
) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place."""
    content = {
        "noise": system.noise,
        "condition_on": system.condition_on,
        "scaling": {"per": system.scaling},
        **spec,
    }
    write_bundle(folder, tensors=system.tensors(), spec=content, card=card)


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle; its files are not trusted.

    Networks are laid out without memory first and compared with the header of the weights: only
    weights of exactly the expected names and shapes are read.

    Raises
    ------
    ValueError
        When the folder is no bundle, or spec and weights do not belong together.
    """
    folder = Path(folder)
    spec = read_spec(folder)
    with torch.device("meta"):
        networks = {
            part: build_network(spec[part], kind=f"{part}s") for part in ("encoder", "generator")
        }
    _check_networks(networks, spec)
    n_classes, n_chans = len(spec["classes"]), len(spec["ch_names"])
    n_features = int(networks["encoder"].n_features)  # pyright: ignore[reportArgumentType]
    others = {
        "scaler.mean": (n_chans,),
        "scaler.scale": (n_chans,),
        "decoder.weight": (n_classes, n_features),
        "decoder.bias": (n_classes,),
        "features.mean": (n_features,),
        "features.scale": (n_features,),
        "pull.centres": (n_classes, n_features),
        "pull.share": (1,),
    }
    arrays = fill_networks(folder, networks, others=others)
    path = folder / "weights.safetensors"
    if not (arrays["features.scale"] > 0).all():
        raise ValueError(
            f"`features.scale` must be greater than 0; {path} holds other values. "
            "Export the run again."
        )
    share = float(arrays["pull.share"][0])
    if not 0 <= share <= 1:
        raise ValueError(
            f"`pull.share` must lie between 0 and 1; {path} holds {share:g}. Export the run again."
        )
    system = SignalToPicture(
        ChannelScaler(arrays["scaler.mean"], arrays["scaler.scale"]),
        networks["encoder"],
        LinearDecoder(arrays["decoder.weight"], arrays["decoder.bias"]),
        FeatureScaler(arrays["features.mean"], arrays["features.scale"]),
        networks["generator"],
        spec["noise"],
        ClassPull(arrays["pull.centres"], share) if share else None,
        spec.get("condition_on", "features"),
        scaling_from(spec),
    )
    system.prepare()
    return Bundle(system, spec, folder)


def _check_networks(networks: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    """Refuse networks that fit neither each other nor the signals of the spec."""
    encoder, generator = networks["encoder"], networks["generator"]
    labels = spec.get("condition_on") == "label"
    n_conditions = len(spec["classes"]) if labels else encoder.n_features
    pairs = {
        "`n_chans` of the encoder": (encoder.n_chans, len(spec["ch_names"])),
        "`n_times` of the encoder": (getattr(encoder, "n_times", spec["n_times"]), spec["n_times"]),
        "`n_features` of the generator": (getattr(generator, "n_features", None), n_conditions),
    }
    for name, (value, expected) in pairs.items():
        if value != expected:
            raise ValueError(
                f"{name} must be {expected}, as the rest of spec.json implies; got {value}. "
                "Export the run again."
            )
    color = getattr(generator, "color", None)
    if color not in (1, 3):
        raise ValueError(
            f"pictures have 1 or 3 colors; spec.json says {color}. Export the run again."
        )
