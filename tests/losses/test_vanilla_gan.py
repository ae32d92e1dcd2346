from math import log

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.losses.vanilla_gan import bce_discriminator_loss, bce_generator_loss


def test_knowing_nothing_costs_a_bit_each():
    nothing = torch.zeros(5)
    torch.testing.assert_close(bce_discriminator_loss(nothing, nothing), torch.tensor(2 * log(2)))
    halved = bce_discriminator_loss(nothing, nothing, halved=True)
    torch.testing.assert_close(halved, torch.tensor(log(2)))
    torch.testing.assert_close(bce_generator_loss(nothing), torch.tensor(log(2)))


def test_agrees_with_the_formula():
    real, fake = torch.tensor([2.0, -0.3, 0.1]), torch.tensor([-1.0, 0.7])
    expected = -F.sigmoid(real).log().mean() - (1 - F.sigmoid(fake)).log().mean()
    torch.testing.assert_close(bce_discriminator_loss(real, fake), expected)
    torch.testing.assert_close(bce_generator_loss(fake), -F.sigmoid(fake).log().mean())


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_sure_answers_stay_finite(logit):
    logits = torch.tensor([logit])
    assert bce_discriminator_loss(logits, logits) == pytest.approx(200)
    assert bce_generator_loss(logits) == pytest.approx(max(-logit, 0))


def test_the_generator_learns_most_where_it_is_found_out():
    fake = torch.tensor([-6.0], requires_grad=True)
    bce_generator_loss(fake).backward()
    assert fake.grad.item() == pytest.approx(-1, abs=0.01)  # log(1 - D) would have 0.0025
