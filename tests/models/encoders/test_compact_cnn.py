import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.encoders.compact_cnn import CompactCNN


@pytest.mark.parametrize("n_times", [32, 77, 103])
def test_band_matrix_equals_a_grouped_convolution(n_times):
    torch.manual_seed(0)
    network = CompactCNN(4, n_times)
    mixed = torch.randn(3, 16, n_times)
    kernels = network.temporal.flip(1).repeat_interleave(network.depth, 0)[:, None]
    expected = F.conv1d(mixed, kernels, padding="same", groups=16)
    torch.testing.assert_close(network._filter_in_time(mixed), expected, rtol=1e-4, atol=1e-5)


def test_mixing_first_equals_filtering_first():
    """EEGNet's order: filter every channel, then mix channels per filter."""
    torch.manual_seed(0)
    network = CompactCNN(5, 64)
    eeg = torch.randn(2, 5, 64)
    filters = network.temporal.flip(1)[:, None, None]  # (filter, 1, 1, tap)
    half = filters.shape[-1] // 2
    filtered = F.conv2d(eeg[:, None], filters, padding=(0, half))  # (batch, filter, chan, time)
    mixers = network.spatial.view(network.n_filters, network.depth, 5)
    expected = torch.einsum("fdc,bfct->bfdt", mixers, filtered).flatten(1, 2)
    result = network._filter_in_time(network.spatial @ eeg)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_learns_a_rhythm_in_one_of_four_channels():
    torch.manual_seed(0)
    labels = torch.arange(60) % 2
    time = torch.arange(64) / 128
    eeg = torch.randn(60, 4, 64)
    eeg[:, 2] += labels[:, None] * torch.sin(2 * torch.pi * 10 * time)
    network = CompactCNN(4, 64, n_features=2)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(40):
        loss = F.cross_entropy(network(eeg), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (network.eval()(eeg).argmax(1) == labels).float().mean() > 0.9


def test_sampling_rate_sets_the_filters_not_the_meaning():
    slow, fast = CompactCNN(2, 100, sfreq=128.0), CompactCNN(2, 200, sfreq=256.0)
    assert (slow.temporal.shape[1], fast.temporal.shape[1]) == (65, 129)
    assert slow.head.in_features == fast.head.in_features


def test_refuses_trials_that_pooling_uses_up():
    with pytest.raises(ValueError, match=r"at least 16 samples at 128 Hz.*got 12\. Cut longer"):
        CompactCNN(4, 12)


def test_refuses_another_length():
    with pytest.raises(ValueError, match=r"must have 40 samples"):
        CompactCNN(4, 40)(torch.zeros(2, 4, 41))
