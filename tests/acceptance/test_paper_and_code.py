"""Where EEG2Image's paper and its released code differ: one switch each, against slow forms.

Lines of the table in the recipe's README; those about single layers and losses stand with them.
"""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.losses.triplet import semi_hard_triplet_loss
from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.encoders.lstm import LSTMEncoder
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.training.encoder_step import EncoderStep
from phosphene.training.gan_step import GANStep
from phosphene.training.seeding import seeded, seeded_generator

PAPER = {
    "noise": "normal",
    "n_adversarial_terms": 1,
    "halved": False,
    "mode_seeking_noise": "z",
    "mode_seeking_eps": 0.0,
}
CODE = {
    "noise": "uniform",
    "n_adversarial_terms": 2,
    "halved": True,
    "mode_seeking_noise": "z_and_features",
    "mode_seeking_eps": 0.1,  # 1e-5 there, which small networks would not show
}
DIFFERENCES = {name: {**PAPER, name: value} for name, value in CODE.items()}
N_NOISE, N_FEATURES = 4, 3


def make_networks(**generator):
    with seeded(0):
        networks = (
            DCGANGenerator(
                n_noise=N_NOISE, n_features=N_FEATURES, size=16, color=1, width=4, **generator
            ),
            DCGANDiscriminator(n_features=N_FEATURES, size=16, color=1, width=4),
        )
        for network in networks:
            for value in network.parameters():
                value.data.normal_(std=0.3)
    return [network.double() for network in networks]


def make_batch(n=6):
    rng = torch.Generator().manual_seed(3)
    real = torch.rand(n, 1, 16, 16, generator=rng, dtype=torch.float64) * 2 - 1
    return real, torch.randn(n, N_FEATURES, generator=rng, dtype=torch.float64)


def slow_step(real, f, *, noise, n_adversarial_terms, halved, mode_seeking_noise, mode_seeking_eps):
    """One update of both networks, term by term; return what was paid and the derivatives."""
    generator, discriminator = make_networks()
    rng = seeded_generator(1)

    def draw():
        if noise == "normal":
            return torch.randn(len(f), N_NOISE, generator=rng)
        return 2 * torch.rand(len(f), N_NOISE, generator=rng) - 1

    z1 = draw()
    fake1 = generator(z1, f)
    hinges = F.relu(1 - discriminator(real, f)), F.relu(1 + discriminator(fake1.detach(), f))
    loss_d = sum(hinge.mean() for hinge in hinges) / (2 if halved else 1)
    loss_d.backward()
    slopes_d = [value.grad.clone() for value in discriminator.parameters()]
    optimizer = torch.optim.Adam(discriminator.parameters(), 3e-4, betas=(0.2, 0.5), eps=1e-7)
    optimizer.step()
    z2 = draw()
    fake2 = generator(z2, f)
    loss_g = -discriminator(fake1, f).mean()
    if n_adversarial_terms == 2:
        loss_g = loss_g - discriminator(fake2, f).mean()
    joined = [torch.cat([z, f], 1) if mode_seeking_noise != "z" else z for z in (z1, z2)]
    ratio = (fake1 - fake2).abs().mean() / (joined[0] - joined[1]).abs().mean()
    seeking = 1 / (ratio + mode_seeking_eps)
    loss_g = loss_g + 1.0 * seeking
    slopes_g = torch.autograd.grad(loss_g, list(generator.parameters()))
    paid = {"loss": loss_g, "loss_discriminator": loss_d, "mode_seeking": seeking}
    return {name: value.detach() for name, value in paid.items()}, slopes_d, slopes_g


def fast_step(batch, **options):
    step = GANStep(*make_networks(), rng=seeded_generator(1), policy=(), **options)
    values = step(batch)
    slopes = [
        [value.grad for value in network.parameters()]
        for network in (step.discriminator, step.generator)
    ]
    return values, *slopes


@pytest.mark.parametrize(
    "options", [PAPER, CODE, *DIFFERENCES.values()], ids=["paper", "code", *DIFFERENCES]
)
def test_a_step_pays_what_each_side_writes(options):
    batch = make_batch()
    found, expected = fast_step(batch, **options), slow_step(*batch, **options)
    for name, value in expected[0].items():
        torch.testing.assert_close(found[0][name], value, msg=lambda text, n=name: f"{n}: {text}")
    for slopes in zip(found[1:], expected[1:], strict=True):
        for slope, slow in zip(*slopes, strict=True):
            torch.testing.assert_close(slope, slow, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", CODE)
def test_each_switch_changes_a_step(name):
    paper, changed = fast_step(make_batch())[0], fast_step(make_batch(), **DIFFERENCES[name])[0]
    assert any(not torch.isclose(value, changed[key]) for key, value in paper.items())


def test_adam_has_the_released_numbers_in_both_stages():
    gan = GANStep(*make_networks(), rng=seeded_generator(0))
    for optimizer in gan.pair.optimizers:
        (group,) = optimizer.param_groups
        assert (group["lr"], group["betas"], group["eps"]) == (3e-4, (0.2, 0.5), 1e-7)
        assert group["weight_decay"] == 0
    encoder = EncoderStep(LSTMEncoder(2, n_features=4), n_classes=2, rng=seeded_generator(0))
    for group in encoder.optimizer.param_groups:
        assert (group["lr"], group["betas"], group["eps"]) == (3e-4, (0.9, 0.999), 1e-7)
        assert group["weight_decay"] == 0


def test_executed_generators_gather_no_statistics_in_training():
    """After training the released checkpoint's statistics would be exactly 0 and 1."""
    step = GANStep(*make_networks(norm="affine"), rng=seeded_generator(1), **CODE)
    for _ in range(3):
        step(make_batch())
    for norm in step.generator.norms:
        assert not norm.running_mean.any()
        assert (norm.running_var == 1).all()
    assert any(norm.running_mean.any() for norm in step.discriminator.norms)


def test_written_generators_keep_kernels_of_gain_one_in_training():
    step = GANStep(*make_networks(spectral_norm=True), rng=seeded_generator(1), **CODE)
    for _ in range(20):
        step(make_batch())
    step.generator.train()(torch.randn(2, N_NOISE), make_batch(2)[1])  # after the last update
    for layer in (step.generator.first, *step.generator.grow, step.generator.last):
        gain = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert gain == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("squared", [True, False], ids=["paper", "code"])
@pytest.mark.parametrize("margin", [1.0, 0.3])
def test_triplets_compare_directions_and_features_keep_their_lengths(squared, margin):
    """Losses see features of length one; generator and k-means get them as they are."""
    with seeded(0):
        encoder = LSTMEncoder(3, n_features=8, hidden=() if squared else (4,))
    step = EncoderStep(
        encoder,
        n_classes=2,
        rng=seeded_generator(1),
        objective="triplet",
        squared=squared,
        margin_loss=margin,
    )
    signals = torch.randn(10, 3, 12, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(10) % 2
    features = step.features(signals)
    torch.testing.assert_close(features, encoder(signals))
    assert (features.norm(dim=1) - 1).abs().min() > 0.05
    directions = features / features.norm(dim=1, keepdim=True)
    expected = semi_hard_triplet_loss(directions, labels, margin=margin, squared=squared)
    torch.testing.assert_close(step((signals, labels))["loss"], expected)
