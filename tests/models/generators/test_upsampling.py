import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.generators.upsampling import UpsamplingGenerator
from phosphene.training.seeding import seeded


@pytest.fixture
def network():
    with seeded(0):
        return UpsamplingGenerator(n_noise=5, n_features=3, size=32, color=1, width=4)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_widths_halve_from_a_map_of_four_pixels(network):
    shapes = [tuple(layer.weight.shape) for layer in (*network.grow, network.last)]
    assert shapes == [(16, 32, 3, 3), (8, 16, 3, 3), (4, 8, 3, 3), (1, 4, 3, 3)]
    assert network.first.out_features == 32 * 16


def test_no_stage_is_wider_than_allowed():
    network = UpsamplingGenerator(size=64, width=8, max_width=20)
    assert [layer.in_channels for layer in network.grow] == [20, 20, 20, 16]
    narrow = UpsamplingGenerator(n_noise=5, n_features=3, size=16, color=1, width=8, max_width=6)
    assert narrow(draw(2, 5), draw(2, 3)).shape == (2, 1, 16, 16)


def test_equals_the_formula_written_out(network):
    z, f = draw(4, 5), draw(4, 3, seed=1)
    joined = torch.cat([z, f], 1)
    maps = (joined @ network.first.weight.T + network.first.bias).view(4, 32, 4, 4)
    for grow, tune in zip(network.grow, network.tune, strict=True):
        maps = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
        maps = F.conv2d(maps, grow.weight, padding=1)
        mean = maps.mean((0, 2, 3), keepdim=True)
        spread = (maps.var((0, 2, 3), correction=0, keepdim=True) + 1e-3).sqrt()
        gain, bias = (joined @ tune.weight.T + tune.bias)[:, :, None, None].chunk(2, 1)
        maps = F.leaky_relu((maps - mean) / spread * (1 + gain) + bias, 0.2)
    expected = torch.tanh(F.conv2d(maps, network.last.weight, network.last.bias, padding=1))
    torch.testing.assert_close(network.train()(z, f), expected, rtol=1e-4, atol=1e-5)


def test_the_features_reach_every_size(network):
    """A change of the last stage's gains alone changes the picture."""
    z, f = draw(4, 5), draw(4, 3, seed=1)
    network.eval()
    before = network(z, f)
    with torch.no_grad():
        network.tune[-1].weight[:, 5:] *= 2
    assert not torch.allclose(network(z, f), before)


def test_an_even_map_stays_even_inside_whatever_the_kernels():
    """Copied squares are convolved alike, so that nothing like a checkerboard can arise."""
    with seeded(0):
        network = UpsamplingGenerator(n_noise=2, n_features=2, size=64, color=1, width=4).eval()
    with torch.no_grad():
        network.first.weight.zero_()
        network.first.bias.copy_(draw(network.first.out_features // 16).repeat_interleave(16))
        picture = network(draw(1, 2), draw(1, 2))[0, 0]
    inside = picture[31:33, 31:33]
    torch.testing.assert_close(inside, inside[:1, :1].expand_as(inside))
    assert picture.std() > 0  # borders see zeros


@pytest.mark.parametrize("size", [8, 24])
def test_refuses_sizes_that_doublings_do_not_reach(size):
    with pytest.raises(ValueError, match="power of two"):
        UpsamplingGenerator(size=size)
