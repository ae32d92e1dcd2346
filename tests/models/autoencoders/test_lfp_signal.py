import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.autoencoders.lfp_signal import (
    SignalAutoencoder,
    SignalDecoder,
    SignalEncoder,
)

# Table 4.1: channels in and out, filter, padding, output length; every row is as printed.
ENCODER = [
    (22, 20, 10, 3, 310),
    (20, 18, 40, 3, 277),
    (18, 16, 25, 4, 261),
    (16, 15, 70, 0, 192),
    (15, 14, 24, 0, 169),
    (14, 13, 5, 0, 165),
    (13, 12, 13, 0, 153),
    (12, 11, 20, 0, 134),
    (11, 10, 20, 0, 115),
]
DECODER = [
    (10, 11, 20, 0, 134),
    (11, 12, 20, 0, 153),
    (12, 13, 13, 0, 165),
    (13, 14, 5, 0, 169),
    (14, 15, 24, 0, 192),
    (15, 16, 70, 0, 261),
    (16, 18, 25, 4, 277),
    (18, 20, 40, 3, 310),
    (20, 22, 10, 3, 313),
]


def count(network):
    return sum(value.numel() for value in network.parameters())


@pytest.mark.parametrize(
    ("build", "table", "shape", "n_weights"),
    [
        (SignalEncoder, ENCODER, (2, 22, 313), 56_005),
        (SignalDecoder, DECODER, (2, 10, 115), 55_997),
    ],
    ids=["encoder", "decoder"],
)
def test_every_row_of_the_table(build, table, shape, n_weights):
    network = build()
    assert len(network.layers) == len(table) == 9
    values = torch.randn(shape)
    for layer, (n_in, n_out, kernel, padding, length) in zip(network.layers, table, strict=True):
        convolution = layer[0]
        assert (convolution.in_channels, convolution.out_channels) == (n_in, n_out)
        assert (convolution.kernel_size, convolution.stride) == ((kernel,), (1,))
        assert (convolution.padding, convolution.output_padding) == ((padding,), (0,))
        values = layer(values)
        assert values.shape == (2, n_out, length)
    normed = table if build is SignalEncoder else table[:-1]  # the decoder's last layer has no norm
    expected = sum(i * o * k + o for i, o, k, _, _ in table) + sum(2 * row[1] for row in normed)
    assert count(network) == expected == n_weights


def test_the_code_is_a_sixth_of_the_window():
    code = SignalEncoder()(torch.randn(2, 22, 313))
    assert code.shape == (2, 10, 115)
    assert code[0].numel() / (22 * 313) == pytest.approx(0.17, abs=0.005)  # section 4.2


def test_windows_come_out_z_scored_whatever_goes_in():
    torch.manual_seed(0)
    signals = SignalDecoder()(5 + 30 * torch.randn(4, 10, 115))
    assert signals.shape == (4, 22, 313)
    torch.testing.assert_close(signals.mean((1, 2)), torch.zeros(4), atol=1e-5, rtol=0)
    deviation = signals.var((1, 2), correction=0).sqrt()
    torch.testing.assert_close(deviation, torch.ones(4), atol=1e-4, rtol=0)
    assert signals.std(2).std() > 0  # not each channel on its own


def test_normalisation_is_that_of_the_recorded_windows_and_lets_gradients_through():
    torch.manual_seed(0)
    decoder = SignalDecoder(3, 210).double()
    code = torch.randn(2, 10, 12, dtype=torch.float64, requires_grad=True)
    raw = decoder.layers(code)
    expected = (raw - raw.mean((1, 2), keepdim=True)) / raw.std((1, 2), keepdim=True, correction=0)
    torch.testing.assert_close(decoder(code), expected, rtol=1e-6, atol=1e-8)
    weight = torch.randn(2, 3, 210, dtype=torch.float64)
    found, wanted = (
        torch.autograd.grad((values * weight).sum(), code, retain_graph=True)[0]
        for values in (decoder(code), expected)
    )
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-8)
    assert found.abs().max() > 0


def test_a_constant_output_is_no_nan():
    decoder = SignalDecoder()
    for value in decoder.layers[-1].parameters():
        torch.nn.init.zeros_(value)
    code = torch.randn(2, 10, 115, requires_grad=True)
    signals = decoder(code)
    signals.sum().backward()
    assert signals.abs().max() == 0
    assert code.grad.isfinite().all()


def test_the_autoencoder_learns_a_few_windows():
    torch.manual_seed(0)
    network = SignalAutoencoder(4, 230)
    times = torch.arange(230) / 30
    signals = torch.stack([(times * k + torch.arange(4)[:, None]).sin() for k in (1, 2, 3, 4)])
    signals = F.layer_norm(signals, (4, 230))
    optimizer = torch.optim.Adam(network.parameters(), 1e-2, betas=(0.0, 0.999))
    losses = []
    for _ in range(40):
        losses.append(F.mse_loss(network(signals), signals))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.4 * losses[0]


@pytest.mark.parametrize(("n_chans", "n_times"), [(1, 199), (64, 250), (5, 400)])
def test_other_probes_and_lengths(n_chans, n_times):
    network = SignalAutoencoder(n_chans, n_times)
    signals = torch.randn(2, n_chans, n_times)
    assert network.encoder(signals).shape == (2, 10, n_times - 198)
    assert network(signals).shape == signals.shape


def test_norm_of_a_critics_encoder():
    kinds = {
        norm: {type(module).__name__ for module in SignalEncoder(norm=norm).modules()}
        for norm in ("layer", "none")
    }
    assert "BatchNorm1d" not in kinds["layer"] | kinds["none"]
    assert "GroupNorm" in kinds["layer"]


def test_refusals():
    for build in (SignalEncoder, SignalDecoder, SignalAutoencoder):
        with pytest.raises(ValueError, match=r"`n_times` must be at least 199.*got 198"):
            build(22, 198)
        with pytest.raises(ValueError, match="`n_chans` must be greater than 0"):
            build(0)
    with pytest.raises(ValueError, match="must have 313 samples"):
        SignalEncoder()(torch.zeros(1, 22, 312))
    with pytest.raises(ValueError, match="must have 115 samples"):
        SignalDecoder()(torch.zeros(1, 10, 116))
