import pytest
import torch
from torch import nn

from phosphene.models.autoencoders.lfp_picture import SMALL_SIZE, LFPPictureAutoencoder
from phosphene.models.autoencoders.lfp_signal import SignalAutoencoder
from phosphene.training.autoencoder_step import AutoencoderStep
from phosphene.training.batches import index_batches, tensor_batches
from phosphene.training.loop import TrainStep, fit
from phosphene.training.seeding import seeded, seeded_generator

EVERYTHING = {"noise": 0.3, "ema_decay": 0.9, "schedule": "cosine", "n_steps": 4, "n_warmup": 2}


def make_step(network=SignalAutoencoder, size=(3, 210), **options):
    with seeded(0):
        built = network(*size) if network is SignalAutoencoder else network(size)
    return AutoencoderStep(built, rng=seeded_generator(1), **options)


def make_signals(n=12):
    times = torch.arange(210) / 30
    rates = torch.linspace(0.5, 2, n)[:, None, None]
    signals = (rates * times + torch.arange(3)[:, None]).sin()
    return nn.functional.layer_norm(signals, (3, 210))


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["thesis", "everything"])
def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path, options):
    batches = tensor_batches([make_signals()], index_batches(12, batch_size=4, seed=0))
    whole = make_step(**options)
    assert isinstance(whole, TrainStep)
    fit(whole, batches, n_steps=4)
    fit(make_step(**options), batches, n_steps=2, checkpoints=tmp_path)
    resumed = make_step(**options)
    fit(resumed, batches, n_steps=4, checkpoints=tmp_path, resume=True)
    for name, value in resumed.sampler.state_dict().items():
        assert torch.equal(value, whole.sampler.state_dict()[name]), name


def test_learns_signals():
    step, signals = make_step(lr=1e-2), make_signals()
    losses = [step((signals,))["loss"] for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]
    assert not step.sampler.training


def test_learns_pictures():
    step = make_step(LFPPictureAutoencoder, SMALL_SIZE, lr=1e-2)
    rows = torch.linspace(-1, 1, 54)[:, None].expand(54, 69)
    pictures = torch.stack([rows, -rows, rows.abs()])[:, None]
    losses = [step((pictures,))["loss"] for _ in range(30)]
    assert losses[-1] < 0.3 * losses[0]


def test_noise_is_added_to_the_input_alone():
    """A network that gives back what it gets is off by the noise."""

    class Echo(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, signals):
            return signals + self.weight

    signals = make_signals(64)
    step = AutoencoderStep(Echo(), rng=seeded_generator(0), noise=0.5)
    assert step((signals,))["loss"].item() == pytest.approx(0.25, rel=0.05)
    assert AutoencoderStep(Echo())((signals,))["loss"] == 0


def test_further_tensors_of_a_batch_are_not_used():
    alone, labelled = make_step(), make_step()
    signals = make_signals()
    assert alone((signals,))["loss"] == labelled((signals, torch.zeros(12)))["loss"]


def test_refusals():
    with pytest.raises(ValueError, match="`lr` must be greater than 0"):
        make_step(lr=0.0)
    with pytest.raises(ValueError, match="`noise` must be at least 0"):
        make_step(noise=-1.0)
    with pytest.raises(ValueError, match=r"noise needs a source of draws; got 0\.1 and none"):
        AutoencoderStep(nn.Linear(2, 2), noise=0.1)
