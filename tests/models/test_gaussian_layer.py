import pytest
import torch

from phosphene.models.gaussian_layer import GaussianLayer


def test_moves_and_stretches_each_value_by_its_own():
    layer = GaussianLayer(3)
    with torch.no_grad():
        layer.scale.copy_(torch.tensor([2.0, 0.0, -1.0]))
        layer.mean.copy_(torch.tensor([0.5, 3.0, 0.0]))
    z = torch.tensor([[1.0, 1.0, 1.0], [0.0, -2.0, 4.0]])
    expected = torch.tensor([[2.5, 3.0, -1.0], [0.5, 3.0, -4.0]])
    torch.testing.assert_close(layer(z), expected)


def test_start_values_have_the_published_laws():
    torch.manual_seed(0)
    layer = GaussianLayer(5000)
    for values, limit in ((layer.scale.detach(), 0.2), (layer.mean.detach(), 1.0)):
        assert float(values.abs().max()) == pytest.approx(limit, rel=0.01)
        assert float(values.abs().max()) <= limit
        assert float(values.std()) == pytest.approx(limit / 3**0.5, rel=0.03)


def test_penalty_is_a_hundredth_of_the_squared_scales_and_pulls_them_alone():
    layer = GaussianLayer(2)
    with torch.no_grad():
        layer.scale.copy_(torch.tensor([3.0, -4.0]))
    penalty = layer.penalty()
    penalty.backward()
    torch.testing.assert_close(penalty, torch.tensor(0.25))
    torch.testing.assert_close(layer.scale.grad, torch.tensor([0.06, -0.08]))
    assert layer.mean.grad is None
    assert GaussianLayer(2, decay=0.0).penalty() == 0
