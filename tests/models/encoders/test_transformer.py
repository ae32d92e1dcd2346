import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.encoders.transformer import TransformerEncoder


@pytest.mark.parametrize(
    ("n_chans", "n_times", "n_tokens"), [(14, 32, 8), (4, 102, 26), (64, 128, 32)]
)
def test_takes_headsets_of_all_sizes(n_chans, n_times, n_tokens):
    network = TransformerEncoder(n_chans, n_times)
    assert network.positions.shape == (n_tokens, 64)
    assert network(torch.randn(2, n_chans, n_times)).shape == (2, 128)


def test_equals_torchs_own_layers():
    torch.manual_seed(0)
    network = TransformerEncoder(3, 10, n_features=5, width=8, n_heads=2, n_layers=2).eval()
    for value in network.parameters():
        value.data.normal_(std=0.4)
    eeg = torch.randn(2, 3, 10)
    padded = torch.cat([eeg, torch.zeros(2, 3, 2)], 2)
    patches = [padded[:, :, start : start + 4].flatten(1) for start in (0, 4, 8)]
    tokens = torch.stack([network.embed(patch) for patch in patches], 1) + network.positions
    for block in network.blocks:
        layer = torch.nn.TransformerEncoderLayer(
            8, 2, 16, activation="gelu", batch_first=True, norm_first=True
        ).train()  # its other path in evaluation takes no gradients
        layer.load_state_dict(
            {
                "self_attn.in_proj_weight": block.ask.weight,
                "self_attn.in_proj_bias": block.ask.bias,
                **part("self_attn.out_proj", block.answer),
                **part("linear1", block.widen),
                **part("linear2", block.narrow),
                **part("norm1", block.norm1),
                **part("norm2", block.norm2),
            }
        )
        for dropout in (layer.dropout, layer.dropout1, layer.dropout2):
            dropout.p = 0.0
        layer.self_attn.dropout = 0.0
        tokens = layer(tokens)
    expected = network.head(network.norm(tokens).mean(1))
    torch.testing.assert_close(network(eeg), expected, rtol=1e-4, atol=1e-5)


def part(name, layer):
    return {f"{name}.{key}": value for key, value in layer.state_dict().items()}


def test_hears_every_sample_and_channel():
    torch.manual_seed(0)
    network = TransformerEncoder(3, 10, n_features=5).eval()
    eeg = torch.randn(4, 3, 10, requires_grad=True)
    network(eeg).square().sum().backward()
    assert (eeg.grad.abs() > 0).all()


def test_time_is_told_by_position():
    """Exchanging two patches changes the features; without positions it does not."""
    torch.manual_seed(0)
    network = TransformerEncoder(3, 12, n_features=5).eval()
    eeg = torch.randn(2, 3, 12)
    exchanged = torch.cat([eeg[..., 4:8], eeg[..., :4], eeg[..., 8:]], 2)
    assert not torch.allclose(network(eeg), network(exchanged), atol=1e-3)
    network.positions.data.zero_()
    torch.testing.assert_close(network(eeg), network(exchanged), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("scale", "learns"), [(1.0, True), (0.04, False)])
def test_learns_a_latency_because_positions_start_large(scale, learns):
    torch.manual_seed(0)
    labels = torch.arange(200) % 2
    eeg = 0.5 * torch.randn(200, 4, 64)
    eeg[labels == 0, 1, 20:26] += 1
    eeg[labels == 1, 1, 36:42] += 1
    network = TransformerEncoder(4, 64, n_features=2)
    network.positions.data.mul_(scale)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(50):
        loss = F.cross_entropy(network(eeg[:100]), labels[:100])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    accuracy = (network.eval()(eeg[100:]).argmax(1) == labels[100:]).float().mean()
    assert (accuracy > 0.9) == learns


def test_patches_follow_the_sampling_rate():
    slow, fast = TransformerEncoder(2, 100, sfreq=128.0), TransformerEncoder(2, 200, sfreq=256.0)
    assert (slow.n_patch, fast.n_patch) == (4, 8)
    assert slow.positions.shape == fast.positions.shape
    assert TransformerEncoder(2, 5, sfreq=1000.0).n_patch == 5
    assert TransformerEncoder(2, 5, sfreq=10.0).n_patch == 1


def test_refusals():
    with pytest.raises(ValueError, match=r"a multiple of the 4 heads; got 30\. Take 28"):
        TransformerEncoder(4, 32, width=30)
    with pytest.raises(ValueError, match="`n_layers` must be greater than 0"):
        TransformerEncoder(4, 32, n_layers=0)
    with pytest.raises(ValueError, match="must have 32 samples"):
        TransformerEncoder(4, 32)(torch.zeros(1, 4, 40))
