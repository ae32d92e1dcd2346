import pytest
import torch
from torch import nn

from phosphene.models.long_convolution import (
    LongConv1d,
    LongConv2d,
    LongConvTranspose1d,
    LongConvTranspose2d,
)

KINDS = {"plain": (LongConv1d, nn.Conv1d), "transposed": (LongConvTranspose1d, nn.ConvTranspose1d)}


def make_pair(kind, n_in, n_out, kernel, padding, *, bias=True):
    """Return the layer and torch's own, with the same weights."""
    build, reference = KINDS[kind]
    layers = [
        c(n_in, n_out, kernel, padding=padding, bias=bias).double() for c in (build, reference)
    ]
    layers[0].load_state_dict(layers[1].state_dict())
    return layers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("n", "kernel", "padding", "bias"),
    [(31, 9, 0, True), (32, 9, 3, False), (40, 40, 0, True), (9, 11, 5, True), (30, 1, 0, True)],
)
def test_agrees_with_torch_to_the_second_derivative(kind, n, kernel, padding, bias):
    results = []
    for layer in make_pair(kind, 3, 4, kernel, padding, bias=bias):
        rng = torch.Generator().manual_seed(0)
        signals = torch.randn(2, 3, n, dtype=torch.float64, generator=rng, requires_grad=True)
        output = layer(signals)
        loss = output.tanh().square().sum()
        (slope,) = torch.autograd.grad(loss, signals, create_graph=True)
        weights = [signals, layer.weight]  # the bias shifts no slope of the layer itself
        first = torch.autograd.grad(loss, list(layer.parameters()), retain_graph=True)
        second = torch.autograd.grad(slope.square().sum(), weights)
        results.append((output, slope, *first, *second))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("build", "reference", "options"),
    [
        (LongConv2d, nn.Conv2d, {}),
        (LongConv2d, nn.Conv2d, {"stride": 2, "padding": 5}),  # more zeros than taps
        (LongConv2d, nn.Conv2d, {"stride": (3, 1), "padding": (0, 2), "bias": False}),
        (LongConvTranspose2d, nn.ConvTranspose2d, {}),
        (LongConvTranspose2d, nn.ConvTranspose2d, {"stride": 2, "output_padding": 1}),
        (LongConvTranspose2d, nn.ConvTranspose2d, {"stride": (3, 2), "padding": (2, 3)}),
        (
            LongConvTranspose2d,
            nn.ConvTranspose2d,
            {"stride": 2, "padding": 1, "output_padding": (1, 0), "bias": False},
        ),
    ],
)
def test_planes_agree_with_torch_and_their_gradients(build, reference, options):
    results = []
    state = None
    for make in (reference, build):
        layer = make(3, 2, (4, 5), **options).double()
        state = state or {name: value.clone() for name, value in layer.state_dict().items()}
        layer.load_state_dict(state)
        rng = torch.Generator().manual_seed(0)
        maps = torch.randn(2, 3, 9, 10, dtype=torch.float64, generator=rng, requires_grad=True)
        output = layer(maps)
        loss = output.tanh().square().sum()
        results.append((output, *torch.autograd.grad(loss, [maps, *layer.parameters()])))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_rounding_of_float32_is_small(kind):
    torch.manual_seed(0)
    layer, reference = (layer.float() for layer in make_pair(kind, 20, 18, 40, 3))
    signals = torch.randn(8, 20, 310)
    torch.testing.assert_close(layer(signals), reference(signals), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_other_precisions_and_autocast_are_torchs(kind):
    layer, reference = (layer.float() for layer in make_pair(kind, 3, 4, 9, 0))
    signals = torch.randn(2, 3, 31)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(signals), reference(signals))
    assert layer(signals).dtype == torch.float32
    low = [part.bfloat16() for part in (layer, reference)]
    assert torch.equal(low[0](signals.bfloat16()), low[1](signals.bfloat16()))
    assert layer.to("meta")(torch.empty(2, 3, 31, device="meta", dtype=torch.bfloat16)).is_meta
