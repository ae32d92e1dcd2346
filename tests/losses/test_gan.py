import pytest
import torch

from phosphene.losses.gan import (
    binary_gan_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
)

REAL, FAKE = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, 0.0])


@pytest.mark.parametrize(("halved", "expected"), [(False, 2.5 / 3 + 0.5), (True, 2.5 / 6 + 0.25)])
def test_discriminator_pays_up_to_the_margin(halved, expected):
    loss = hinge_discriminator_loss(REAL, FAKE, halved=halved)
    torch.testing.assert_close(loss, torch.tensor(expected))


def test_confident_right_answers_have_no_gradient():
    real, fake = torch.tensor([1.5], requires_grad=True), torch.tensor([-2.0], requires_grad=True)
    hinge_discriminator_loss(real, fake).backward()
    assert real.grad == fake.grad == 0


def test_generator_wants_high_logits():
    torch.testing.assert_close(hinge_generator_loss(FAKE), torch.tensor(1.5))


@pytest.mark.parametrize("is_real", [True, False])
def test_cross_entropy_is_that_of_the_probability(is_real):
    odds = torch.tensor([0.2, 0.7, 0.5])
    logits = (odds / (1 - odds)).log()
    expected = -(odds if is_real else 1 - odds).log().mean()
    torch.testing.assert_close(binary_gan_loss(logits, is_real=is_real), expected)


@pytest.mark.parametrize(("is_real", "slope"), [(True, -1.0), (False, 0.0)])
def test_cross_entropy_of_extreme_logits_stays_finite_with_a_gradient(is_real, slope):
    logits = torch.tensor([-500.0], requires_grad=True)
    loss = binary_gan_loss(logits, is_real=is_real)
    loss.backward()
    assert loss == (500 if is_real else 0)
    assert float(logits.grad) == slope
