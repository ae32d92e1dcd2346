"""A trained system from signal to picture: what a run scores is what a bundle holds."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from phosphene.data.scaling import SCALERS, ChannelScaler, WindowScaler
from phosphene.export.inference import prepare_generator
from phosphene.training.pictures import pixels_from_tensor
from phosphene.training.seeding import seeded_generator


@dataclass(frozen=True, eq=False)
class LinearDecoder:
    """Class probabilities from features: softmax(features @ weight.T + bias)."""

    weight: Float[np.ndarray, "class feature"]
    bias: Float[np.ndarray, " class"]

    def probabilities(
        self, features: Float[np.ndarray, "trial feature"]
    ) -> Float[np.ndarray, "trial class"]:
        """Return probabilities in the order of the classes, float64."""
        logits = features.astype(np.float64) @ self.weight.T.astype(np.float64) + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        return odds / odds.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class FeatureScaler:
    """What the generator's features are shifted and divided by, from training trials."""

    mean: Float[np.ndarray, " feature"]
    scale: Float[np.ndarray, " feature"]

    @classmethod
    def fit(
        cls, features: Float[np.ndarray, "trial feature"], *, standardize: bool
    ) -> "FeatureScaler":
        """Measure mean and SD, or keep features as they are; constant ones are only shifted."""
        if not standardize:
            n_features = features.shape[1]
            return cls(np.zeros(n_features, np.float32), np.ones(n_features, np.float32))
        scale = features.std(axis=0)
        scale[scale < 1e-6 * max(float(scale.max()), 1e-12)] = 1.0
        return cls(features.mean(axis=0).astype(np.float32), scale.astype(np.float32))

    def apply(
        self, features: Float[np.ndarray, "trial feature"]
    ) -> Float[np.ndarray, "trial feature"]:
        """Return scaled features, float32."""
        return ((features - self.mean) / self.scale).astype(np.float32)


@dataclass(frozen=True, eq=False)
class ClassPull:
    """Moves a trial's scaled features part of the way to the training mean of its decoded class.

    Features of single trials lie between classes more often than a generator can tell them apart;
    pulled ones keep to the side that the decoder chose. 0 leaves the features alone, 1 leaves
    nothing of the trial but its decoded class.
    """

    centres: Float[np.ndarray, "class feature"]
    """Mean scaled feature of the training trials of each class."""
    share: float
    """Share of the way, 0 to 1."""

    def apply(
        self,
        features: Float[np.ndarray, "trial feature"],
        decoded: Int[np.ndarray, " trial"],
    ) -> Float[np.ndarray, "trial feature"]:
        """Return pulled features, float32."""
        pulled = features + self.share * (self.centres[decoded] - features)
        return pulled.astype(np.float32)


