import copy

import pytest
import torch
from torch import nn

from phosphene.training.adversarial_pair import AdversarialPair
from phosphene.training.seeding import seeded, seeded_generator


class Generator(nn.Module):
    """Draws four pixels from two numbers."""

    n_noise = 2

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 4)

    def forward(self, z):
        return self.layer(z).view(-1, 1, 2, 2)


def make_pair(**options):
    with seeded(0):
        networks = Generator(), nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    wanted = {"lr_generator": 0.1, "lr_discriminator": 0.2, "betas": (0.5, 0.9), "eps": 1e-7}
    return AdversarialPair(*networks, rng=seeded_generator(1), **{**wanted, **options})


def copied(network):
    return [weight.detach().clone() for weight in network.parameters()]


def same(network, before):
    return all(map(torch.equal, network.parameters(), before))


@pytest.mark.parametrize(("law", "deviation"), [("normal", 1.0), ("uniform", 3**-0.5)])
def test_noise_has_its_law(law, deviation):
    z = make_pair(noise=law).draw_noise(4000)
    assert z.shape == (4000, 2)
    assert float(z.mean()) == pytest.approx(0, abs=0.03)
    assert float(z.std()) == pytest.approx(deviation, rel=0.03)
    assert (float(z.abs().max()) <= 1) == (law == "uniform")


def test_all_draws_come_from_its_generator():
    pictures = torch.rand(3, 1, 16, 16)
    draws = []
    for _ in range(2):
        pair = make_pair(policy=("color", "translation"))
        torch.rand(5)  # a global state that differs must not matter
        draws.append(
            (pair.draw_noise(3), pair.draw_normal(torch.Size((2, 2))), pair.augment(pictures))
        )
    assert all(map(torch.equal, *draws))
    assert not torch.equal(draws[0][2], pictures)
    assert not torch.equal(pair.draw_noise(3), draws[0][0])
    assert torch.equal(make_pair().augment(pictures), pictures)  # no policy


def test_an_update_moves_its_own_network_by_a_step_of_adam():
    pair = make_pair()
    nets = pair.generator, pair.discriminator
    for own, other, update, lr in (
        (nets[1], nets[0], pair.update_discriminator, 0.2),
        (nets[0], nets[1], pair.update_generator, 0.1),
    ):
        before = copied(own), copied(other)
        update(pair.discriminator(pair.generator(pair.draw_noise(8))).mean())
        assert same(other, before[1])
        moves = [(now - old).abs() for now, old in zip(own.parameters(), before[0], strict=True)]
        for move in moves:  # Adam's first step is one of its rate, whatever the slope
            torch.testing.assert_close(move, torch.full_like(move, lr), rtol=1e-3, atol=0.0)


def test_gradients_of_the_other_update_do_not_add_up():
    pair = make_pair()
    fake = pair.generator(pair.draw_noise(8))
    pair.update_discriminator(pair.discriminator(fake.detach()).mean())
    pair.discriminator(fake).mean().backward(retain_graph=True)  # leaves slopes in both
    twin = copy.deepcopy(pair.generator)
    twin.zero_grad()
    loss = fake.square().mean()
    expected = torch.autograd.grad(loss, list(pair.generator.parameters()), retain_graph=True)
    pair.update_generator(loss)
    for weight, slope in zip(pair.generator.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, slope)


def test_a_finished_step_changes_rates_and_average_and_is_counted():
    pair = make_pair(schedule="cosine", n_steps=4, ema_decay=0.9)
    start = copied(pair.generator)
    for n_done, share in ((1, 0.5 + 0.5 * 2**-0.5), (2, 0.5)):
        fake = pair.generator(pair.draw_noise(4))
        pair.update_discriminator(pair.discriminator(fake.detach()).mean())
        pair.update_generator(fake.square().mean())
        pair.finish_step()
        assert pair.n_done == n_done
        rates = [optimizer.param_groups[0]["lr"] for optimizer in pair.optimizers]
        assert rates == pytest.approx([0.2 * share, 0.1 * share])
    assert pair.ema.n_updates == 2
    ends = zip(start, copied(pair.sampler), copied(pair.generator), strict=True)
    for old, averaged, now in ends:
        low, high = torch.minimum(old, now), torch.maximum(old, now)
        assert ((averaged > low) & (averaged < high)).all()


def test_sampler_is_the_average_in_evaluation_mode():
    pair = make_pair(ema_decay=0.9)
    assert pair.sampler is pair.ema.module
    assert not pair.sampler.training
    plain = make_pair()
    assert plain.sampler is plain.generator
    assert not plain.generator.training


def test_parts_have_the_names_that_checkpoints_know():
    names = [
        *("generator", "discriminator", "optimizer_discriminator", "optimizer_generator"),
        *("schedule_discriminator", "schedule_generator", "rng"),
    ]
    assert list(make_pair().parts) == names
    assert list(make_pair(ema_decay=0.5).parts) == [*names, "ema"]


def test_refusals():
    with pytest.raises(ValueError, match="Did you mean 'uniform'"):
        make_pair(noise="unifrom")
    with pytest.raises(ValueError, match="`lr_generator` must be greater than 0"):
        make_pair(lr_generator=0.0)
    with pytest.raises(ValueError, match="`lr_discriminator` must be greater than 0"):
        make_pair(lr_discriminator=-1.0)
