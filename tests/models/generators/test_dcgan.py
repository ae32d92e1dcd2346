import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.generators.dcgan import DCGANGenerator


def n_values(network):
    return sum(value.numel() for value in network.parameters())


def test_has_the_published_number_of_values():
    with torch.device("meta"):
        assert n_values(DCGANGenerator()) == 8_647_456


def test_equals_the_published_order_of_crops():
    """Upright maps; TensorFlow's 'same': the whole transposed convolution less its last row."""
    torch.manual_seed(0)
    network = DCGANGenerator(n_noise=3, n_features=2, size=16, color=3, width=4).train()
    for value in network.parameters():
        value.data.normal_()
    z, f = torch.randn(2, 3), torch.randn(2, 2)
    maps = torch.cat([z, f], 1)[:, :, None, None]
    maps = F.conv_transpose2d(maps, network.first.weight.flip(2, 3), stride=4)
    maps = F.leaky_relu(F.pad(maps, (0, 1, 0, 1)), 0.3)  # 3x3 to 4x4
    assert not maps[:, :, -1].any()
    assert not maps[:, :, :, -1].any()
    for grow, norm in zip(network.grow, network.norms, strict=True):
        whole = F.conv_transpose2d(maps, grow.weight.flip(2, 3), stride=2)
        maps = whole[:, :, :-1, :-1]
        maps = F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True, eps=1e-3)
        maps = F.leaky_relu(maps, 0.3)
    expected = torch.tanh(F.conv2d(maps, network.last.weight.flip(2, 3), padding=1))
    torch.testing.assert_close(network(z, f), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_grows_to_any_power_of_two(size):
    network = DCGANGenerator(n_noise=4, n_features=3, size=size, color=1, width=2, max_width=8)
    images = network(torch.randn(2, 4), torch.randn(2, 3))
    assert images.shape == (2, 1, size, size)
    assert images.abs().max() <= 1
    assert network.first.out_channels <= 8


def test_width_is_capped():
    network = DCGANGenerator(size=32, width=32, max_width=64)
    assert [layer.in_channels for layer in network.grow] == [64, 64, 64]


MODES = {"paper": {}, "as written": {"spectral_norm": True}, "executed": {"norm": "affine"}}
SMALL = {"n_noise": 4, "n_features": 3, "size": 16, "width": 4}
PUBLISHED = [(1024, 4), (512, 8), (256, 16), (128, 32), (64, 64), (32, 128)]


@pytest.mark.parametrize("options", MODES.values(), ids=MODES)
def test_has_the_published_layers_in_every_mode(options):
    with torch.device("meta"):
        network = DCGANGenerator(**options).eval()
    assert n_values(network) == 8_647_456
    maps = []
    for layer in network.grow:
        layer.register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0].shape[1:]))
        layer.register_forward_hook(lambda _, inputs, output: maps.append(output.shape[1:]))
    pictures = network(torch.empty(2, 128, device="meta"), torch.empty(2, 128, device="meta"))
    assert pictures.shape == (2, 3, 128, 128)
    assert maps[::2] == [(planes, side, side) for planes, side in PUBLISHED[:-1]]
    assert maps[1::2] == [(planes, side, side) for planes, side in PUBLISHED[1:]]
    layers = (network.first, *network.grow, network.last)
    assert all(layer.kernel_size == (3, 3) and layer.bias is None for layer in layers)


@pytest.mark.parametrize("options", MODES.values(), ids=MODES)
def test_every_mode_starts_from_the_same_values(options):
    networks = []
    for chosen in ({}, options):
        torch.manual_seed(0)
        networks.append(dict(DCGANGenerator(**SMALL, **chosen).named_parameters()))
    assert networks[0].keys() == networks[1].keys()
    for name, value in networks[0].items():
        assert torch.equal(value, networks[1][name]), name


