from math import log, pi

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from phosphene.losses.vae import (
    bernoulli_reconstruction_loss,
    gaussian_divergence,
    gaussian_reconstruction_loss,
)


def draw_pictures():
    rng = torch.Generator().manual_seed(0)
    return torch.rand(2, 5, 3, 4, 6, generator=rng) * 2 - 1  # two sets of 5 pictures of 72 values


@pytest.mark.parametrize("deviation", [0.2, 1.0])
def test_gaussian_agrees_with_the_law(deviation):
    decoded, pictures = draw_pictures()
    expected = -Normal(decoded, deviation).log_prob(pictures).sum((1, 2, 3)).mean()
    found = gaussian_reconstruction_loss(decoded, pictures, deviation=deviation)
    torch.testing.assert_close(found, expected)


def test_no_deviation_is_more_likely_than_the_one_taken():
    decoded, pictures = draw_pictures()
    best = gaussian_reconstruction_loss(decoded, pictures)
    error = (decoded - pictures).square().mean().sqrt().item()
    at_error = gaussian_reconstruction_loss(decoded, pictures, deviation=error)
    torch.testing.assert_close(best, at_error)
    for factor in (0.9, 1.1):
        other = gaussian_reconstruction_loss(decoded, pictures, deviation=factor * error)
        assert other > best


def test_its_gradient_is_that_of_the_fixed_deviation():
    decoded, pictures = draw_pictures()
    decoded.requires_grad_()
    error = (decoded - pictures).square().mean().sqrt().item()
    losses = [gaussian_reconstruction_loss(decoded, pictures, deviation=d) for d in (None, error)]
    gradients = [torch.autograd.grad(loss, decoded)[0] for loss in losses]
    torch.testing.assert_close(*gradients)


def test_equal_pictures_have_a_finite_loss():
    pictures = draw_pictures()[0]
    expected = 36 * (log(2 * pi) + 1 - 2 * log(255))
    found = gaussian_reconstruction_loss(pictures, pictures)
    torch.testing.assert_close(found, torch.tensor(expected))


def test_bernoulli_agrees_with_the_law_of_black_and_white():
    decoded, pictures = draw_pictures()
    pictures = pictures.sign()
    law = Bernoulli((decoded + 1) / 2)
    expected = -law.log_prob((pictures + 1) / 2).sum((1, 2, 3)).mean()
    torch.testing.assert_close(bernoulli_reconstruction_loss(decoded, pictures), expected)


def test_bernoulli_is_least_at_the_picture_itself_but_not_nil():
    decoded, pictures = draw_pictures()
    itself = bernoulli_reconstruction_loss(pictures, pictures)
    assert 0 < itself < bernoulli_reconstruction_loss(decoded, pictures)
    sure = bernoulli_reconstruction_loss(torch.ones(1, 1, 2, 2), -torch.ones(1, 1, 2, 2))
    assert sure == pytest.approx(4 * 6 * log(10), rel=0.01)  # a wrong certainty is finite


def test_divergence_agrees_with_torch():
    mean, log_variance = torch.randn(2, 7, 5)
    law = Normal(mean, (log_variance / 2).exp())
    expected = kl_divergence(law, Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(gaussian_divergence(mean, log_variance), expected)


def test_divergence_of_known_laws():
    nil = torch.zeros(3, 2)
    assert gaussian_divergence(nil, nil) == 0
    torch.testing.assert_close(gaussian_divergence(nil + 2, nil), torch.tensor(4.0))
    wide = gaussian_divergence(nil, nil + log(4.0))
    torch.testing.assert_close(wide, torch.tensor(3 - log(4.0)))


def test_refuses_a_deviation_of_zero():
    with pytest.raises(ValueError, match="`deviation` must be greater than 0"):
        gaussian_reconstruction_loss(*draw_pictures(), deviation=0.0)
