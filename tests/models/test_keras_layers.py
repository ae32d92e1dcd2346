import numpy as np
import pytest
import torch
from torch import nn

from phosphene.models.keras_layers import (
    FixedModeBatchNorm2d,
    normalize_kernel_,
    start_spectral_norm_,
)


def make_layer(kind=nn.ConvTranspose2d, *, seed=0):
    torch.manual_seed(seed)
    layer = kind(5, 7, 3, bias=False).double()
    start_spectral_norm_(layer)
    return layer


def slow(kernel, u):
    """The rule on a kernel in Keras' order, whose last axis is u's, as it is written there."""
    w = kernel.reshape(-1, kernel.shape[-1])
    v = u @ w.T
    v /= np.sqrt(np.maximum((v**2).sum(), 1e-12))
    u = v @ w
    u /= np.sqrt(np.maximum((u**2).sum(), 1e-12))
    sigma = (v @ w) @ u.T
    return kernel / sigma, u


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_overwrites_as_the_slow_form_in_the_order_of_keras(kind):
    """Keras keeps (height, width, in, out), and (height, width, out, in) where it is transposed."""
    layer = make_layer(kind)
    kernel = layer.weight.detach().permute(2, 3, 1, 0).numpy().copy()
    u = layer.direction.numpy()[None].copy()
    for _ in range(3):
        kernel, u = slow(kernel, u)
        used = normalize_kernel_(layer).detach()
        assert torch.equal(used, layer.weight)
        np.testing.assert_allclose(used.permute(2, 3, 1, 0).numpy(), kernel)
        np.testing.assert_allclose(layer.direction.numpy(), u[0])


def test_gain_goes_to_one_whatever_it_was():
    layer = make_layer()
    layer.weight.data *= 40
    for _ in range(60):
        normalize_kernel_(layer)
    gain = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
    assert gain == pytest.approx(1, abs=1e-6)


def test_the_first_direction_is_narrow_and_cut():
    values = torch.cat([make_layer(seed=seed).direction for seed in range(200)])
    assert 0.035 < values.abs().max() <= 0.04
    assert values.std() == pytest.approx(0.02 * 0.88, rel=0.1)  # a normal law cut at 2 SD


def test_half_precision_around_it_changes_nothing():
    plain, mixed = make_layer().float(), make_layer().float()
    normalize_kernel_(plain)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        normalize_kernel_(mixed)
    assert torch.equal(plain.weight, mixed.weight)


def test_the_division_is_no_part_of_the_derivative():
    layer = make_layer()
    weights = torch.randn_like(layer.weight)
    used = normalize_kernel_(layer)
    (used.square() * weights).sum().backward()
    torch.testing.assert_close(layer.weight.grad, 2 * used.detach() * weights)


def test_graphs_of_earlier_calls_keep_their_kernels():
    """Two passes of the generator, then both derivatives, as in the released code."""
    layer, weights = make_layer(), torch.randn(5, 7, 3, 3, dtype=torch.float64)
    first = normalize_kernel_(layer)
    kept = first.detach().clone()
    second = normalize_kernel_(layer)
    assert not torch.equal(first, second)
    (first.square() * weights).sum().backward()
    torch.testing.assert_close(layer.weight.grad, 2 * kept * weights)


def test_an_affine_norm_never_looks_at_the_batch():
    norm = FixedModeBatchNorm2d(3, batch_statistics=False)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 2.0, -3.0]))
        norm.bias.copy_(torch.tensor([0.5, 0.0, 1.0]))
    maps = 100 * torch.randn(4, 3, 5, 5) + 7
    expected = maps / 1.001**0.5 * norm.weight[:, None, None] + norm.bias[:, None, None]
    for mode in (True, False):
        torch.testing.assert_close(norm.train(mode)(maps), expected)
    assert not norm.running_mean.any()
    assert (norm.running_var == 1).all()


def test_a_batch_norm_may_never_look_at_its_memory():
    norm = FixedModeBatchNorm2d(3, batch_statistics=True)
    maps = 5 * torch.randn(4, 3, 5, 5) + 7
    results = [norm.train(mode)(maps) for mode in (True, False)]
    expected = nn.BatchNorm2d(3, eps=1e-3).train()(maps)
    for result in results:
        torch.testing.assert_close(result, expected)


def test_the_mode_is_that_of_its_network_no_more():
    network = nn.Sequential(nn.Dropout(), FixedModeBatchNorm2d(2, batch_statistics=False))
    network.train()
    assert network[0].training
    assert not network[1].training
