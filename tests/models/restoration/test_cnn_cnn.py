import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.export.networks import build_network
from phosphene.models.restoration.cnn_cnn import CNNCNN

ENCODER, DECONVOLUTIONS = 365_796, 64 * 32 * 25 + 32 + 32 * 25 + 1


def test_number_of_parameters():
    without, bottleneck = (
        sum(p.numel() for p in network.parameters()) for network in (CNNCNN(), CNNCNN(n_code=100))
    )
    assert without == ENCODER - 313_700 + DECONVOLUTIONS
    assert bottleneck == ENCODER + 101 * 3136 + DECONVOLUTIONS


@pytest.mark.parametrize("n_code", [None, 7])
def test_equals_a_plain_chain(n_code):
    torch.manual_seed(0)
    network = CNNCNN((28, 28), n_code=n_code)
    images = torch.rand(2, 1, 28, 28)
    maps = network.encoder(images)
    if n_code:
        maps = F.relu(network.spread(maps)).view(2, 64, 7, 7)
    for layer, last in ((network.first, False), (network.second, True)):
        maps = F.conv_transpose2d(
            maps, layer.weight, layer.bias, stride=2, padding=2, output_padding=1
        )
        maps = torch.sigmoid(maps) if last else F.relu(maps)
    torch.testing.assert_close(network(images), maps)
    torch.testing.assert_close(torch.sigmoid(network.logits(images)), maps)


def test_only_the_bottleneck_sees_the_whole_picture():
    torch.manual_seed(0)
    images = torch.zeros(1, 1, 28, 28)
    changed = images.clone()
    changed[:, :, 0] = 1
    for n_code, reaches in ((None, False), (100, True)):
        network = CNNCNN(n_code=n_code)
        last_row = [network(given)[0, 0, -1] for given in (images, changed)]
        assert torch.equal(*last_row) != reaches


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (30, 33), (28, 28)])
@pytest.mark.parametrize("n_code", [None, 4])
def test_any_size_and_colour(size, n_code):
    settings = {"size": list(size), "color": 3} | ({"n_code": n_code} if n_code else {})
    network = build_network({"network": "CNNCNN", "settings": settings})
    assert network(torch.rand(2, 3, *size)).shape == (2, 3, *size)


def test_starts_near_the_mean_brightness():
    network = CNNCNN((8, 8), 2)
    network.start_bias(torch.stack([torch.full((8, 8), 0.1), torch.full((8, 8), 0.7)]))
    with torch.no_grad():
        network.second.weight.zero_()
        drawn = network(torch.rand(1, 2, 8, 8))
    torch.testing.assert_close(drawn.mean((0, 2, 3)), torch.tensor([0.1, 0.7]))