def slow_pictures(network, z, f, kernels, normalize):
    """Upright maps from given kernels; see `test_equals_the_published_order_of_crops`."""
    kernels = [kernel.flip(2, 3) for kernel in kernels]
    maps = F.conv_transpose2d(torch.cat([z, f], 1)[:, :, None, None], kernels[0], stride=4)
    maps = F.leaky_relu(F.pad(maps, (0, 1, 0, 1)), 0.3)
    for kernel, norm in zip(kernels[1:-1], network.norms, strict=True):
        maps = F.conv_transpose2d(maps, kernel, stride=2)[:, :, :-1, :-1]
        maps = F.leaky_relu(normalize(maps, norm), 0.3)
    return torch.tanh(F.conv2d(maps, kernels[-1], padding=1))


def layers_of(network):
    return [network.first, *network.grow, network.last]


@pytest.mark.parametrize("training", [True, False])
def test_executed_norms_are_one_line_per_plane(training):
    torch.manual_seed(0)
    network = DCGANGenerator(**SMALL, norm="affine").train(training)
    for value in network.parameters():
        value.data.normal_(std=0.3)
    z, f = torch.randn(3, 4), torch.randn(3, 3)

    def line(maps, norm):
        return maps / 1.001**0.5 * norm.weight[:, None, None] + norm.bias[:, None, None]

    before = {name: value.clone() for name, value in network.state_dict().items()}
    kernels = [layer.weight for layer in layers_of(network)]
    expected = slow_pictures(network, z, f, kernels, line)
    torch.testing.assert_close(network(z, f), expected, rtol=1e-4, atol=1e-5)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name  # no statistics moved


def test_executed_pictures_start_as_faint_as_published():
    """About 1e-4 was measured in the released code at its start."""
    torch.manual_seed(0)
    network = DCGANGenerator(norm="affine")
    with torch.no_grad():
        pictures = network(torch.rand(2, 128) * 2 - 1, torch.randn(2, 128) / 4)
    assert 2e-5 < pictures.std() < 5e-4


def test_written_kernels_are_overwritten_in_training_alone():
    torch.manual_seed(0)
    network = DCGANGenerator(**SMALL, spectral_norm=True)
    z, f = torch.randn(3, 4), torch.randn(3, 3)
    expected = []
    for layer in layers_of(network):
        matrix = layer.weight.detach().flatten(1)
        other = F.normalize(layer.direction @ matrix, dim=0)
        gain = (matrix @ other).norm()
        expected.append(layer.weight.detach() / gain)
    pictures = network.train()(z, f)
    for layer, kernel in zip(layers_of(network), expected, strict=True):
        torch.testing.assert_close(layer.weight.detach(), kernel)

    def by_batch(maps, norm):
        return F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True, eps=1e-3)

    slow = slow_pictures(network, z, f, expected, by_batch)
    torch.testing.assert_close(pictures, slow, rtol=1e-3, atol=1e-4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.eval()(z, f)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_spectral_norm_bounds_every_kernel():
    torch.manual_seed(0)
    network = DCGANGenerator(**SMALL, spectral_norm=True)
    for _ in range(30):
        network(torch.randn(2, 4), torch.randn(2, 3))
    for layer in layers_of(network):
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) == pytest.approx(
            1, rel=0.02
        )


def test_two_passes_of_training_have_their_own_derivatives():
    """z1 and z2 go through other kernels; the loss of both is differentiated at once."""
    torch.manual_seed(0)
    network = DCGANGenerator(**SMALL, spectral_norm=True).double()
    z, f = torch.randn(2, 3, 4).double(), torch.randn(3, 3).double()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    pictures = [network(noise, f) for noise in z]
    sum(picture.square().sum() for picture in pictures).backward()
    together = [layer.weight.grad.clone() for layer in layers_of(network)]
    network.load_state_dict(state)
    alone = []
    for noise in z:
        network.zero_grad()
        network(noise, f).square().sum().backward()
        alone.append([layer.weight.grad.clone() for layer in layers_of(network)])
    for both, first, second in zip(together, *alone, strict=True):
        torch.testing.assert_close(both, first + second)


def test_refuses_unknown_norms():
    with pytest.raises(ValueError, match="`norm` must be one of 'affine', 'batch'; got 'bacth'"):
        DCGANGenerator(norm="bacth")


def test_refuses_odd_sizes():
    with pytest.raises(ValueError, match="power of two"):
        DCGANGenerator(size=100)
