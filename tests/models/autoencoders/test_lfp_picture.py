import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from phosphene.models.autoencoders.lfp_picture import (
    FULL_SIZE,
    SMALL_SIZE,
    LFPPictureAutoencoder,
    LFPPictureDecoder,
    LFPPictureEncoder,
    decoder_rows,
)
from phosphene.models.layer_table import output_size

# Table 4.2: channels in and out, filter, stride, padding, declared output; corrections in place.
ENCODER = [
    (1, 4, (30, 30), 2, 30, (475, 603)),
    (4, 2, (20, 20), 2, 0, (228, 292)),
    (2, 4, (30, 30), 1, 0, (199, 263)),  # printed 119 x 263
    (4, 5, (70, 70), 1, 0, (130, 194)),
    (5, 3, (16, 30), 1, 0, (115, 165)),
    (3, 2, (30, 30), 1, 0, (86, 136)),
    (2, 3, (15, 15), 1, 0, (72, 122)),
    (3, 6, (5, 5), 2, 0, (34, 59)),
    (6, 5, (20, 20), 1, 0, (15, 40)),
    (5, 4, (10, 10), 1, 0, (6, 31)),
    (4, 2, (2, 9), 1, 0, (5, 23)),
]
DECODER = [
    (2, 4, (2, 9), 1, 0, (6, 31)),
    (4, 5, (10, 10), 1, 0, (15, 40)),
    (5, 6, (20, 20), 1, 0, (34, 59)),
    (6, 3, (5, 5), 2, 0, (72, 122)),  # with an output padding of 1, not printed
    (3, 2, (15, 15), 1, 0, (86, 136)),
    (2, 3, (30, 30), 1, 0, (115, 165)),
    (3, 5, (16, 30), 1, 0, (130, 194)),
    (5, 4, (70, 70), 1, 0, (199, 263)),  # printed 119 x 263
    (4, 2, (30, 30), 1, 0, (228, 292)),
    (2, 4, (20, 20), 2, 0, (475, 603)),  # with an output padding of 1, not printed
    (4, 1, (30, 30), 2, 30, (918, 1174)),  # row missing from the copy
]
META = torch.device("meta")  # shapes without arithmetic


@pytest.mark.parametrize(
    ("build", "table", "shape", "n_weights"),
    [
        (LFPPictureEncoder, ENCODER, (2, 1, 918, 1174), 140_664),
        (LFPPictureDecoder, DECODER, (2, 2, 5, 23), 140_659),
    ],
    ids=["encoder", "decoder"],
)
def test_every_row_of_the_table(build, table, shape, n_weights):
    network = build()
    network.to(META)
    values = torch.empty(shape, device=META)
    for number, (layer, row) in enumerate(zip(network.layers, table, strict=True), 1):
        n_in, n_out, kernel, stride, padding, size = row
        convolution = layer[0]
        assert (convolution.in_channels, convolution.out_channels) == (n_in, n_out)
        assert convolution.kernel_size == kernel
        assert (convolution.stride, convolution.padding) == ((stride,) * 2, (padding,) * 2)
        extra = int(build is LFPPictureDecoder and number in (4, 10))
        assert convolution.output_padding == (extra, extra)
        values = layer(values)
        assert values.shape == (2, n_out, *size)
    kept = [*network.layers] if build is LFPPictureEncoder else [*network.layers[:-1]]
    assert all([type(p) for p in layer[1:]] == [nn.ReLU, nn.BatchNorm2d] for layer in kept)
    n_found = sum(value.numel() for value in network.parameters())
    convolutions = sum(i * o * k[0] * k[1] + o for i, o, k, _, _, _ in table)
    assert n_found == convolutions + sum(2 * layer[0].out_channels for layer in kept) == n_weights


def test_what_is_printed_otherwise_does_not_work():
    assert (228 - 30) // 1 + 1 == 199 != 119
    assert 3 * 23 == 69 != 115 == 5 * 23  # section 4.3 says "3 x 23 = 115"
    assert round(100 * 2 * 115 / (918 * 1174), 2) == 0.02  # and "0.02 %"
    bare = [row._replace(output_padding=()) for row in decoder_rows()]
    assert output_size((5, 23), bare, transposed=True) == (912, 1168)


@pytest.mark.slow
def test_a_full_picture_goes_there_and_back():
    torch.manual_seed(0)
    network = LFPPictureAutoencoder()
    pictures = torch.rand(1, 1, *FULL_SIZE) * 2 - 1
    with torch.no_grad():
        code = network.encoder(pictures)
        assert code.shape == (1, 2, 115)
        assert network.decoder(code).shape == pictures.shape


def test_small_pictures_have_the_same_code():
    assert all(large // 17 == small for large, small in zip(FULL_SIZE, SMALL_SIZE, strict=True))
    network = LFPPictureAutoencoder(SMALL_SIZE)
    pictures = torch.rand(3, 1, *SMALL_SIZE)
    code = network.encoder(pictures)
    assert code.shape == (3, 2, 115)
    assert network(pictures).shape == pictures.shape
    expected = [(27, 69), (13, 23), (6, 23), (5, 23), (5, 23)]
    values = pictures
    for layer, size in zip(network.encoder.layers, expected, strict=True):
        values = layer(values)
        assert values.shape[2:] == size


def test_the_code_is_flattened_row_by_row():
    torch.manual_seed(0)
    encoder, decoder = LFPPictureEncoder(SMALL_SIZE), LFPPictureDecoder(SMALL_SIZE)
    pictures = torch.rand(2, 1, *SMALL_SIZE)
    maps, code = encoder.layers(pictures), encoder(pictures)
    torch.testing.assert_close(code[1, 0, 23 * 2 + 7], maps[1, 0, 2, 7])
    torch.testing.assert_close(decoder.layers(maps), decoder(code))


def test_the_small_one_learns_pictures():
    torch.manual_seed(0)
    rows = torch.arange(54)[:, None] / 54
    columns = torch.arange(69) / 69
    waves = torch.stack([(6 * (a * rows + b * columns)).sin() for a, b in ((1, 0), (0, 1), (1, 1))])
    pictures = waves[:, None]
    network = LFPPictureAutoencoder(SMALL_SIZE)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2, betas=(0.0, 0.999))
    losses = []
    for _ in range(40):
        losses.append(F.mse_loss(network(pictures), pictures))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.3 * pictures.var()


def test_refusals():
    for build in (LFPPictureEncoder, LFPPictureDecoder, LFPPictureAutoencoder):
        with pytest.raises(ValueError, match=r"one of \(918, 1174\), \(54, 69\).*got \(64, 64\)"):
            build((64, 64))
    with pytest.raises(ValueError, match="must have 69 columns"):
        LFPPictureEncoder(SMALL_SIZE)(torch.zeros(1, 1, 54, 70))
