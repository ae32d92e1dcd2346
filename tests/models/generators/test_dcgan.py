import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.generators.dcgan import DCGANGenerator


def n_values(network):
    return sum(value.numel() for value in network.parameters())


def test_has_the_published_number_of_values():
    with torch.device("meta"):
        assert n_values(DCGANGenerator()) == 8_647_456


def test_equals_the_published_order_of_crops():
    """Upright maps; TensorFlow's 'same': the whole transposed convolution less its last row."""
    torch.manual_seed(0)
    network = DCGANGenerator(n_noise=3, n_features=2, size=16, color=3, width=4).train()
    for value in network.parameters():
        value.data.normal_()
    z, f = torch.randn(2, 3), torch.randn(2, 2)
    maps = torch.cat([z, f], 1)[:, :, None, None]
    maps = F.conv_transpose2d(maps, network.first.weight.flip(2, 3), stride=4)
    maps = F.leaky_relu(F.pad(maps, (0, 1, 0, 1)), 0.3)  # 3x3 to 4x4
    assert not maps[:, :, -1].any()
    assert not maps[:, :, :, -1].any()
    for grow, norm in zip(network.grow, network.norms, strict=True):
        whole = F.conv_transpose2d(maps, grow.weight.flip(2, 3), stride=2)
        maps = whole[:, :, :-1, :-1]
        maps = F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True, eps=1e-3)
        maps = F.leaky_relu(maps, 0.3)
    expected = torch.tanh(F.conv2d(maps, network.last.weight.flip(2, 3), padding=1))
    torch.testing.assert_close(network(z, f), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_grows_to_any_power_of_two(size):
    network = DCGANGenerator(n_noise=4, n_features=3, size=size, color=1, width=2, max_width=8)
    images = network(torch.randn(2, 4), torch.randn(2, 3))
    assert images.shape == (2, 1, size, size)
    assert images.abs().max() <= 1
    assert network.first.out_channels <= 8


def test_width_is_capped():
    network = DCGANGenerator(size=32, width=32, max_width=64)
    assert [layer.in_channels for layer in network.grow] == [64, 64, 64]


def test_spectral_norm_bounds_every_kernel():
    torch.manual_seed(0)
    network = DCGANGenerator(n_noise=4, n_features=3, size=16, width=4, spectral_norm=True)
    for _ in range(30):
        network(torch.randn(2, 4), torch.randn(2, 3))
    for layer in (network.first, *network.grow, network.last):
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) == pytest.approx(
            1, rel=0.02
        )


def test_refuses_odd_sizes():
    with pytest.raises(ValueError, match="power of two"):
        DCGANGenerator(size=100)
