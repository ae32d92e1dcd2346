import pytest
import torch

from phosphene.models.autoencoders.lfp_picture import SMALL_SIZE, LFPPictureEncoder
from phosphene.models.autoencoders.lfp_signal import SignalAutoencoder, SignalEncoder
from phosphene.models.discriminators.lfpgan import Combination, LFPCritic

# Table 4.4: channels in and out, filter, output length.
TABLE = [
    (10, 10, 15, 101),
    (10, 8, 26, 76),
    (8, 6, 30, 47),
    (6, 5, 2, 46),
    (5, 6, 5, 42),
    (6, 4, 4, 39),
    (4, 2, 2, 38),
    (2, 1, 15, 24),
]


def make_critic(*, pictures=False, norm="batch"):
    torch.manual_seed(0)
    encoder = LFPPictureEncoder(SMALL_SIZE) if pictures else None
    combination = Combination(12 if pictures else 10, norm=norm)
    return LFPCritic(SignalEncoder(norm=norm), combination, encoder)


@pytest.mark.parametrize(("n_in", "n_weights"), [(10, 5523), (12, 5823)])
def test_every_row_of_the_table(n_in, n_weights):
    """Printed for 10 channels; with a picture the first row takes 12."""
    network = Combination(n_in)
    table = [(n_in, *TABLE[0][1:]), *TABLE[1:]]
    values = torch.randn(2, n_in, 115)
    for layer, (before, after, kernel, length) in zip(network.layers, table, strict=True):
        convolution = layer[0]
        assert (convolution.in_channels, convolution.out_channels) == (before, after)
        assert (convolution.kernel_size, convolution.padding) == ((kernel,), (0,))
        names = [type(part).__name__.removeprefix("Long") for part in layer]
        assert names == ["Conv1d", "ReLU", "UniformDropout", "BatchNorm1d"]
        values = layer(values)
        assert values.shape == (2, after, length)
    assert (network.head.in_features, network.head.out_features) == (24, 1)
    expected = sum(i * o * k + o + 2 * o for i, o, k, _ in table) + 24 + 1
    assert sum(value.numel() for value in network.parameters()) == expected == n_weights


def test_judges_each_window_beside_its_picture():
    critic = make_critic(pictures=True)
    signals, pictures = torch.randn(3, 22, 313), torch.rand(3, 1, *SMALL_SIZE)
    for _ in range(30):
        critic(signals, pictures)  # settles the statistics of the norms
    critic.eval()
    judged = critic(signals, pictures)
    assert judged.shape == (3,)
    code = torch.cat([critic.encoder(signals), critic.picture_encoder(pictures)], 1)
    torch.testing.assert_close(judged, critic.combination(code))  # window first
    assert not torch.allclose(critic(signals, pictures.flip(0)), judged)
    assert not torch.allclose(critic(signals.flip(0), pictures), judged)


def test_judges_windows_alone():
    critic = make_critic().eval()
    signals = torch.randn(3, 22, 313)
    torch.testing.assert_close(critic(signals), critic.combination(critic.encoder(signals)))


def test_each_picture_may_be_given_once_or_encoded_before():
    critic = make_critic(pictures=True).eval()
    signals, pictures = torch.randn(5, 22, 313), torch.rand(2, 1, *SMALL_SIZE)
    index = torch.tensor([0, 1, 1, 0, 1])
    expected = critic(signals, pictures[index])
    torch.testing.assert_close(critic(signals, pictures, index), expected)
    codes = critic.picture_encoder(pictures)
    torch.testing.assert_close(critic(signals, index=index, codes=codes), expected)
    torch.testing.assert_close(critic(signals, codes=codes[index]), expected)


def slope_at_first(critic, signals):
    """How the judgement of the others depends on the first window."""
    signals = signals.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(signals)[1:].sum(), signals)
    return slope[0].abs().max()


@pytest.mark.parametrize(("norm", "coupled"), [("batch", True), ("layer", False), ("none", False)])
def test_batch_norm_couples_the_windows_of_a_batch(norm, coupled):
    critic = make_critic(norm=norm)
    slope = slope_at_first(critic, torch.randn(8, 22, 313))
    assert bool(slope > 1e-6) == coupled
    assert slope_at_first(critic.eval(), torch.randn(8, 22, 313)) == 0


def test_takes_the_pre_trained_encoder_whole():
    autoencoder = SignalAutoencoder()
    make_critic(pictures=True).encoder.load_state_dict(autoencoder.encoder.state_dict())


def test_refusals():
    with pytest.raises(ValueError, match=r"codes of 12 channels; the combination takes 10\. Set"):
        LFPCritic(SignalEncoder(), Combination(), LFPPictureEncoder(SMALL_SIZE))
    with pytest.raises(ValueError, match="codes of 10 channels; the combination takes 12"):
        LFPCritic(SignalEncoder(), Combination(12))
    with pytest.raises(ValueError, match=r"equally long; .* have \[102, 115\]"):
        LFPCritic(SignalEncoder(22, 300), Combination())
    with pytest.raises(ValueError, match=r"`n_latent` must be at least 92.*got 91"):
        Combination(n_latent=91)
    with pytest.raises(ValueError, match="`dropout` must be at least 0 and below 1"):
        Combination(dropout=1.0)
    signals, pictures = torch.zeros(2, 22, 313), torch.zeros(2, 1, *SMALL_SIZE)
    with pytest.raises(ValueError, match="wants no pictures and got some"):
        make_critic()(signals, pictures)
    with pytest.raises(ValueError, match="wants pictures and got none"):
        make_critic(pictures=True)(signals)
