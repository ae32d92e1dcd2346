import pytest
import torch

from phosphene.losses.mode_seeking import mode_seeking_loss


def pictures(value):
    return torch.full((2, 1, 4, 4), value)


@pytest.mark.parametrize(("eps", "expected"), [(0.0, 4.0), (0.25, 2.0)])
def test_inverse_of_picture_distance_over_noise_distance(eps, expected):
    noise1, noise2 = torch.zeros(2, 3), torch.tensor([[2.0, -2.0, 2.0]] * 2)
    loss = mode_seeking_loss(pictures(0.0), pictures(0.5), noise1, noise2, eps=eps)
    torch.testing.assert_close(loss, torch.tensor(expected))


def test_equal_features_beside_the_noise_halve_the_loss():
    """What the released code does: as many equal columns as noise values."""
    noise1, noise2 = torch.randn(2, 3), torch.randn(2, 3)
    f = torch.randn(2, 3)
    alone = mode_seeking_loss(pictures(0.0), pictures(0.5), noise1, noise2, eps=0.0)
    joined = mode_seeking_loss(
        pictures(0.0),
        pictures(0.5),
        torch.cat([noise1, f], 1),
        torch.cat([noise2, f], 1),
        eps=0.0,
    )
    torch.testing.assert_close(joined, alone / 2)


def test_averages_as_told():
    """Half a batch with the means of the whole one has the loss of the whole one."""
    noise1, noise2 = torch.zeros(2, 3), torch.ones(2, 3)

    def mean(values):
        return values.mean() * (2.0 if values.ndim == 4 else 1.0)

    loss = mode_seeking_loss(pictures(0.0), pictures(0.5), noise1, noise2, eps=0.0, mean=mean)
    torch.testing.assert_close(loss, torch.tensor(1.0))


def test_gradient_drives_pictures_apart():
    images1, images2 = pictures(0.0).requires_grad_(), pictures(0.5)
    mode_seeking_loss(images1, images2, torch.zeros(2, 3), torch.ones(2, 3)).backward()
    assert (images1.grad > 0).all()  # descent lowers images1, away from images2
