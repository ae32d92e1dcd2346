import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.classifiers.lfp_cnn import LFPCNN


@pytest.mark.parametrize(("n_chans", "n_times"), [(22, 313), (1, 16), (5, 17), (95, 1000)])
def test_features_have_64_values_at_every_size(n_chans, n_times):
    network = LFPCNN(3, n_chans=n_chans, n_times=n_times, width=8)
    signals = torch.randn(4, n_chans, n_times)
    features = network.eval().features(signals)
    assert features.shape == (4, 64)
    assert features.min() >= 0
    assert network(signals).shape == (4, 3)
    torch.testing.assert_close(network(signals), network.head(features))


@pytest.mark.parametrize("kind", ["frequency", "channel", "moment"])
def test_learns_what_tells_windows_apart(kind):
    """Where on the probe, when and how fast: a class may differ in each alone."""
    torch.manual_seed(0)
    labels = torch.arange(192) % 2
    times = torch.arange(100) / 100
    windows = 0.5 * torch.randn(192, 6, 100)
    for index, label in enumerate(labels):
        at = 0.5 if kind != "moment" else 0.25 + 0.5 * label
        rate = 10 if kind != "frequency" else 10 + 20 * label
        channel = 2 if kind != "channel" else 1 + 3 * int(label)
        phase = 6.28 * torch.rand(1)
        burst = (6.28 * rate * times + phase).sin() * (-((times - at) ** 2) / 0.01).exp()
        windows[index, channel] += 3 * burst
    network = LFPCNN(2, n_chans=6, n_times=100, width=8)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(25):
        loss = F.cross_entropy(network(windows[:128]), labels[:128])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    right = network.eval()(windows[128:]).argmax(1) == labels[128:]
    assert right.float().mean() > 0.8


def test_refusals():
    with pytest.raises(ValueError, match="at least 16 samples; got 15"):
        LFPCNN(2, n_times=15)
    with pytest.raises(ValueError, match="`n_classes` must be greater than 0"):
        LFPCNN(0)
    with pytest.raises(ValueError, match="must have 22 channels"):
        LFPCNN(2)(torch.zeros(1, 21, 313))
    with pytest.raises(ValueError, match="must have 313 samples"):
        LFPCNN(2)(torch.zeros(1, 22, 312))
