"""What the EEG2Image benchmark measures: networks, their steps and data, published or tiny."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.encoders.lstm import LSTMEncoder
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.gan_step import GANStep
from phosphene.training.seeding import seeded, seeded_generator

N_CLASSES, N_CHANS, N_TIMES, N_FEATURES = 10, 14, 32, 128
RELEASED_CODE = {
    "noise": "uniform",
    "n_adversarial_terms": 2,
    "halved": True,
    "mode_seeking_eps": 1e-5,
    "mode_seeking_noise": "z_and_features",
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    triplet_batch: int = 256
    encoder_batch: int = 256
    gan_batch: int = 32
    memory_batch: int = 128
    image_size: int = 128
    generator_width: int = 32
    discriminator_width: int = 64
    n_turns: int = 7
    n_gan_turns: int = 3
    n_starts: int = 5
    judged: bool = True
    """Whether bounds on time and memory say anything at this size."""


PUBLISHED = Size()
TINY = Size(
    triplet_batch=32,
    encoder_batch=16,
    gan_batch=4,
    memory_batch=4,
    image_size=16,
    generator_width=4,
    discriminator_width=4,
    n_turns=2,
    n_gan_turns=1,
    n_starts=1,
    judged=False,
)


def make_encoder_step() -> EncoderStep:
    """Return the published encoder with its update."""
    with seeded(0):
        encoder = LSTMEncoder(N_CHANS, n_features=N_FEATURES)
    return EncoderStep(encoder, n_classes=N_CLASSES, rng=seeded_generator(1), objective="triplet")


def make_gan_step(size: Size) -> GANStep:
    """Return generator and discriminator with the update of the released code."""
    with seeded(0):
        networks = (
            DCGANGenerator(size=size.image_size, width=size.generator_width),
            DCGANDiscriminator(size=size.image_size, width=size.discriminator_width),
        )
    return GANStep(*networks, rng=seeded_generator(1), **RELEASED_CODE)


def make_gan_batch(size: Size, n: int) -> tuple[Tensor, Tensor]:
    """Return n pictures of noise in [-1, 1], and features in (-1, 1) as the encoder makes them."""
    rng = torch.Generator().manual_seed(0)
    pictures = torch.rand(n, 3, size.image_size, size.image_size, generator=rng) * 2 - 1
    return pictures, torch.rand(n, N_FEATURES, generator=rng) * 2 - 1


def write_signals(folder: Path, size: Size) -> dict[str, Path]:
    """Write a recording, the data set made of it, and an untrained bundle of published size."""
    from phosphene.cli.data_import import ImportOptions, import_dataset
    from phosphene.data.scaling import ChannelScaler
    from phosphene.export.bundle import save_bundle
    from phosphene.export.signal_to_picture import FeatureScaler, LinearDecoder, SignalToPicture

    rng = np.random.default_rng(0)
    table = np.zeros((5120, 6))
    table[:, 0] = np.arange(len(table)) / 256
    table[:, 1:5] = rng.normal(30, 10, (len(table), 4))
    table[200::301, 5] = 1 + np.arange(len(table[200::301])) % 2
    header = "timestamps,TP9,AF7,AF8,TP10,Marker0"
    recording = folder / "recording.csv"
    np.savetxt(recording, table, delimiter=",", header=header, comments="", fmt="%.4f")
    options = ImportOptions(
        sources=(recording,),
        out=folder / "data",
        subject="1",
        session="1",
        events=("1=houses", "2=faces"),
    )
    with contextlib.redirect_stdout(None):  # it reports to people
        trials = import_dataset(options)
    encoder = {"network": "LSTMEncoder", "settings": {"n_chans": trials.n_chans}}
    drawing: dict[str, Any] = {"size": size.image_size, "width": size.generator_width}
    with seeded(0):
        networks = LSTMEncoder(trials.n_chans), DCGANGenerator(**drawing)
    system = SignalToPicture(
        ChannelScaler.fit(np.asarray(trials.epochs)),
        networks[0],
        LinearDecoder(rng.normal(size=(2, N_FEATURES)), np.zeros(2)),
        FeatureScaler(np.zeros(N_FEATURES, np.float32), np.ones(N_FEATURES, np.float32)),
        networks[1],
        "uniform",
    )
    spec = {
        "task": "signal to picture",
        "recipe": "none",
        "encoder": encoder,
        "generator": {"network": "DCGANGenerator", "settings": drawing},
        "classes": list(trials.classes),
        "ch_names": list(trials.ch_names),
        "sfreq": trials.sfreq,
        "tmin": trials.tmin,
        "n_times": trials.n_times,
        "unit": trials.unit,
        "preprocessing": trials.preprocessing,
    }
    save_bundle(folder / "bundle", system, spec=spec, card="Not trained.\n")
    return {"data set": folder / "data", "raw recording": recording}
