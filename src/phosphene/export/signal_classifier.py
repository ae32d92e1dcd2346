"""A trained classifier of signals, whose features are a standard measure of distance."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from phosphene._checks import check_finite, check_shape
from phosphene.export.bundle_files import fill_networks, network_tensors, write_bundle
from phosphene.export.networks import build_network
from phosphene.export.spec import SIGNAL_TO_FEATURES, read_spec

MAX_VALUES = 1 << 22
"""Values that the network sees at a time."""


class SignalClassifier:
    """Tell from a z-scored window which picture was shown, and describe windows by features.

    Parameters
    ----------
    network
        `LFPCNN` or another network with `features`, `n_classes`, `n_chans` and `n_times`.
    ch_names
        Channels of the windows, in order.
    sfreq
        Samples per second.
    n_times
        Samples of a window.
    stimuli
        Pictures in the order of the probabilities.
    tmin
        Time of the first sample in s from the picture's onset.

    Raises
    ------
    ValueError
        When the network was built for something else.
    """

    def __init__(
        self,
        network: nn.Module,
        ch_names: tuple[str, ...],
        sfreq: float,
        n_times: int,
        stimuli: tuple[str, ...],
        *,
        tmin: float = 0.0,
    ) -> None:
        wanted = {"n_chans": len(ch_names), "n_times": n_times, "n_classes": len(stimuli)}
        for name, value in wanted.items():
            found = getattr(network, name, None)
            if found != value or not hasattr(network, "features"):
                raise ValueError(
                    f"the classifier must be a network with features and `{name}` {value}; "
                    f"{type(network).__name__} has {found}. Export the run again."
                )
        self.network = network
        self.ch_names, self.stimuli = tuple(ch_names), tuple(stimuli)
        self.sfreq, self.n_times, self.tmin = float(sfreq), n_times, float(tmin)

    def features(
        self, z: Float[np.ndarray, "window chan time"]
    ) -> Float[np.ndarray, "window feature"]:
        """Return features of z-scored windows, float32; Fréchet distances are between these."""
        return self._apply(z, self.network.features)  # pyright: ignore[reportArgumentType]

    def probabilities(
        self, z: Float[np.ndarray, "window chan time"]
    ) -> Float[np.ndarray, "window stimulus"]:
        """Return how probable each picture is for z-scored windows, float64."""
        return torch.from_numpy(self._apply(z, self.network)).double().softmax(1).numpy()

    @torch.no_grad()
    def _apply(self, z: np.ndarray, network: Any) -> np.ndarray:
        check_shape("z", z.shape, (None, len(self.ch_names), self.n_times), "window chan time")
        if not len(z):
            raise ValueError("`z` must hold a window; got none. Pass some.")
        check_finite("z", z)
        self.network.eval()
        size = max(1, min(256, MAX_VALUES // z[0].size))
        parts = [
            network(torch.from_numpy(np.ascontiguousarray(z[start : start + size], np.float32)))
            for start in range(0, len(z), size)
        ]
        return torch.cat(parts).numpy()


@dataclass(frozen=True, eq=False)
class ClassifierBundle:
    """A trained classifier and what its spec.json says of it."""

    classifier: SignalClassifier
    spec: dict[str, Any]
    path: Path


def classifier_spec(classifier: SignalClassifier, *, network: Mapping[str, Any]) -> dict[str, Any]:
    """Return what spec.json must say of a classifier.

    Parameters
    ----------
    classifier
        The classifier.
    network
        What `build_network` builds its network from.
    """
    return {
        "task": SIGNAL_TO_FEATURES,
        "classifier": dict(network),
        "ch_names": list(classifier.ch_names),
        "sfreq": classifier.sfreq,
        "tmin": classifier.tmin,
        "n_times": classifier.n_times,
        "unit": "z-score",
        "stimuli": list(classifier.stimuli),
    }


def save_signal_classifier(
    folder: Path, classifier: SignalClassifier, *, spec: Mapping[str, Any], card: str
) -> None:
    """Write a bundle to a temporary folder beside `folder`, then put it in its place.

    Parameters
    ----------
    folder
        Where it goes; a bundle that is there is replaced.
    classifier
        What is given away.
    spec
        At least ``classifier``, what `build_network` builds its network from; what
        `classifier_spec` says is added.
    card
        Model card.
    """
    content = {**spec, **classifier_spec(classifier, network=spec["classifier"])}
    tensors = network_tensors({"classifier": classifier.network})
    write_bundle(folder, tensors=tensors, spec=content, card=card)


def load_signal_classifier(folder: Path) -> ClassifierBundle:
    """Read a bundle; its files are not trusted (see `load_response_bundle`).

    Raises
    ------
    ValueError
        When the folder is no bundle of this task, or spec and weights do not belong together.
    """
    folder = Path(folder)
    spec = read_spec(folder, task=SIGNAL_TO_FEATURES)
    with torch.device("meta"):
        network = build_network(spec["classifier"], kind="classifiers")
    classifier = SignalClassifier(
        network,
        tuple(spec["ch_names"]),
        float(spec["sfreq"]),
        spec["n_times"],
        tuple(spec["stimuli"]),
        tmin=float(spec["tmin"]),
    )
    fill_networks(folder, {"classifier": network})
    return ClassifierBundle(classifier, spec, folder)