@dataclass(frozen=True, eq=False)
class SignalToPicture:
    """Scaler, encoder, decoder and generator of one fold.

    Parameters
    ----------
    scaler
        Mean and SD of the channels of the training epochs, in volts: what epochs are scaled by, or
        under another `scaling` only what signals are compared with before they are taken.
    encoder
        Network from scaled epochs to features.
    decoder
        From features to class probabilities: the softmax head, or a probe.
    feature_scaler
        Between features and generator.
    generator
        Network from (noise, scaled features) to pictures; None before it is trained.
    noise
        Law of the noise: "normal" or "uniform" in (-1, 1).
    pull
        Between feature scaler and generator; None leaves features where they are.
    condition_on
        What the generator is fed: "features", or the decoded "label" as a one-hot vector, which
        leaves nothing of the trial but its class.
    scaling
        What epochs are scaled by before the encoder, a key of `SCALERS`.
    """

    scaler: ChannelScaler
    encoder: nn.Module
    decoder: LinearDecoder
    feature_scaler: FeatureScaler
    generator: nn.Module | None
    noise: str
    pull: ClassPull | None = None
    condition_on: str = "features"
    scaling: str = "channel"
    prepared: nn.Module | None = field(default=None, init=False)
    """The generator in its fast form, where `prepare` has kept it; no copy of the system has it."""

    @property
    def input_scaler(self) -> ChannelScaler | WindowScaler:
        """What epochs go through before the encoder."""
        return SCALERS[self.scaling].from_arrays(self.scaler.to_arrays())

    def prepare(self) -> None:
        """Keep the generator's fast form for all drawings to come.

        Only for weights that do not change any more, as those of a bundle: drawing makes the fast
        form anew where none is kept.
        """
        if self.generator is not None:
            object.__setattr__(self, "prepared", prepare_generator(self.generator))

    def features(
        self, epochs: Float[np.ndarray, "trial chan time"]
    ) -> Float[np.ndarray, "trial feature"]:
        """Encode epochs in volts, without margin."""
        self.encoder.eval()
        scaler = self.input_scaler
        parts = []
        with torch.no_grad():
            for start in range(0, len(epochs), 512):
                scaled = scaler.apply(np.asarray(epochs[start : start + 512]))
                parts.append(self.encoder(torch.from_numpy(scaled)).numpy())
        return np.concatenate(parts)

    def condition(
        self,
        features: Float[np.ndarray, "trial feature"],
        *,
        decoded: Int[np.ndarray, " trial"] | None = None,
    ) -> Float[np.ndarray, "trial condition"]:
        """Return what the generator is fed for features: scaled, and pulled if so trained.

        They are pulled to the class that they are decoded as, or to the one given; a generator that
        is conditioned on labels is fed that class alone.
        """
        if self.condition_on == "label":
            if decoded is None:
                decoded = self.decoder.probabilities(features).argmax(1)
            return np.eye(len(self.decoder.bias), dtype=np.float32)[decoded]
        scaled = self.feature_scaler.apply(features)
        if self.pull is None:
            return scaled
        if decoded is not None:
            return self.pull.apply(scaled, decoded)
        return self.pull.apply(scaled, self.decoder.probabilities(features).argmax(1))

    def draw(
        self,
        features: Float[np.ndarray, "trial feature"],
        *,
        seed: int,
        draw: int = 0,
        decoded: Int[np.ndarray, " trial"] | None = None,
    ) -> UInt8[np.ndarray, "trial height width color"]:
        """Draw one picture per trial; other numbers of `draw` give other noise.

        `decoded` gives classes to pull features to, as for `condition`. All pictures come from the
        generator's fast form, in training as from a bundle: both round to the same bytes.
        """
        if self.generator is None:
            raise ValueError("drawing pictures needs a trained generator; this system has none.")
        generator = self.prepared or prepare_generator(self.generator)
        rng = seeded_generator(seed, "noise of pictures", draw)
        n_noise = int(generator.n_noise)  # pyright: ignore[reportArgumentType]
        pictures = []
        scaled = torch.from_numpy(self.condition(features, decoded=decoded))
        with torch.no_grad():
            for part in scaled.split(256):
                z = self._noise((len(part), n_noise), rng)
                pictures.append(pixels_from_tensor(generator(z, part)))
        return np.concatenate(pictures)

    def _noise(self, shape: tuple[int, int], rng: torch.Generator) -> Tensor:
        if self.noise == "normal":
            return torch.randn(shape, generator=rng)
        return 2 * torch.rand(shape, generator=rng) - 1

    def tensors(self) -> dict[str, Tensor]:
        """Return all weights by name, for safetensors."""
        parts: dict[str, Any] = {"encoder": self.encoder, "generator": self.generator}
        tensors = {
            f"{part}.{name}": value
            for part, network in parts.items()
            if network is not None
            for name, value in network.state_dict().items()
        }
        arrays = {
            "scaler.mean": self.scaler.mean,
            "scaler.scale": self.scaler.scale,
            "decoder.weight": self.decoder.weight,
            "decoder.bias": self.decoder.bias,
            "features.mean": self.feature_scaler.mean,
            "features.scale": self.feature_scaler.scale,
            "pull.centres": np.zeros_like(self.decoder.weight),
            "pull.share": np.zeros(1),
        }
        if self.pull is not None:
            arrays["pull.centres"] = self.pull.centres
            arrays["pull.share"] = np.array([self.pull.share])
        tensors |= {name: torch.from_numpy(np.asarray(value)) for name, value in arrays.items()}
        return {name: value.contiguous().clone() for name, value in tensors.items()}
