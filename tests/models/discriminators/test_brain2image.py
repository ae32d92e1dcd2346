import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.discriminators.brain2image import Brain2ImageDiscriminator


def test_equals_the_form_with_tiled_planes():
    """Reed et al.: repeat the features over the map, join, convolve with 1x1."""
    torch.manual_seed(0)
    network = Brain2ImageDiscriminator(n_features=5, size=32, color=3, width=4).train()
    for value in network.parameters():
        value.data.normal_(std=0.3)
    images, f = torch.randn(6, 3, 32, 32), torch.randn(6, 5)
    maps = F.leaky_relu(F.conv2d(images, network.first.weight, stride=2, padding=1), 0.2)
    for stage, norm in zip(network.stages, network.norms, strict=True):
        maps = F.conv2d(maps, stage.weight, stride=2, padding=1)
        maps = F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True)
        maps = F.leaky_relu(maps, 0.2)
    assert maps.shape[1:] == (16, 4, 4)
    joined = torch.cat([maps, f[:, :, None, None].expand(-1, -1, 4, 4)], 1)
    kernel = torch.cat([network.mix.weight, network.condition.weight[:, :, None, None]], 1)
    norm = network.mix_norm
    maps = F.batch_norm(F.conv2d(joined, kernel), None, None, norm.weight, norm.bias, training=True)
    expected = F.conv2d(F.leaky_relu(maps, 0.2), network.last.weight)[:, 0, 0, 0]
    torch.testing.assert_close(network(images, f), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "widths"), [(16, [8]), (32, [8, 16]), (64, [8, 16, 32])])
def test_halves_down_to_four_pixels(size, widths):
    network = Brain2ImageDiscriminator(n_features=3, size=size, color=1, width=4)
    assert [norm.num_features for norm in network.norms] == widths
    assert network(torch.zeros(2, 1, size, size), torch.zeros(2, 3)).shape == (2,)


def test_condition_changes_the_answer():
    torch.manual_seed(0)
    network = Brain2ImageDiscriminator(n_features=3, size=16, color=1, width=4).eval()
    images = torch.randn(1, 1, 16, 16).expand(2, -1, -1, -1)
    first, second = network(images, torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]))
    assert first != second


def test_refuses_odd_sizes():
    with pytest.raises(ValueError, match="power of two"):
        Brain2ImageDiscriminator(size=24)
