import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from phosphene.models.discriminators.thoughtviz import (
    Judgement,
    ThoughtVizGlyphDiscriminator,
    ThoughtVizImageDiscriminator,
)
from phosphene.models.generators.thoughtviz import (
    ThoughtVizGlyphGenerator,
    ThoughtVizImageGenerator,
)
from phosphene.training.auxiliary_gan_step import AuxiliaryGANStep
from phosphene.training.batches import balanced_index_batches, tensor_batches
from phosphene.training.loop import fit
from phosphene.training.seeding import seeded, seeded_generator

NETS = ("generator", "discriminator")
THOUGHTVIZ = {"guide": nn.Sequential(nn.Flatten(), nn.Linear(768, 2))}
ACGAN = {"n_classes": 2, "mixture": "none", "fusion": "concatenate"}
EVERYTHING = {
    "n_classes": 2,
    "guide": nn.Sequential(nn.Flatten(), nn.Linear(768, 2)),
    "separate_pass": True,
    "feature_jitter": 0.1,
    "ema_decay": 0.9,
    "schedule": "cosine",
    "n_steps": 9,
    "policy": ("color", "translation"),
    "noise": "normal",
}


def make_step(*, n_classes=None, mixture="z", fusion="multiply", **options):
    with seeded(0):
        generator = ThoughtVizImageGenerator(
            n_noise=4, n_features=3, size=16, width=2, mixture=mixture, fusion=fusion
        )
        discriminator = ThoughtVizImageDiscriminator(size=16, width=2, n_classes=n_classes)
    return AuxiliaryGANStep(generator, discriminator, rng=seeded_generator(1), **options)


def make_batch(n=8):
    rng = torch.Generator().manual_seed(0)
    pictures = torch.rand(n, 3, 16, 16, generator=rng) * 2 - 1
    return pictures, torch.randn(n, 3, generator=rng), torch.arange(n) % 2


def weights(step):
    return {name: [p.detach().clone() for p in getattr(step, name).parameters()] for name in NETS}


def moved(step, before):
    return {
        name
        for name, now in weights(step).items()
        if any(not torch.equal(p, old) for p, old in zip(now, before[name], strict=True))
    }


@pytest.mark.parametrize(
    "options", [THOUGHTVIZ, ACGAN, EVERYTHING], ids=["thoughtviz", "acgan", "everything"]
)
def test_an_interrupted_run_ends_bit_for_bit_as_if_undisturbed(tmp_path, options):
    batch = make_batch(30)
    indices = balanced_index_batches(batch[2], batch_size=8, seed=0)
    batches = tensor_batches(batch, indices)
    whole = make_step(**options)
    fit(whole, batches, n_steps=9)
    fit(make_step(**options), batches, n_steps=5, checkpoints=tmp_path)
    torch.rand(5)  # a global state that differs must not matter
    resumed = make_step(**options)
    fit(resumed, batches, n_steps=9, checkpoints=tmp_path, resume=True)
    for name in NETS:
        expected = getattr(whole, name).state_dict()
        for key, value in getattr(resumed, name).state_dict().items():
            assert torch.equal(value, expected[key]), key
    if whole.pair.ema is not None:
        assert torch.equal(whole.sampler.first.weight, resumed.sampler.first.weight)


def test_each_update_moves_its_own_network_alone():
    step = make_step(n_classes=2)
    real, f, labels = make_batch()
    fake = step.generator(step.pair.draw_noise(8), f)
    for images, is_real in ((real, True), (fake.detach(), False)):
        before = weights(step)
        step._update_discriminator(images, labels, is_real=is_real)
        assert moved(step, before) == {"discriminator"}
    before = weights(step)
    step._update_generator(fake, labels)
    assert moved(step, before) == {"generator"}
    assert all(p.requires_grad for p in step.discriminator.parameters())


def test_updates_are_those_of_the_released_order():
    """Real pictures, then generated ones, then the generator against the discriminator by then."""
    options = {"lr_discriminator": 1e-2, "lr_generator": 1e-2, "inference_mode": True}
    step = make_step(n_classes=2, **options)
    slow = make_step(n_classes=2)
    g, d = slow.generator.eval(), slow.discriminator.eval()
    adams = [
        torch.optim.Adam(net.parameters(), 1e-2, betas=(0.5, 0.999), eps=1e-7) for net in (d, g)
    ]
    real, f, labels = make_batch()
    ones, zeros = torch.ones(8), torch.zeros(8)

    def loss(images, target):
        logit, class_logits = d(images)
        odds = logit.sigmoid()
        return F.binary_cross_entropy(odds, target) + F.cross_entropy(class_logits, labels)

    for _ in range(2):
        z = slow.pair.draw_noise(8)
        losses = []
        for images, target in ((real, ones), (g(z, f).detach(), zeros)):
            adams[0].zero_grad()
            losses.append(loss(images, target))
            losses[-1].backward()
            adams[0].step()
        adams[1].zero_grad()
        total = loss(g(z, f), ones) + 0.01 * g.gaussian.scale.square().sum()
        total.backward()
        adams[1].step()
        slow.pair.rng.set_state(_after(step, real, f, labels, losses, total))
    for name, net in (("generator", g), ("discriminator", d)):
        for p, expected in zip(getattr(step, name).parameters(), net.parameters(), strict=True):
            torch.testing.assert_close(p, expected, rtol=1e-3, atol=1e-5)


