import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.discriminators.projection import ProjectionDiscriminator
from phosphene.training.seeding import seeded


@pytest.fixture
def network():
    with seeded(0):
        return ProjectionDiscriminator(n_features=3, size=32, color=3, width=4).eval()


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_widths_double_down_to_a_map_of_four_pixels(network):
    shapes = [tuple(layer.weight.shape) for layer in (network.first, *network.stages)]
    assert shapes == [(4, 3, 3, 3), (8, 4, 4, 4), (16, 8, 4, 4), (32, 16, 4, 4)]
    assert network.head.in_features == 32 * 16


def test_no_stage_is_wider_than_allowed():
    network = ProjectionDiscriminator(size=64, width=8, max_width=20)
    assert [layer.out_channels for layer in network.stages] == [16, 20, 20, 20]


def test_equals_the_formula_with_plain_convolutions(network):
    images, f = draw(5, 3, 32, 32), draw(5, 3)
    maps = F.leaky_relu(F.conv2d(images, network.first.weight, network.first.bias, 1, 1), 0.2)
    for layer in network.stages:
        maps = F.leaky_relu(F.conv2d(maps, layer.weight, layer.bias, 2, 1), 0.2)
    assert maps.shape == (5, 32, 4, 4)
    for row, logit in enumerate(network(images, f)):
        real = (network.head.weight[0] * maps[row].flatten()).sum() + network.head.bias[0]
        fits = (network.project.weight @ f[row]) @ maps[row].flatten(1).mean(1)
        torch.testing.assert_close(logit, real + fits, rtol=1e-4, atol=1e-5)


def test_the_logit_is_linear_in_the_features(network):
    images, f = draw(4, 3, 32, 32), draw(4, 3)
    none = network(images, torch.zeros_like(f))
    torch.testing.assert_close(
        network(images, 3 * f) - none, 3 * (network(images, f) - none), rtol=1e-4, atol=1e-4
    )


def test_a_picture_is_not_judged_by_its_neighbours_in_training(network):
    images, f = draw(4, 3, 32, 32), draw(4, 3)
    network.train()
    torch.testing.assert_close(network(images, f)[:1], network(images[:1], f[:1]))


def test_start_keeps_the_size_of_signals(network):
    with seeded(1):
        wide = ProjectionDiscriminator(n_features=8, size=32, color=3, width=32)
    maps = draw(8, 3, 32, 32)
    for layer, stride in ((wide.first, 1), *((stage, 2) for stage in wide.stages)):
        maps = F.leaky_relu(F.conv2d(maps, layer.weight, layer.bias, stride, 1), 0.2)
        assert 0.4 < maps.square().mean().sqrt() < 1.6


@pytest.mark.parametrize("size", [8, 24])
def test_refuses_sizes_that_halvings_do_not_reach(size):
    with pytest.raises(ValueError, match="power of two"):
        ProjectionDiscriminator(size=size)
