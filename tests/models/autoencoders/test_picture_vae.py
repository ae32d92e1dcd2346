import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.autoencoders.picture_vae import PictureEncoder
from phosphene.models.generators.brain2image import Brain2ImageGenerator


def test_equals_a_plain_chain_of_convolutions():
    torch.manual_seed(0)
    network = PictureEncoder(n_noise=3, n_features=2, size=16, color=3, width=4).train()
    for value in network.parameters():
        value.data.normal_(std=0.3)
    maps, f = torch.randn(5, 3, 16, 16), torch.randn(5, 2)
    result = network(maps, f)
    for stage, norm in zip(network.stages, network.norms, strict=True):
        maps = F.conv2d(maps, stage.weight, stride=2, padding=1)
        maps = F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True)
        maps = F.leaky_relu(maps, 0.2)
    moments = F.linear(torch.cat([maps.flatten(1), f], 1), network.head.weight, network.head.bias)
    mean, log_variance = result.unbind(1)
    torch.testing.assert_close(mean, moments[:, :3], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(log_variance, moments[:, 3:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_is_the_decoder_turned_around(size):
    encoder = PictureEncoder(size=size, width=4)
    decoder = Brain2ImageGenerator(size=size, width=4)
    down = [tuple(stage.weight.shape) for stage in encoder.stages]
    up = [tuple(grow.weight.shape) for grow in (*decoder.grow, decoder.last)]
    assert down == up[::-1]


def test_starts_near_the_standard_normal_law():
    torch.manual_seed(0)
    network = PictureEncoder(n_noise=20, n_features=8, size=32, width=8)
    mean, log_variance = network(torch.rand(16, 3, 32, 32) * 2 - 1, torch.randn(16, 8)).unbind(1)
    assert mean.abs().max() < 2
    assert log_variance.abs().max() < 2


def test_refuses_odd_sizes():
    with pytest.raises(ValueError, match="power of two"):
        PictureEncoder(size=20)
