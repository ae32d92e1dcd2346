import pytest
import torch
from torch import nn

from phosphene.models.start_values import glorot_uniform_


@pytest.mark.parametrize(
    ("layer", "fans"),
    [
        (nn.Linear(300, 200), 500),
        (nn.Conv1d(20, 30, 4), 4 * 50),
        (nn.Conv2d(20, 30, (1, 4)), 4 * 50),
        (nn.ConvTranspose2d(20, 30, 5), 25 * 50),
    ],
)
def test_weights_fill_the_range_of_the_law(layer, fans):
    torch.manual_seed(0)
    glorot_uniform_(nn.Sequential(layer))
    limit, weight = (6 / fans) ** 0.5, layer.weight.detach()
    assert float(weight.abs().max()) == pytest.approx(limit, rel=0.01)
    assert float(weight.abs().max()) <= limit
    assert float(weight.std()) == pytest.approx(limit / 3**0.5, rel=0.05)
    assert not layer.bias.any()


def test_layers_without_bias_and_norms_are_left_in_peace():
    network = nn.Sequential(nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3))
    glorot_uniform_(network)
    assert torch.equal(network[1].weight, torch.ones(3))
