import pytest
import torch

from phosphene.export.networks import build_network
from phosphene.models.restoration.restoration_network import MAX_VALUES, RestorationNetwork

SMALL = {"hidden": 12, "n_context": 3, "width": 4}


def make(size=(8, 6), color=1, **settings):
    torch.manual_seed(0)
    return RestorationNetwork(size, color, **{**SMALL, **settings}).eval()


def pictures(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(28, 28), (7, 5), (1, 1), (90, 70)])
@pytest.mark.parametrize("color", [1, 3])
def test_any_size_and_colour(size, color):
    spec = {"network": "RestorationNetwork", "settings": {"size": list(size), "color": color}}
    network = build_network({**spec, "settings": {**spec["settings"], **SMALL}})
    for mode in (True, False):
        restored = network.train(mode)(pictures(3, color, *size))
        assert restored.shape == (3, color, *size)
        assert 0 <= restored.min() <= restored.max() <= 1


@pytest.mark.parametrize(
    ("size", "shrink"), [((64, 64), 1), ((88, 88), 1), ((91, 94), 2), ((208, 200), 4)]
)
def test_the_dense_layers_read_no_more_values_than_they_may(size, shrink):
    network = make(size)
    assert network.shrink == shrink
    assert network.dense[0].in_features <= MAX_VALUES < 4 * network.dense[0].in_features * shrink**2
    changed = pictures(1, 1, *size)
    before = network(changed)
    changed[:, :, -1, -1] += 0.5
    assert not torch.equal(network(changed)[:, :, 0, 0], before[:, :, 0, 0])


@pytest.mark.parametrize(("settings", "reaches"), [({}, True), ({"hidden": 0}, False)])
def test_rows_below_count_as_those_above_do(settings, reaches):
    network = make((40, 8), **settings)
    images = pictures(1, 1, 40, 8)
    before = network(images)
    for changed_row, seen_row in ((-1, 0), (0, -1)):
        changed = images.clone()
        changed[:, :, changed_row] = 1 - changed[:, :, changed_row]
        assert torch.equal(network(changed)[:, :, seen_row], before[:, :, seen_row]) != reaches


def test_without_skips_all_passes_through_the_dense_layers():
    network = make(skips=False)
    images = pictures(4, 1, 8, 6)
    assert network(images).std(0).max() > 1e-4
    with torch.no_grad():
        network.dense[0].weight.zero_()
    assert network(images).std(0).max() < 1e-6


def test_starts_near_the_mean_brightness():
    network = make(color=2)
    network.start_bias(torch.stack([torch.full((8, 6), 0.1), torch.full((8, 6), 0.7)]))
    with torch.no_grad():
        network.output.weight.zero_()
        drawn = network(pictures(2, 2, 8, 6))
    torch.testing.assert_close(drawn[1, 0], torch.full((8, 6), 0.1))
    torch.testing.assert_close(drawn[1, 1], torch.full((8, 6), 0.7))


def test_every_weight_gets_a_gradient():
    network = make().train()
    network.blocks[0].norms[1].weight.data.fill_(0.5)  # zero at the start
    network(pictures(5, 1, 8, 6)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if not p.grad.abs().sum()] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden": 0, "skips": False}, "must read the picture"),
        ({"hidden": -1}, "`hidden` must be at least 0"),
        ({"width": 0}, "`width` must be greater than 0"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and below 1"),
        ({"size": (0, 3)}, "`size` must be rows and columns"),
    ],
)
def test_refuses_what_cannot_be_built(settings, message):
    with pytest.raises(ValueError, match=message):
        RestorationNetwork(**settings)


def test_refuses_other_pictures():
    with pytest.raises(ValueError, match="must have 8 rows"):
        make()(pictures(1, 1, 6, 8))
