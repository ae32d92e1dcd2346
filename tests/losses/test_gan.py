import pytest
import torch

from phosphene.losses.gan import hinge_discriminator_loss, hinge_generator_loss

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
