import pytest
import torch

from phosphene.export.networks import build_network
from phosphene.models.restoration.cnn_lstm import CNNLSTM

COUNTS = {
    28: (413_424, 412_864),
    64: (557_568, 556_288),
    100: (795_024, 793_024),
    128: (1_044_224, 1_041_664),
    256: (2_902_272, 2_897_152),
    512: (10_157_312, 10_147_072),
}
"""Parameters with torch's two biases per gate, and with the one of the equations."""


@pytest.mark.parametrize(("hidden", "counts"), COUNTS.items())
def test_has_the_published_number_of_parameters(hidden, counts):
    network = CNNLSTM(hidden=hidden)
    found = sum(p.numel() for p in network.parameters())
    second_biases = sum(cell.bias_hh.numel() for cell in network.decoder.cells)
    assert (found, found - second_biases) == counts
    assert f"{found:,}" in CNNLSTM.__doc__


def test_rows_go_in_and_come_out_as_they_lie_in_the_picture():
    torch.manual_seed(0)
    network = CNNLSTM((6, 5), 2, n_code=3, hidden=4, n_layers=2)
    images = torch.rand(3, 2, 6, 5)
    rows = torch.stack([images[:, :, row].flatten(1) for row in range(6)], 1)
    drawn = torch.sigmoid(network.decoder(rows, network.encoder(images)))
    restored = network(images)
    for row in range(6):
        torch.testing.assert_close(restored[:, :, row].flatten(1), drawn[:, row])


def test_starts_near_the_mean_picture():
    torch.manual_seed(0)
    network = CNNLSTM((4, 3), hidden=200)
    mean = torch.tensor([[0.0, 0.2, 1.0]] * 4)[None]
    network.start_bias(mean)
    with torch.no_grad():
        network.decoder.output.weight.zero_()
        drawn = network(torch.rand(2, 1, 4, 3))
    torch.testing.assert_close(drawn[0, 0, 0], torch.tensor([0.01, 0.2, 0.99]))


def test_is_built_by_name_and_refuses_other_pictures():
    spec = {
        "network": "CNNLSTM",
        "settings": {"size": [9, 7], "color": 3, "hidden": 5, "n_layers": 1, "dropout": 0.25},
    }
    network = build_network(spec)
    assert network(torch.rand(2, 3, 9, 7)).shape == (2, 3, 9, 7)
    with pytest.raises(ValueError, match="must have 3 colour planes"):
        network(torch.rand(2, 1, 9, 7))
