import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.restoration.conv_encoder import ConvEncoder, code_size


def pictures(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_equals_the_published_table_step_by_step():
    encoder = ConvEncoder()
    for value in encoder.parameters():
        value.data.normal_(std=0.05, generator=torch.Generator().manual_seed(1))
    maps = pictures(3, 1, 28, 28)
    found = encoder(maps)
    for layer, (planes, side) in zip(
        (encoder.first, encoder.second), ((32, 28), (64, 14)), strict=True
    ):
        maps = F.relu(F.conv2d(maps, layer.weight, layer.bias, padding=2))
        assert maps.shape == (3, planes, side, side)
        maps = F.max_pool2d(maps, 2)
    expected = torch.tanh(F.linear(maps.flatten(1), encoder.head.weight, encoder.head.bias))
    torch.testing.assert_close(found, expected)


def test_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in ConvEncoder().parameters()) == 365_796


@pytest.mark.parametrize("size", [(28, 28), (7, 5), (1, 1), (33, 16)])
def test_any_size_and_colour(size):
    encoder = ConvEncoder(size, 3, n_code=None)
    assert encoder(pictures(2, 3, *size)).shape == (2, 64, *code_size(size))
    assert ConvEncoder(size, 3, n_code=9)(pictures(2, 3, *size)).shape == (2, 9)


def test_drops_values_in_training_alone():
    encoder = ConvEncoder((8, 8), n_code=None, dropout=0.5)
    plain = encoder.eval()(pictures(2, 1, 8, 8))
    torch.manual_seed(0)
    dropped = encoder.train()(pictures(2, 1, 8, 8))
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], 2 * plain[kept])
    assert 0.3 < (dropped[plain > 0] == 0).float().mean() < 0.7


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": (0, 28)}, "`size` must be rows and columns"),
        ({"color": 0}, "`color` must be greater than 0"),
        ({"n_code": 0}, "`n_code` must be greater than 0"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and below 1"),
    ],
)
def test_refuses_what_cannot_be_built(settings, message):
    with pytest.raises(ValueError, match=message):
        ConvEncoder(**settings)


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 3, 28, 28), "colour planes"), ((1, 1, 28, 20), "columns")]
)
def test_refuses_other_pictures(shape, message):
    with pytest.raises(ValueError, match=message):
        ConvEncoder()(pictures(*shape))
