import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from phosphene.models.encoders.thoughtviz_cnn import ThoughtVizCNN, fold_head, thoughtviz_head


def n_values(network):
    return sum(value.numel() for value in network.parameters())


def n_statistics(network):
    return sum(
        len(module.running_mean) + len(module.running_var)
        for module in network.modules()
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
    )


def test_network_and_head_have_the_published_number_of_values():
    network, head = ThoughtVizCNN(14, 32), thoughtviz_head(100, n_classes=10)
    assert n_values(network) + n_values(head) == 38_047
    assert n_statistics(network) + n_statistics(head) == 402  # Keras counts them: 38,449


def test_each_layer_has_the_published_number_of_values():
    network = ThoughtVizCNN(14, 32)
    counts = {name: n_values(layer) for name, layer in network.named_children()}
    assert {name: n for name, n in counts.items() if n} == {
        "norm": 2,
        "temporal": 160,
        "spatial": 11_225,
        "filter1": 5_050,
        "filter2": 10_100,
        "norm_hidden": 200,
        "output": 10_100,
    }


def shapes_of(network, *inputs):
    shapes = {}
    for name, layer in network.named_children():
        layer.register_forward_hook(
            lambda _, __, output, name=name: shapes.update({name: tuple(output.shape[1:])})
        )
    network(*inputs)
    return shapes


def test_maps_have_the_published_sizes():
    """Published as (chan, time, map) or, where axes are exchanged, (map, time, 1)."""
    shapes = shapes_of(ThoughtVizCNN(14, 32), torch.randn(3, 14, 32))
    assert shapes == {
        "norm": (1, 14, 32),
        "temporal": (32, 14, 29),
        "spatial": (25, 1, 29),
        "pool1": (25, 9),
        "filter1": (50, 6),
        "pool2": (50, 2),
        "filter2": (100, 1),
        "norm_hidden": (100,),
        "output": (100,),
    }


def test_equals_the_published_order_of_axes():
    """The released network exchanges axes between its convolutions; the sums are the same."""
    torch.manual_seed(0)
    network = ThoughtVizCNN(14, 32).eval()
    for value in network.parameters():
        value.data.normal_(std=0.2)
    network.norm_hidden.running_mean.normal_()
    eeg = torch.randn(3, 14, 32)
    maps = network.norm(eeg[:, None])
    maps = F.conv2d(maps, network.temporal.weight, network.temporal.bias).relu()
    maps = F.conv2d(maps, network.spatial.weight, network.spatial.bias).relu()
    maps = F.max_pool2d(maps, (1, 3)).permute(0, 2, 3, 1)  # (batch, 1, time 9, map 25)
    kernel = network.filter1.weight.transpose(1, 2)[:, None]  # (50, 1, 4, 25)
    maps = F.conv2d(maps, kernel, network.filter1.bias).relu()  # (batch, 50, 6, 1)
    image = maps.permute(0, 3, 1, 2)  # one plane of 50 x 6 values
    image = F.max_pool2d(image, (1, 3))  # 50 x 2
    kernel = network.filter2.weight[:, None]  # (100, 1, 50, 2)
    hidden = F.conv2d(image, kernel, network.filter2.bias).relu().flatten(1)
    norm = network.norm_hidden
    hidden = (hidden - norm.running_mean) / (norm.running_var + 1e-3).sqrt()
    hidden = hidden * norm.weight + norm.bias
    expected = F.linear(hidden, network.output.weight, network.output.bias).relu()
    torch.testing.assert_close(network(eeg), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("n_chans", "n_times", "kernels"),
    [
        (14, 32, (4, 3, 4, 3, 2)),
        (14, 33, (4, 3, 4, 3, 2)),
        (4, 102, (4, 3, 4, 3, 10)),
        (5, 102, (4, 3, 4, 3, 10)),
        (8, 64, (4, 3, 4, 3, 5)),
        (128, 30, (4, 3, 4, 3, 2)),
        (1, 21, (4, 3, 4, 3, 1)),
        (2, 7, (4, 3, 1, 1, 1)),
        (3, 1, (1, 1, 1, 1, 1)),
    ],
)
def test_takes_any_number_of_channels_and_samples(n_chans, n_times, kernels):
    network = ThoughtVizCNN(n_chans, n_times, n_features=6).eval()
    assert network(torch.randn(2, n_chans, n_times)).shape == (2, 6)
    layers = (network.pool1, network.filter1, network.pool2, network.filter2)
    spans = [layer.kernel_size for layer in layers]
    spans = [span if isinstance(span, int) else span[0] for span in spans]
    assert (network.temporal.kernel_size[1], *spans) == kernels
    assert network.spatial.kernel_size == (n_chans, 1)


def test_features_are_not_negative():
    torch.manual_seed(0)
    features = ThoughtVizCNN(4, 40)(torch.randn(20, 4, 40))
    assert float(features.detach().min()) == 0
    assert float(features.detach().max()) > 0


def test_the_unit_of_the_signal_does_not_matter_in_training():
    torch.manual_seed(0)
    network, eeg = ThoughtVizCNN(4, 40), torch.randn(20, 4, 40)
    torch.testing.assert_close(network(eeg), network(1e3 * eeg + 4e3), rtol=1e-2, atol=1e-2)


def test_momentum_of_the_norms_can_be_set():
    head = thoughtviz_head(3, n_classes=2, norm_momentum=0.5)
    network = ThoughtVizCNN(4, 40, norm_momentum=0.5)
    assert {head[0].momentum, network.norm.momentum, network.norm_hidden.momentum} == {0.5}
    assert thoughtviz_head(3, n_classes=2)[0].momentum == 0.01


def test_refuses_another_size():
    network = ThoughtVizCNN(4, 20)
    with pytest.raises(ValueError, match="must have 4 channels"):
        network(torch.zeros(1, 3, 20))
    with pytest.raises(ValueError, match="must have 20 samples"):
        network(torch.zeros(1, 4, 21))


def test_folded_head_says_what_the_head_says():
    torch.manual_seed(0)
    head = thoughtviz_head(5, n_classes=3, norm_momentum=0.3)
    nn.init.normal_(head[0].weight)
    nn.init.normal_(head[0].bias)
    for _ in range(4):
        head(3 * torch.randn(20, 5) + 2)
    folded, features = fold_head(head.eval()), torch.randn(7, 5)
    assert isinstance(folded, nn.Linear)
    assert not torch.equal(folded.weight, head[1].weight)
    torch.testing.assert_close(folded(features), head(features), rtol=1e-5, atol=1e-5)


def test_norms_without_weights_and_maps_without_bias_fold_too():
    torch.manual_seed(0)
    head = nn.Sequential(
        nn.BatchNorm1d(4), nn.BatchNorm1d(4, affine=False), nn.Linear(4, 2, bias=False)
    )
    for _ in range(4):
        head(2 * torch.randn(20, 4) - 1)
    features = torch.randn(7, 4)
    torch.testing.assert_close(fold_head(head.eval())(features), head(features))


def test_a_linear_head_folds_to_itself():
    head = nn.Linear(4, 2)
    folded = fold_head(head)
    assert torch.equal(folded.weight, head.weight)
    assert torch.equal(folded.bias, head.bias)


@pytest.mark.parametrize(
    "head",
    [
        nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)),
        nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)),
        nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False), nn.Linear(3, 2)),
        nn.Sequential(),
        nn.ReLU(),
    ],
)
def test_refuses_heads_that_no_linear_map_equals(head):
    with pytest.raises(ValueError, match="must be batch norms and then a linear map; got"):
        fold_head(head)
