import pytest
import torch

from phosphene.models.autoencoders.lfp_picture import SMALL_SIZE, LFPPictureEncoder
from phosphene.models.autoencoders.lfp_signal import SignalAutoencoder, SignalDecoder
from phosphene.models.generators.lfpgan import LFPGenerator, RandomInput
from phosphene.models.layer_table import Row, output_size

# Table 4.3: channels in and out, filter, padding, output length.
TABLE = [
    (3, 4, 10, 3, 310),
    (4, 5, 40, 3, 277),  # printed with a filter of 30
    (5, 4, 25, 4, 261),
    (4, 3, 70, 0, 192),
    (3, 5, 24, 0, 169),
    (5, 6, 5, 0, 165),
    (6, 5, 13, 0, 153),
    (5, 7, 20, 0, 134),
    (7, 10, 20, 0, 115),
]


def make_generator(*, pictures=False, n_chans=22):
    torch.manual_seed(0)
    random_input = RandomInput(n_out=8 if pictures else 10)
    encoder = LFPPictureEncoder(SMALL_SIZE) if pictures else None
    return LFPGenerator(SignalDecoder(n_chans), random_input, encoder)


def test_every_row_of_the_table():
    network = RandomInput()
    values = torch.randn(2, 3, 313)
    for layer, (n_in, n_out, kernel, padding, length) in zip(network.layers, TABLE, strict=True):
        convolution = layer[0]
        assert (convolution.in_channels, convolution.out_channels) == (n_in, n_out)
        assert (convolution.kernel_size, convolution.padding) == ((kernel,), (padding,))
        kinds = [type(part).__name__.removeprefix("Long") for part in layer]
        assert kinds == ["Conv1d", "ReLU", "BatchNorm1d"]
        values = layer(values)
        assert values.shape == (2, n_out, length)
    expected = sum(i * o * k + o + 2 * o for i, o, k, _, _ in TABLE)
    assert sum(value.numel() for value in network.parameters()) == expected == 5407


def test_the_printed_filter_of_30_does_not_fit():
    printed = [Row(o, (k,), padding=(p,)) for _, o, k, p, _ in TABLE]
    printed[1] = printed[1]._replace(kernel=(30,))
    assert output_size((313,), printed[:2]) == (287,) != (277,)
    assert output_size((313,), printed) == (125,) != (115,)


def test_beside_a_picture_the_last_layer_has_8_channels():
    network = RandomInput(n_out=8)
    assert network(torch.randn(2, 3, 313)).shape == (2, 8, 115)
    assert sum(value.numel() for value in network.parameters()) == 5121


def test_makes_windows_for_pictures():
    generator = make_generator(pictures=True)
    noise, pictures = torch.randn(2, 3, 313), torch.rand(2, 1, *SMALL_SIZE)
    for _ in range(30):
        generator(noise, pictures)  # settles the statistics of the norms
    generator.eval()
    signals = generator(noise, pictures)
    assert generator.noise_shape == (3, 313)
    assert signals.shape == (2, 22, 313)
    code = torch.cat([generator.random_input(noise), generator.picture_encoder(pictures)], 1)
    torch.testing.assert_close(signals, generator.decoder(code))  # noise first
    assert not torch.allclose(generator(noise, pictures.flip(0)), signals)
    assert not torch.allclose(generator(noise.flip(0), pictures), signals)


def test_makes_windows_without_pictures():
    generator = make_generator(n_chans=4).eval()
    noise = torch.randn(2, 3, 313)
    torch.testing.assert_close(generator(noise), generator.decoder(generator.random_input(noise)))


def test_each_picture_may_be_given_once():
    generator = make_generator(pictures=True).eval()
    noise, pictures = torch.randn(5, 3, 313), torch.rand(2, 1, *SMALL_SIZE)
    index = torch.tensor([0, 1, 1, 0, 1])
    torch.testing.assert_close(generator(noise, pictures, index), generator(noise, pictures[index]))


def test_takes_the_pre_trained_decoder_whole():
    autoencoder = SignalAutoencoder()
    for generator in (make_generator(), make_generator(pictures=True)):
        generator.decoder.load_state_dict(autoencoder.decoder.state_dict())


def test_refusals():
    with pytest.raises(ValueError, match=r"channels; noise and picture give 12.*to 8 with"):
        LFPGenerator(SignalDecoder(), RandomInput(), LFPPictureEncoder(SMALL_SIZE))
    with pytest.raises(ValueError, match="channels; noise and picture give 8"):
        LFPGenerator(SignalDecoder(), RandomInput(n_out=8))
    with pytest.raises(ValueError, match=r"equally long; .* have \[102, 115\]"):
        LFPGenerator(SignalDecoder(22, 300), RandomInput())
    parts = SignalDecoder(22, 300), RandomInput(300, n_out=8), LFPPictureEncoder(SMALL_SIZE)
    with pytest.raises(ValueError, match=r"have \[102, 102, 115\]"):
        LFPGenerator(*parts)
    noise, pictures = torch.zeros(1, 3, 313), torch.zeros(1, 1, *SMALL_SIZE)
    with pytest.raises(ValueError, match="wants no pictures and got some"):
        make_generator()(noise, pictures)
    with pytest.raises(ValueError, match="wants pictures and got none"):
        make_generator(pictures=True)(noise)
    with pytest.raises(ValueError, match="`n_times` must be at least 199"):
        RandomInput(100)
    with pytest.raises(ValueError, match="must have 313 samples"):
        RandomInput()(torch.zeros(1, 3, 300))