def _after(step, real, f, labels, losses, total):
    """Take a step, compare its losses, and return the state of its generator of draws."""
    values = step((real, f, labels))
    torch.testing.assert_close(values["loss_discriminator"], sum(losses).detach() / 2)
    torch.testing.assert_close(values["loss"], total.detach(), rtol=1e-4, atol=1e-5)
    return step.pair.rng.get_state()


def test_logs_what_there_is():
    always = {"loss", "loss_discriminator", "logit_real", "logit_fake"}
    batch = make_batch()
    assert make_step()(batch).keys() == always
    assert make_step(n_classes=2)(batch).keys() == always | {"auxiliary"}
    assert make_step(**THOUGHTVIZ)(batch).keys() == always | {"guidance"}
    assert make_step(n_classes=2, auxiliary=0.0)(batch).keys() == always
    assert make_step(**THOUGHTVIZ, guidance=0.0)(batch).keys() == always


def test_inference_mode_uses_and_keeps_the_statistics_of_the_start():
    step = make_step(n_classes=2, inference_mode=True)
    step(make_batch())
    for network in (step.generator, step.discriminator):
        assert not network.training
        for name, value in network.named_buffers():
            if name.endswith("running_mean"):
                assert not value.any()
            elif name.endswith("running_var"):
                assert torch.equal(value, torch.ones_like(value))
    logits = [step._judge(make_batch()[0])[0] for _ in range(2)]
    assert torch.equal(*logits)  # nothing is dropped
    plain = make_step(n_classes=2)
    plain(make_batch())
    assert plain.generator.training
    assert plain.discriminator.training
    assert plain.generator.norm.running_mean.any()
    assert not torch.equal(*(plain._judge(make_batch()[0])[0] for _ in range(2)))


def test_a_separate_pass_shows_the_discriminator_evaluation_pictures():
    step = make_step(separate_pass=True)
    shown = []
    update = step._update_discriminator
    step._update_discriminator = lambda images, *args, **options: (
        shown.append(images),
        update(images, *args, **options),
    )[1]
    twin = make_step()
    _, f, _ = batch = make_batch()
    expected = twin.generator.eval()(twin.pair.draw_noise(8), f)
    step(batch)
    torch.testing.assert_close(shown[1], expected)
    assert not shown[1].requires_grad
    assert step.generator.training


def test_scales_of_the_gaussian_layer_shrink_by_the_penalty_alone():
    class Blind(nn.Module):
        """Answers 0 to every picture, with a gradient of 0."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, images):
            return Judgement(0 * images.mean((1, 2, 3)) + self.weight, None)

    step = make_step(lr_generator=1e-3)
    step.discriminator = Blind()
    before = step.generator.gaussian.scale.detach().clone()
    mean = step.generator.gaussian.mean.detach().clone()
    values = step(make_batch())
    after = step.generator.gaussian.scale.detach()
    assert (after.abs() < before.abs()).all()
    assert torch.equal(step.generator.gaussian.mean.detach(), mean)
    expected = torch.tensor(2.0).log() + 0.01 * before.square().sum()
    torch.testing.assert_close(values["loss"], expected)


class Brightness(nn.Module):
    """Calls a picture class 1 as far as it is bright."""

    def forward(self, images):
        mean = 10 * images.mean((1, 2, 3))
        return torch.stack([-mean, mean], 1)


def test_a_guide_pulls_pictures_to_their_class():
    with seeded(0):
        generator = ThoughtVizGlyphGenerator(n_noise=4, n_features=2, size=16, width=2)
        discriminator = ThoughtVizGlyphDiscriminator(size=16, width=2)
    step = AuxiliaryGANStep(
        generator,
        discriminator,
        rng=seeded_generator(1),
        guide=Brightness(),
        guidance=5.0,
        lr_generator=1e-2,
        lr_discriminator=1e-4,
    )
    labels = torch.arange(16) % 2
    f = F.one_hot(labels).float()
    batch = (make_batch(16)[0][:, :1], f, labels)
    values = [step(batch) for _ in range(25)]
    assert values[-1]["guidance"] < 0.7 * values[0]["guidance"]
    means = step.sampler(step.pair.draw_noise(16), f).mean((1, 2, 3))
    assert means[labels == 1].mean() > means[labels == 0].mean() + 0.1


def test_a_head_of_its_own_learns_the_classes_of_real_pictures():
    with seeded(0):
        generator = ThoughtVizGlyphGenerator(n_noise=4, n_features=2, size=16, width=2)
        discriminator = ThoughtVizGlyphDiscriminator(size=16, width=4, n_classes=2)
    step = AuxiliaryGANStep(
        generator, discriminator, rng=seeded_generator(1), lr_discriminator=3e-3
    )
    labels = torch.arange(16) % 2
    pictures = (labels.float() - 0.5)[:, None, None, None].expand(-1, 1, 16, 16)
    for _ in range(25):
        step((pictures, F.one_hot(labels).float(), labels))
    assert torch.equal(discriminator(pictures).class_logits.argmax(1), labels)


def test_the_guide_itself_stays_as_it_is_and_out_of_the_checkpoint():
    guide = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(768), nn.Linear(768, 2))
    before = {name: value.clone() for name, value in guide.state_dict().items()}
    step = make_step(guide=guide)
    step(make_batch())
    assert all(torch.equal(value, before[name]) for name, value in guide.state_dict().items())
    assert all(weight.grad is None for weight in guide.parameters())
    assert guide not in step.parts.values()


def test_refusals():
    with pytest.raises(ValueError, match="`guidance` must be at least 0"):
        make_step(guidance=-1.0)
    with pytest.raises(ValueError, match="`auxiliary` must be at least 0"):
        make_step(auxiliary=-1.0)
