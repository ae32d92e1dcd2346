"""Two processes train, in 20 steps, the model that one process trains.

This file is also the script that they run: python FILE N_PROCESSES FOLDER CASE [CASE ...]
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from phosphene.augment.signal import SignalAugmentation
from phosphene.models.classifiers.picture_cnn import PictureCNN
from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.encoders.compact_cnn import CompactCNN
from phosphene.models.encoders.lstm import LSTMEncoder
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.checkpoint import collect_state
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE, Devices, launch_devices
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.gan_step import GANStep
from phosphene.training.loop import TrainStep, fit
from phosphene.training.seeding import seeded, seeded_generator

N_STEPS = 20
N_CLASSES = 3
SIZE = 16


def softmax(devices):
    """Dropout, batch norms, shifts, mixup, cosine schedule, clipped gradients."""
    encoder = CompactCNN(4, 48, n_features=8, sfreq=64.0, n_filters=2, n_maps=4, dropout=0.3)
    augmentation = SignalAugmentation(
        max_shift=3, scale=0.1, channel_dropout=0.1, noise=0.1, mixup=0.5
    )
    return EncoderStep(
        encoder, n_classes=N_CLASSES, rng=seeded_generator(0), augmentation=augmentation,
        margin=8, max_norm=0.5, schedule="cosine", n_steps=N_STEPS, weight_decay=1e-2,
        label_smoothing=0.1, devices=devices,
    )  # fmt: skip


def triplet(devices):
    """The published encoder and loss: pairs of the whole batch."""
    encoder = LSTMEncoder(4, n_features=8, hidden=(6,))
    return EncoderStep(
        encoder, n_classes=N_CLASSES, rng=seeded_generator(0), objective="triplet", margin=8,
        squared=True, devices=devices,
    )  # fmt: skip


def both(devices):
    """Both losses with batch norms."""
    encoder = CompactCNN(4, 48, n_features=8, sfreq=64.0, n_filters=2, n_maps=4, dropout=0.0)
    return EncoderStep(
        encoder, n_classes=N_CLASSES, rng=seeded_generator(0), objective="both", margin=8,
        devices=devices,
    )  # fmt: skip


def make_networks(**settings):
    sizes = {"n_features": 4, "size": SIZE, "color": 1, "width": 4}
    return DCGANGenerator(n_noise=4, **sizes), DCGANDiscriminator(**sizes, **settings)


def paper(devices):
    """The published GAN: batch norms in both networks, mode seeking, DiffAugment."""
    return GANStep(*make_networks(), rng=seeded_generator(0), devices=devices)


def everything(devices):
    """All that GANStep can do, the slope penalty with its second derivatives included."""
    guide = PictureCNN(N_CLASSES, size=SIZE, color=1, width=4)
    return GANStep(
        *make_networks(projection=True), rng=seeded_generator(0), noise="uniform", halved=True,
        n_adversarial_terms=2, mode_seeking=0.1, mode_seeking_every=2, mode_seeking_eps=1e-5,
        mode_seeking_noise="z_and_features", policy=("color", "translation", "cutout"),
        feature_jitter=0.1, mismatch=0.5, guide=guide, guidance=0.5, r1=0.1, r1_every=4,
        ema_decay=0.9, schedule="cosine", n_steps=N_STEPS, devices=devices,
    )  # fmt: skip


def classifier(devices):
    """Batch norms, jitter and DiffAugment."""
    return ClassifierStep(
        PictureCNN(N_CLASSES, size=SIZE, color=1, width=4), rng=seeded_generator(0),
        max_shift=2, contrast=0.3, noise=0.1, policy=("color", "translation"), devices=devices,
    )  # fmt: skip


SIGNAL_CASES = {"softmax": softmax, "triplet": triplet, "both": both}
PICTURE_CASES = {"paper": paper, "everything": everything}
CASES = {**SIGNAL_CASES, **PICTURE_CASES, "classifier": classifier}


def same(first, second) -> bool:
    """Say whether two states are equal bit for bit."""
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


def make_step(case: str, devices: Devices) -> TrainStep:
    with seeded(7):
        step = CASES[case](devices)
        for part in step.parts.values():  # else pictures of the published law are nearly grey
            if isinstance(part, nn.Module) and case in PICTURE_CASES:
                for weight in part.parameters():
                    weight.data *= 4 if weight.ndim > 1 else 1
    return step


def make_batches(case: str):
    with seeded(1):
        labels = torch.arange(30) % N_CLASSES
        signals = torch.randn(30, 4, 64) + labels[:, None, None] * torch.randn(4, 64)
        pictures = torch.randn(30, 1, SIZE, SIZE).clamp(-1, 1)
        features = torch.randn(30, 4)
    tensors = (signals, labels)
    if case in PICTURE_CASES:
        tensors = (pictures, features, labels)
    elif case == "classifier":
        tensors = (pictures, labels)
    return tensor_batches(tensors, balanced_index_batches(labels, batch_size=12, seed=0))


def train(case: str, devices: Devices, *, checkpoints: Path | None = None, n_steps: int = N_STEPS):
    """Return the state after training and the records that were logged."""
    step, records = make_step(case, devices), []
    fit(
        step, make_batches(case), n_steps=n_steps, checkpoints=checkpoints, resume=True,
        log=records.append, log_every=5,
    )  # fmt: skip
    return collect_state(step.parts), records


@pytest.fixture(scope="module")
def of_two_processes(tmp_path_factory):
    """Train all cases in two processes once; the folder of results."""
    folder = tmp_path_factory.mktemp("two")
    environment = {k: v for k, v in os.environ.items() if k not in ("LOCAL_RANK", "WORLD_SIZE")}
    subprocess.run(
        [sys.executable, __file__, "2", str(folder), *CASES],
        check=True,
        env=environment,
        timeout=200,
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", ["softmax", "triplet", "both", "paper", "everything", "classifier"]
)
def test_two_processes_train_the_model_that_one_trains(of_two_processes, case):
    state, records = train(case, ALONE)
    start = collect_state(make_step(case, ALONE).parts)
    networks = [name for name in state if name in ("encoder", "head", "generator", "discriminator",
                                                   "network", "ema")]  # fmt: skip
    for rank in range(2):
        found = torch.load(of_two_processes / f"{case}-{rank}.pt", weights_only=True)
        assert found["equal"], "both processes must hold the same bits"
        for name in networks:
            assert not same(state[name], start[name])  # something was learned
            torch.testing.assert_close(found["state"][name], state[name], rtol=0, atol=1e-5)
        assert torch.equal(found["state"]["rng"], state["rng"])
    first = torch.load(of_two_processes / f"{case}-0.pt", weights_only=True)["records"]
    assert [record["step"] for record in first] == [5, 10, 15, 20]
    for mine, one in zip(first, records, strict=True):
        assert mine.keys() == one.keys()
        assert mine["loss"] == pytest.approx(one["loss"], abs=1e-5)
    assert found["records"] == [], "only the first process keeps records"


@pytest.mark.slow
@pytest.mark.parametrize("case", ["both", "everything"])
def test_one_process_goes_on_from_a_checkpoint_of_two(of_two_processes, case):
    state, _ = train(case, ALONE)
    resumed, records = train(case, ALONE, checkpoints=of_two_processes / f"{case}-half")
    assert records[0]["step"] == 15
    for name in ("encoder", "head", "generator", "discriminator"):
        if name in state:
            torch.testing.assert_close(resumed[name], state[name], rtol=0, atol=1e-5)


if __name__ == "__main__":
    n_processes, folder, *cases = sys.argv[1:]
    devices = launch_devices(int(n_processes))
    for case in cases:
        train(case, devices, checkpoints=Path(folder) / f"{case}-half", n_steps=N_STEPS // 2)
        state, records = train(case, devices)
        results = {
            "state": state,
            "records": records,
            "equal": same(devices.agree(state), state),
        }
        torch.save(results, Path(folder) / f"{case}-{devices.rank}.pt")
