from math import exp, log

import pytest
import torch

from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.gan_step import GANStep
from phosphene.training.loop import fit
from phosphene.training.seeding import seeded, seeded_generator

PAPER = {}
CODE = {
    "noise": "uniform",
    "n_adversarial_terms": 2,
    "halved": True,
    "mode_seeking_eps": 1e-5,
    "mode_seeking_noise": "z_and_features",
}
ORIGINAL = {"loss": "bce", "mode_seeking": 0.0, "policy": (), "mismatch": 0.5}
EVERYTHING = {
    "mode_seeking_every": 2,
    "feature_jitter": 0.1,
    "mismatch": 0.5,
    "r1": 0.1,
    "r1_every": 2,
    "ema_decay": 0.9,
    "schedule": "cosine",
    "n_steps": 9,
    "policy": ("color", "translation", "cutout"),
}


def make_step(**options):
    with seeded(0):
        generator = DCGANGenerator(n_noise=4, n_features=3, size=16, color=1, width=2)
        discriminator = DCGANDiscriminator(n_features=3, size=16, color=1, width=2)
    return GANStep(generator, discriminator, rng=seeded_generator(1), **options)


def make_batch(n=8):
    rng = torch.Generator().manual_seed(0)
    return torch.rand(n, 1, 16, 16, generator=rng) * 2 - 1, torch.randn(n, 3, generator=rng)


@pytest.mark.parametrize(
    "options",
    [PAPER, CODE, ORIGINAL, EVERYTHING],
    ids=["paper", "code", "original", "everything"],
)
def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path, options):
    one_class = torch.zeros(30, dtype=torch.int64)
    indices = balanced_index_batches(one_class, batch_size=8, seed=0)
    batches = tensor_batches(make_batch(30), indices)
    whole = make_step(**options)
    fit(whole, batches, n_steps=9)
    fit(make_step(**options), batches, n_steps=5, checkpoints=tmp_path)
    resumed = make_step(**options)
    fit(resumed, batches, n_steps=9, checkpoints=tmp_path, resume=True)
    for name in ("generator", "discriminator"):
        expected = getattr(whole, name).state_dict()
        for key, value in getattr(resumed, name).state_dict().items():
            assert torch.equal(value, expected[key]), key
    if whole.pair.ema is not None:
        assert torch.equal(whole.sampler.last.weight, resumed.sampler.last.weight)


def test_each_update_moves_its_own_network_alone():
    step = make_step()
    real, f = make_batch()
    z = step.pair.draw_noise(len(f))
    fake = step.generator(z, f)
    before = {name: [p.clone() for p in getattr(step, name).parameters()] for name in NETS}
    step._update_discriminator(real, fake.detach(), f)
    assert moved(step, before) == {"discriminator"}
    before = {name: [p.clone() for p in getattr(step, name).parameters()] for name in NETS}
    step._update_generator(fake, z, f, None)
    assert moved(step, before) == {"generator"}


NETS = ("generator", "discriminator")


def moved(step, before):
    return {
        name
        for name in NETS
        if any(
            not torch.equal(p, old)
            for p, old in zip(getattr(step, name).parameters(), before[name], strict=True)
        )
    }


def test_logs_both_losses_and_logits():
    values = make_step()(make_batch())
    assert values.keys() == {
        "loss",
        "loss_discriminator",
        "logit_real",
        "logit_fake",
        "mode_seeking",
    }
    assert "mode_seeking" not in make_step(mode_seeking=0.0)(make_batch())


def test_mode_seeking_may_take_turns():
    step = make_step(mode_seeking=0.5, mode_seeking_every=3)
    turns = ["mode_seeking" in step(make_batch()) for _ in range(7)]
    assert turns == [True, False, False, True, False, False, True]


def test_the_code_halves_mode_seeking_less_the_share_of_noise():
    """Columns of equal features lower the noise distance to 4 of 4 + 3 columns."""
    first, second = torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4)
    z1, z2 = torch.randn(2, 4), torch.randn(2, 4)
    alone = make_step()._mode_seeking(first, second, z1, z2)
    joined = make_step(mode_seeking_noise="z_and_features")._mode_seeking(first, second, z1, z2)
    torch.testing.assert_close(joined, alone * 4 / 7)


