import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.classifiers.picture_cnn import PictureCNN


@pytest.mark.parametrize("size", [8, 16, 28, 32, 50])
def test_features_have_128_values_at_every_size(size):
    network = PictureCNN(3, size=size, color=3, width=8)
    features = network.eval().features(torch.zeros(2, 3, size, size))
    assert features.shape == (2, 128)
    assert features.min() >= 0


def test_learns_bars():
    torch.manual_seed(0)
    images = torch.full((40, 1, 16, 16), -1.0)
    labels = torch.arange(40) % 2
    for index, label in enumerate(labels):
        bar = images[index, 0] if label else images[index, 0].T
        bar[index % 13 + 1] = 1.0
    network = PictureCNN(2, size=16, color=1, width=8)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(15):
        loss = F.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (network.eval()(images).argmax(1) == labels).float().mean() > 0.9


def test_refuses_tiny_pictures():
    with pytest.raises(ValueError, match="at least 8 pixels; got 4"):
        PictureCNN(2, size=4, color=1)
