import numpy as np
import pytest
import torch
from torch import nn

from phosphene.export import picture_to_picture
from phosphene.export.picture_to_picture import PictureToPicture, network_sizes


class Mean(nn.Module):
    """Return the mean of each picture everywhere; the part before keeps what it was called with."""

    size, color = (3, 4), 1

    def __init__(self):
        super().__init__()
        self.batches = []

    def forward(self, images):
        self.batches.append(len(images))
        return images.mean((2, 3), keepdim=True).expand_as(images).clone()


def restorer(network=None, **changes):
    wanted = {"size": (3, 4), "color": 1, "corruption": "lower_half"} | changes
    return PictureToPicture(network or Mean(), **wanted)


def pictures(n=5, shape=(1, 3, 4)):
    return np.random.default_rng(0).random((n, *shape)).astype(np.float32)


def test_restores_each_picture_by_the_network():
    given = pictures()
    restored = restorer().restore(given)
    assert restored.dtype == np.float32
    expected = given.mean((2, 3), keepdims=True) * np.ones((1, 1, 3, 4))
    np.testing.assert_allclose(restored, expected, atol=1e-6)


def test_parts_give_what_all_at_once_give(monkeypatch):
    monkeypatch.setattr(picture_to_picture, "MAX_VALUES", 25)
    system, given = restorer(), pictures()
    whole = np.concatenate([part for _, part in system.restore_parts(given)])
    assert system.network.batches == [2, 2, 1]
    np.testing.assert_array_equal(whole, restorer().restore(given))
    assert system.restore(given[:0]).shape == (0, 1, 3, 4)


def test_restores_in_evaluation_mode_and_without_gradients(restorer):
    system = restorer.system
    system.network.train()
    given = np.random.default_rng(0).random((2, 1, 12, 10), dtype=np.float32)
    restored = system.restore(given)
    assert not system.network.training
    assert all(parameter.grad is None for parameter in system.network.parameters())
    with torch.no_grad():
        expected = system.network(torch.from_numpy(given)).numpy()
    np.testing.assert_array_equal(restored, expected)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (pictures(shape=(1, 4, 3)), r"\(picture, 1, 3, 4\); got \(5, 1, 4, 3\)"),
        (pictures(shape=(3, 3, 4)), r"got \(5, 3, 3, 4\)"),
        (pictures() * 255, r"lie in \[0, 1\]; got .*Divide bytes"),
        (pictures() - 1, r"lie in \[0, 1\]"),
        (pictures() * np.float32(np.nan), "must be finite"),
    ],
)
def test_refuses_other_pictures(given, match):
    with pytest.raises(ValueError, match=match):
        restorer().restore(given)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"size": (4, 3)}, r"size of pictures; .* for \(3, 4\), not \(4, 3\)"),
        ({"color": 3}, "channels of pictures; .* for 1, not 3"),
        ({"corruption": "scratches"}, "`corruption` must be one of"),
        ({"network": nn.Linear(2, 2)}, "`size` .* Linear has not"),
    ],
)
def test_refuses_what_does_not_fit_the_network(changes, match):
    with pytest.raises(ValueError, match=match):
        restorer(**changes)


def test_refuses_weights_that_give_no_finite_pictures():
    class Spoilt(Mean):
        def forward(self, images):
            return images * torch.nan

    class Cut(Mean):
        def forward(self, images):
            return images[:, :, 1:]

    for network in (Spoilt(), Cut()):
        with pytest.raises(ValueError, match="finite pictures of the same shape"):
            restorer(network).restore(pictures())


def test_sizes_are_those_the_network_says(restorer):
    assert network_sizes(restorer.system.network) == ((12, 10), 1)
