import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.gaussian_layer import GaussianLayer
from phosphene.models.generators.thoughtviz import (
    ThoughtVizGlyphGenerator,
    ThoughtVizImageGenerator,
)

ACGAN = {"mixture": "none", "fusion": "concatenate"}
DELIGAN = {"mixture": "joined", "fusion": "concatenate"}
SYSTEMS = pytest.mark.parametrize(
    ("settings", "gaussian", "dense", "joined"),
    [
        ({}, 100, 100, 100),
        ({**ACGAN, "n_features": 10}, None, None, 110),
        (ACGAN, None, None, 200),
        ({**DELIGAN, "n_features": 10}, 110, None, 110),
        (DELIGAN, 200, None, 200),
    ],
    ids=["thoughtviz", "acgan-labels", "acgan-eeg", "deligan-labels", "deligan-eeg"],
)


def n_values(network):
    return sum(value.numel() for value in network.parameters())


def layers_of(network, *inputs):
    """Return name and output shape of each layer in the order in which they are passed."""
    seen = []
    for name, layer in network.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(
                lambda _, __, output, name=name: seen.append((name, tuple(output.shape[1:])))
            )
    network(*inputs)
    return seen


@SYSTEMS
def test_image_layers_have_the_published_sizes(settings, gaussian, dense, joined):
    network = ThoughtVizImageGenerator(**settings)
    seen = layers_of(network, torch.randn(2, 100), torch.randn(2, network.n_features))
    first = [
        ("gaussian", gaussian and (gaussian,)),
        ("dense", dense and (dense,)),
    ]
    assert seen == [
        *[(name, shape) for name, shape in first if shape],
        ("norm", (joined,)),
        ("first", (8192,)),
        ("norms.0", (512, 4, 4)),
        ("grow.0", (256, 8, 8)),
        ("norms.1", (256, 8, 8)),
        ("grow.1", (128, 16, 16)),
        ("norms.2", (128, 16, 16)),
        ("grow.2", (64, 32, 32)),
        ("norms.3", (64, 32, 32)),
        ("grow.3", (3, 64, 64)),
    ]


@SYSTEMS
def test_image_layers_have_the_published_number_of_values(settings, gaussian, dense, joined):
    expected = 2 * (gaussian or 0) + (dense or 0) * (100 + 1) + 2 * joined
    expected += (joined + 1) * 8192 + 2 * 512
    for n_in, n_out in ((512, 256), (256, 128), (128, 64), (64, 3)):
        expected += 25 * n_in * n_out + n_out + (2 * n_out if n_out > 3 else 0)
    with torch.device("meta"):
        network = ThoughtVizImageGenerator(**settings)
    assert n_values(network) == expected
    if not settings:
        assert n_values(network) == 5_145_863


@pytest.mark.parametrize("n_features", [100, 10])
@pytest.mark.parametrize("mixture", ["z", "none"])
def test_glyph_layers_have_the_published_sizes(mixture, n_features):
    network = ThoughtVizGlyphGenerator(n_features=n_features, mixture=mixture)
    seen = layers_of(network, torch.randn(2, 100), torch.randn(2, n_features))
    assert seen == [
        *([("gaussian", (100,))] if mixture == "z" else []),
        ("dense", (1024,)),
        ("norm", (1024,)),
        ("first", (6272,)),
        ("upsample", (128, 14, 14)),
        ("norm_maps", (128, 14, 14)),
        ("middle", (64, 14, 14)),
        ("upsample", (64, 28, 28)),
        ("last", (1, 28, 28)),
    ]
    expected = 200 * (mixture == "z") + (100 + n_features + 1) * 1024 + 2 * 1024 + 1025 * 6272
    expected += 2 * 128 + 25 * 128 * 64 + 64 + 9 * 64 + 1
    assert n_values(network) == expected


def randomize(network):
    for value in network.parameters():
        value.data.normal_(std=0.2)
    return network.train()


def test_image_equals_the_published_order_of_layers_and_crops():
    """TensorFlow's 'same': the whole transposed convolution less one row above, two below."""
    torch.manual_seed(0)
    network = randomize(ThoughtVizImageGenerator(n_noise=3, n_features=5, size=16, width=4))
    z, f = torch.randn(6, 3), torch.randn(6, 5)

    def norm(x, layer):
        return F.batch_norm(x, None, None, layer.weight, layer.bias, training=True, eps=1e-3)

    mixed = z * network.gaussian.scale + network.gaussian.mean
    x = norm(torch.tanh(network.dense(mixed)) * f, network.norm)
    maps = network.first(x).relu().view(6, 8, 4, 4).flip(2, 3)  # turned: a matter of order
    for layer, before in zip(network.grow, network.norms, strict=True):
        kernel = layer.weight.flip(2, 3)
        whole = F.conv_transpose2d(norm(maps, before), kernel, layer.bias, 2)
        maps = whole[:, :, 1:-2, 1:-2].relu()
    expected = 2 * torch.tanh(maps) - 1
    torch.testing.assert_close(network(z, f), expected, rtol=1e-4, atol=1e-4)


