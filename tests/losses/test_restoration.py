import pytest
import torch

from phosphene.losses.restoration import cross_entropy_loss, l2_penalty, mse_loss, rmse_loss


def test_known_errors():
    restored, pictures = torch.full((2, 1, 3, 4), 0.25), torch.zeros(2, 1, 3, 4)
    restored[1] = 0.75
    assert float(mse_loss(restored, pictures)) == pytest.approx((0.0625 + 0.5625) / 2)
    assert float(rmse_loss(restored, pictures)) == pytest.approx((0.625 / 2) ** 0.5)


def test_errors_do_not_cancel_as_in_the_printed_equation():
    pictures = torch.full((1, 1, 1, 2), 0.5)
    restored = torch.tensor([0.3, 0.7]).view(1, 1, 1, 2)
    assert float(rmse_loss(restored, pictures)) == pytest.approx(0.2)


def test_equal_pictures_have_a_finite_slope():
    pictures = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    restored = pictures.clone().requires_grad_()
    loss = rmse_loss(restored, pictures)
    loss.backward()
    assert loss.item() < 1e-5
    assert restored.grad.isfinite().all()


def test_the_mean_may_be_taken_over_more_pictures():
    pictures = torch.rand(4, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    black = torch.zeros_like(pictures)
    others = mse_loss(black[2:], pictures[2:])
    for loss in (mse_loss, rmse_loss):
        part = loss(black[:2], pictures[:2], mean=lambda squares: (squares.mean() + others) / 2)
        torch.testing.assert_close(part, loss(black, pictures))


def test_the_penalty_is_of_weights_not_biases():
    network = torch.nn.Linear(3, 2)
    expected = network.weight.square().sum()
    torch.testing.assert_close(l2_penalty(network.parameters()), expected)
    assert l2_penalty([network.bias]) == 0


def test_the_mean_of_what_may_be_there_minimises_error_and_cross_entropy():
    pictures = torch.tensor([0.0, 0.3, 1.0, 0.4]).view(4, 1, 1, 1)
    values = torch.linspace(0.01, 0.99, 99)
    for loss in (mse_loss, cross_entropy_loss):
        losses = torch.stack(
            [loss(torch.full_like(pictures, v), pictures) for v in values.tolist()]
        )
        assert float(values[losses.argmin()]) == pytest.approx(pictures.mean().item(), abs=0.011)


def test_cross_entropy_of_known_values_and_of_a_wrong_certainty():
    half = torch.full((1, 1, 1, 2), 0.5)
    black_white = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    assert cross_entropy_loss(half, black_white).item() == pytest.approx(0.6931, abs=1e-4)
    assert cross_entropy_loss(1 - black_white, black_white).item() == pytest.approx(13.8, abs=0.1)
