import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.generators.brain2image import Brain2ImageGenerator


def test_has_the_number_of_values_of_dcgan_with_a_longer_input():
    """Torch's DCGAN has 3,576,704 values for 100 values of noise; here come 128 features."""
    with torch.device("meta"):
        network = Brain2ImageGenerator()
    n_values = sum(value.numel() for value in network.parameters())
    assert n_values == 3_576_704 + 128 * 512 * 16


def test_equals_a_plain_chain_of_transposed_convolutions():
    torch.manual_seed(0)
    network = Brain2ImageGenerator(n_noise=3, n_features=2, size=16, color=3, width=4).train()
    for value in network.parameters():
        value.data.normal_()
    z, f = torch.randn(5, 3), torch.randn(5, 2)
    maps = F.conv_transpose2d(torch.cat([z, f], 1)[:, :, None, None], network.first.weight)
    assert maps.shape[2:] == (4, 4)
    for norm, grow in zip(network.norms, [*network.grow, network.last], strict=True):
        maps = F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True).relu()
        maps = F.conv_transpose2d(maps, grow.weight, stride=2, padding=1)
    torch.testing.assert_close(network(z, f), maps.tanh(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "widths"), [(16, [8, 4]), (32, [16, 8, 4]), (64, [32, 16, 8, 4])])
def test_planes_halve_as_the_map_grows(size, widths):
    network = Brain2ImageGenerator(n_noise=4, n_features=3, size=size, color=1, width=4)
    assert [norm.num_features for norm in network.norms] == widths
    images = network(torch.randn(2, 4), torch.randn(2, 3))
    assert images.shape == (2, 1, size, size)
    assert images.abs().max() <= 1


def test_refuses_odd_sizes():
    with pytest.raises(ValueError, match="power of two"):
        Brain2ImageGenerator(size=100)