def test_a_guide_pulls_pictures_to_the_class_of_their_trial():
    class Brightness(torch.nn.Module):
        """Calls a picture class 1 as far as it is bright."""

        def forward(self, images):
            mean = 10 * images.mean((1, 2, 3))
            return torch.stack([-mean, mean], 1)

    real, f = make_batch()
    means = []
    for label in (0, 1):
        step = make_step(
            guide=Brightness(), guidance=50.0, policy=(), mode_seeking=0.0, lr_generator=1e-2
        )
        batch = (real, f, torch.full((8,), label))
        values = [step(batch) for _ in range(8)]
        assert values[-1]["guidance"] < values[0]["guidance"]
        means.append(step.sampler.train()(step.pair.draw_noise(8), f).mean())
    assert means[0] < means[1]


class Fixed(torch.nn.Module):
    """Calls every picture the same."""

    def __init__(self, logit):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(logit))

    def forward(self, images, f):
        return self.weight + 0 * (images.mean((1, 2, 3)) + f.mean(1))


@pytest.mark.parametrize(
    ("loss", "discriminator", "generator"),
    [
        ("hinge", 0.5 + (1 + 0.5) * 1.5, -0.5),  # real 1 - 0.5, generated and mismatched 1 + 0.5
        ("bce", log(1 + exp(-0.5)) + 1.5 * log(1 + exp(0.5)), log(1 + exp(-0.5))),
    ],
)
def test_each_loss_has_its_own_terms(loss, discriminator, generator):
    step = make_step(loss=loss, mismatch=0.5, mode_seeking=0.0)
    step.discriminator = Fixed(0.5)
    real, f = make_batch()
    fake = step.generator(step.pair.draw_noise(8), f)
    values = step._update_discriminator(real, fake.detach(), f)
    assert values["loss_discriminator"].item() == pytest.approx(discriminator)
    values = step._update_generator(fake, fake, f, None)
    assert values["loss"].item() == pytest.approx(generator)


@pytest.mark.parametrize("n_classes", [2, 3, 4, 5])
def test_mismatched_features_are_of_another_class_in_balanced_batches(n_classes):
    class Listener(torch.nn.Module):
        """Notes the features that it is asked about."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))
            self.asked = []

        def forward(self, images, f):
            self.asked.append(f[:, 0].int())
            return self.weight + images.mean((1, 2, 3))

    step = make_step(mismatch=1.0)
    step.discriminator = Listener()
    labels = torch.arange(n_classes).repeat_interleave(4)
    f = labels[:, None].float().expand(-1, 3)
    real = torch.zeros(len(f), 1, 16, 16)
    step._update_discriminator(real, real, f)
    _, _, wrong = step.discriminator.asked
    assert (wrong != labels).all()


def test_the_guide_itself_stays_as_it_is():
    guide = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.BatchNorm1d(256))
    guide.append(torch.nn.Linear(256, 2))
    before = {name: value.clone() for name, value in guide.state_dict().items()}
    make_step(guide=guide, guidance=1.0)((*make_batch(), torch.zeros(8, dtype=torch.int64)))
    assert all(torch.equal(value, before[name]) for name, value in guide.state_dict().items())


def test_without_a_guide_labels_are_neither_needed_nor_used():
    real, f = make_batch()
    alone, labelled = make_step(), make_step()
    values = alone((real, f)), labelled((real, f, torch.zeros(8, dtype=torch.int64)))
    assert "guidance" not in values[0]
    assert values[0].keys() == values[1].keys()
    for first, second in zip(
        alone.generator.parameters(), labelled.generator.parameters(), strict=True
    ):
        assert torch.equal(first, second)


def test_the_guide_is_no_part_of_the_checkpoint_and_gets_no_gradient():
    guide = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 2))
    step = make_step(guide=guide, guidance=1.0)
    step((*make_batch(), torch.zeros(8, dtype=torch.int64)))
    assert all(weight.grad is None for weight in guide.parameters())
    assert guide not in step.parts.values()


def test_refusals():
    with pytest.raises(ValueError, match="`loss` must be one of 'bce', 'hinge'"):
        make_step(loss="mse")
    with pytest.raises(ValueError, match="needs a classifier to guide; got a weight of 2 and none"):
        make_step(guidance=2.0)
    with pytest.raises(ValueError, match="`mode_seeking_noise` must be one of"):
        make_step(mode_seeking_noise="f")
    with pytest.raises(ValueError, match="`n_adversarial_terms` must be 1 or 2; got 3"):
        make_step(n_adversarial_terms=3)
