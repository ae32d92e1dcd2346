import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.layers import (
    FoldedConditionConv2d,
    ResidualBlock,
    check_columns,
    check_picture_size,
    he_normal_,
    truncated_normal_,
)


def tiled(layer, images, f):
    """The obvious form: repeat the condition over the picture and convolve all planes."""
    planes = f[:, :, None, None].expand(-1, -1, *images.shape[2:])
    joined = torch.cat([images, planes], 1)
    return F.conv2d(joined, layer.weight, layer.bias, stride=layer.stride, padding=1)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (4, 8), (5, 7), (2, 3)])
@pytest.mark.parametrize("bias", [False, True])
def test_equals_tiled_planes_borders_included(height, width, stride, bias):
    rng = torch.Generator().manual_seed(0)
    layer = FoldedConditionConv2d(2, 5, width=6, stride=stride, bias=bias)
    with torch.no_grad():
        for value in layer.parameters():
            value.normal_(generator=rng)
    images = torch.randn(3, 2, height, width, generator=rng)
    f = torch.randn(3, 5, generator=rng)
    results = []
    for form in (layer, lambda images, f: tiled(layer, images, f)):
        leaves = [images.clone().requires_grad_(), f.clone().requires_grad_()]
        output = form(*leaves)
        weight = torch.linspace(-1, 1, output.numel()).view(output.shape)
        gradients = torch.autograd.grad((output * weight).sum(), [*leaves, *layer.parameters()])
        results.append((output, *gradients))
    for folded, expected in zip(*results, strict=True):
        torch.testing.assert_close(folded, expected, rtol=1e-5, atol=2e-5)


def test_second_derivative_exists():
    layer = FoldedConditionConv2d(1, 2, width=3, stride=2).double()
    images = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    f = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (images, f))


def test_start_values_stay_within_two_deviations():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3), torch.nn.Linear(300, 10))
    network.append(FoldedConditionConv2d(3, 40, width=30))
    truncated_normal_(network, std=0.02)
    for layer in network.requires_grad_(False):
        assert layer.weight.abs().max() <= 0.04
        # A normal law cut at two deviations has a deviation of 0.88.
        assert layer.weight.std() == pytest.approx(0.02 * 0.88, rel=0.05)
    assert not network[0].bias.any()


def test_he_start_keeps_the_variance_through_depth():
    torch.manual_seed(0)
    plain = torch.nn.Sequential(*(torch.nn.Conv2d(64, 64, 3, padding=1) for _ in range(4)))
    grow = torch.nn.Sequential(
        *(
            torch.nn.ConvTranspose2d(64, 64, 3, stride=2, padding=1, output_padding=1)
            for _ in range(3)
        )
    )
    for network, size in ((plain, 24), (grow, 6)):
        he_normal_(network, slope=0.2)
        maps = torch.randn(4, 64, size, size)
        before = maps.square().mean()
        with torch.no_grad():
            for layer in network:
                maps = F.leaky_relu(layer(maps), 0.2)
        assert maps.square().mean() / before == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize("size", [8, 24, 0, 100])
def test_refuses_sizes_that_do_not_halve_to_four(size):
    with pytest.raises(ValueError, match=f"power of two of at least 16; got {size}"):
        check_picture_size(size)


def test_names_what_does_not_fit():
    with pytest.raises(ValueError, match=r"`eeg` must have 4 channels.* got the shape \(2, 3, 9\)"):
        check_columns("eeg", torch.zeros(2, 3, 9), 4, "channels")


def test_residual_block_adds_two_normed_convolutions_to_the_identity():
    torch.manual_seed(0)
    block = ResidualBlock(3).eval()
    maps = torch.randn(2, 3, 4, 5)
    first, norm1, _, second, norm2 = block.path
    inner = norm2(second(norm1(first(maps)).relu()))
    torch.testing.assert_close(block(maps), (maps + inner).relu())
    assert first.bias is None
    assert second.bias is None