def test_glyph_equals_the_published_order_of_layers():
    torch.manual_seed(0)
    network = randomize(ThoughtVizGlyphGenerator(n_noise=3, n_features=2, size=16, width=2))
    network.eval()
    z, f = torch.randn(6, 3), torch.randn(6, 2)
    x = torch.cat([z * network.gaussian.scale + network.gaussian.mean, f], 1)
    x = network.norm(torch.tanh(network.dense(x)))
    maps = torch.tanh(network.first(x)).view(6, 4, 4, 4)
    maps = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
    maps = torch.tanh(network.middle(network.norm_maps(maps)))
    maps = maps.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(network(z, f), torch.tanh(network.last(maps)))


@pytest.mark.parametrize(("size", "planes"), [(16, [8, 4]), (32, [16, 8, 4]), (64, [32, 16, 8, 4])])
def test_images_grow_to_any_power_of_two(size, planes):
    network = ThoughtVizImageGenerator(n_noise=3, n_features=5, size=size, color=1, width=4)
    pictures = network(torch.randn(2, 3), torch.randn(2, 5))
    assert pictures.shape == (2, 1, size, size)
    assert [layer.in_channels for layer in network.grow] == planes


@pytest.mark.parametrize("size", [16, 20, 28, 32, 64])
def test_glyphs_take_any_multiple_of_four(size):
    network = ThoughtVizGlyphGenerator(n_noise=3, n_features=5, size=size, color=3, width=2)
    assert network(torch.randn(2, 3), torch.randn(2, 5)).shape == (2, 3, size, size)


@pytest.mark.parametrize("rectified", [True, False])
def test_pictures_span_both_signs_within_one(rectified):
    torch.manual_seed(0)
    network = randomize(
        ThoughtVizImageGenerator(n_noise=3, n_features=5, size=16, width=4, rectified=rectified)
    )
    pictures = network(torch.randn(20, 3), torch.randn(20, 5)).detach()
    assert -1 <= float(pictures.min()) < -0.5
    assert 0.5 < float(pictures.max()) <= 1
    assert bool((pictures == -1).any()) == rectified  # rectified to black


def test_a_condition_of_zeros_leaves_nothing_of_the_noise_when_multiplied():
    for fusion, same in (("multiply", True), ("concatenate", False)):
        torch.manual_seed(0)
        network = randomize(
            ThoughtVizImageGenerator(n_noise=3, n_features=5, size=16, width=4, fusion=fusion)
        )
        network.eval()
        pictures = network(torch.randn(2, 3), torch.zeros(2, 5))
        assert torch.equal(pictures[0], pictures[1]) == same


@pytest.mark.parametrize(
    "network",
    [
        ThoughtVizImageGenerator(size=16, width=2),
        ThoughtVizImageGenerator(size=16, width=2, **DELIGAN),
        ThoughtVizGlyphGenerator(size=16, width=2),
    ],
)
def test_penalty_is_that_of_the_gaussian_layer(network):
    assert isinstance(network.gaussian, GaussianLayer)
    torch.testing.assert_close(network.penalty(), 0.01 * network.gaussian.scale.square().sum())


def test_penalty_without_a_gaussian_layer_is_zero():
    for network in (
        ThoughtVizImageGenerator(size=16, width=2, **ACGAN),
        ThoughtVizGlyphGenerator(size=16, width=2, mixture="none"),
    ):
        assert network.gaussian is None
        assert network.penalty() == 0


def test_refusals():
    with pytest.raises(ValueError, match="power of two"):
        ThoughtVizImageGenerator(size=28)
    with pytest.raises(ValueError, match="multiple of 4 of at least 16; got 30"):
        ThoughtVizGlyphGenerator(size=30)
    with pytest.raises(ValueError, match="Did you mean 'joined'"):
        ThoughtVizImageGenerator(mixture="join")
    with pytest.raises(ValueError, match="Did you mean 'multiply'"):
        ThoughtVizImageGenerator(fusion="multipy")
    with pytest.raises(ValueError, match="`mixture` must be one of 'none', 'z'"):
        ThoughtVizGlyphGenerator(mixture="joined")
    with pytest.raises(ValueError, match="the mixture 'joined' must go with a joined vector"):
        ThoughtVizImageGenerator(mixture="joined")
