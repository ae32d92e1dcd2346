from math import exp

import pytest
import torch

from phosphene.losses.vae import bernoulli_reconstruction_loss, gaussian_reconstruction_loss
from phosphene.models.autoencoders.picture_vae import PictureEncoder
from phosphene.models.generators.brain2image import Brain2ImageGenerator
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.loop import TrainStep, fit
from phosphene.training.seeding import seeded, seeded_generator
from phosphene.training.vae_step import VAEStep

PLAIN = {}
EVERYTHING = {
    "likelihood": "bernoulli",
    "kl_weight": 0.5,
    "n_kl_warmup": 6,
    "feature_jitter": 0.1,
    "ema_decay": 0.9,
    "schedule": "cosine",
    "n_steps": 9,
    "n_warmup": 2,
}
SIZES = {"n_noise": 4, "n_features": 3, "size": 16, "color": 1, "width": 4}


def make_step(**options):
    with seeded(0):
        decoder, encoder = Brain2ImageGenerator(**SIZES), PictureEncoder(**SIZES)
    return VAEStep(decoder, encoder, rng=seeded_generator(1), **options)


def make_batch(n=8):
    rng = torch.Generator().manual_seed(0)
    return torch.rand(n, 1, 16, 16, generator=rng) * 2 - 1, torch.randn(n, 3, generator=rng)


@pytest.mark.parametrize("options", [PLAIN, EVERYTHING], ids=["plain", "everything"])
def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path, options):
    one_class = torch.zeros(30, dtype=torch.int64)
    indices = balanced_index_batches(one_class, batch_size=8, seed=0)
    batches = tensor_batches(make_batch(30), indices)
    whole = make_step(**options)
    assert isinstance(whole, TrainStep)
    fit(whole, batches, n_steps=9)
    fit(make_step(**options), batches, n_steps=5, checkpoints=tmp_path)
    resumed = make_step(**options)
    fit(resumed, batches, n_steps=9, checkpoints=tmp_path, resume=True)
    for name in ("decoder", "encoder"):
        expected = getattr(whole, name).state_dict()
        for key, value in getattr(resumed, name).state_dict().items():
            assert torch.equal(value, expected[key]), key
    if whole.ema is not None:
        assert torch.equal(whole.sampler.last.weight, resumed.sampler.last.weight)


def test_learns_which_picture_belongs_to_which_features():
    """Two kinds of bars, told apart by f: pictures drawn from noise alone follow f."""
    rng = torch.Generator().manual_seed(3)
    f = torch.eye(3)[torch.arange(32) % 2]
    pictures = -torch.ones(32, 1, 16, 16)
    pictures[0::2, :, 4:8] = 1
    pictures[1::2, :, :, 4:8] = 1
    pictures += 0.1 * torch.randn(pictures.shape, generator=rng)
    step = make_step(lr=1e-2)
    first = step((pictures, f))
    for _ in range(40):
        last = step((pictures, f))
    assert last["loss"] < first["loss"]
    assert last["pixel_error"] < 0.5 * first["pixel_error"]
    with torch.no_grad():
        drawn = step.sampler(torch.randn(32, 4, generator=rng), f)
    rows, columns = drawn[:, 0, 4:8].mean((1, 2)), drawn[:, 0, :, 4:8].mean((1, 2))
    assert ((rows > columns) == (f[:, 0] == 1)).all()


def test_the_loss_is_the_sum_of_its_weighted_parts():
    values = make_step(kl_weight=3.0)(make_batch())
    assert values.keys() == {"loss", "reconstruction", "divergence", "pixel_error"}
    expected = values["reconstruction"] + 3 * values["divergence"]
    torch.testing.assert_close(values["loss"], expected)


def test_the_divergence_becomes_dear_step_by_step():
    step = make_step(kl_weight=2.0, n_kl_warmup=4)
    weights = []
    for _ in range(6):
        weights.append(step.divergence_weight)
        step(make_batch())
    assert weights == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]
    assert make_step().divergence_weight == 1


@pytest.mark.parametrize(
    ("options", "loss"),
    [
        ({}, gaussian_reconstruction_loss),
        (
            {"deviation": 0.5},
            lambda decoded, pictures: gaussian_reconstruction_loss(
                decoded, pictures, deviation=0.5
            ),
        ),
        ({"likelihood": "bernoulli"}, bernoulli_reconstruction_loss),
    ],
    ids=["most likely", "fixed", "bernoulli"],
)
def test_each_likelihood_is_its_own(options, loss):
    decoded, pictures = make_batch()[0], make_batch(16)[0][8:]
    found = make_step(**options)._reconstruction(decoded, pictures)
    torch.testing.assert_close(found, loss(decoded, pictures))


def test_noise_follows_the_moments_and_lets_gradients_through():
    step = make_step()
    mean = torch.full((4000, 4), 2.0, requires_grad=True)
    log_variance = torch.full((4000, 4), -2.0, requires_grad=True)
    z = step.draw_noise(mean, log_variance)
    assert z.mean().item() == pytest.approx(2, abs=0.02)
    assert z.var().item() == pytest.approx(exp(-2), rel=0.05)
    z.sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(4000, 4))
    torch.testing.assert_close(log_variance.grad, (z.detach() - 2) / 2)


def test_labels_are_not_used():
    pictures, f = make_batch()
    alone, labelled = make_step(), make_step()
    alone((pictures, f))
    labelled((pictures, f, torch.zeros(8, dtype=torch.int64)))
    for first, second in zip(alone.weights, labelled.weights, strict=True):
        assert torch.equal(first, second)


def test_sampler_is_the_average_in_evaluation_mode():
    step = make_step(ema_decay=0.9)
    step(make_batch())
    assert step.sampler is step.ema.module
    assert not step.sampler.training
    plain = make_step()
    assert plain.sampler is plain.decoder
    assert not plain.sampler.training


def test_refusals():
    with pytest.raises(ValueError, match="Did you mean 'gaussian'"):
        make_step(likelihood="gausian")
    with pytest.raises(ValueError, match=r"belongs to the Gaussian likelihood; got 0\.5"):
        make_step(likelihood="bernoulli", deviation=0.5)
    with pytest.raises(ValueError, match="`kl_weight` must be at least 0"):
        make_step(kl_weight=-1.0)
    with pytest.raises(ValueError, match="`n_kl_warmup` must be at least 0"):
        make_step(n_kl_warmup=-1)
