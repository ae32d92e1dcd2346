import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from phosphene.export import inference_layers
from phosphene.export.inference_layers import (
    FewPlanes,
    FusedConvolution,
    fold_norm,
    folds_norm,
    prepare_layers,
)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def without_fusion(monkeypatch):
    monkeypatch.setattr(inference_layers, "_can_fuse", lambda: False)


def norm_after(n, kind=nn.BatchNorm2d, **settings):
    """A norm in evaluation mode with statistics and values of its own for each plane."""
    norm = kind(n, eps=1e-3, **settings).eval()
    for value in norm.state_dict().values():
        if value.is_floating_point():
            value.copy_(0.5 + torch.rand(n))
    return norm


CONVOLUTIONS = [
    nn.Conv2d(5, 4, 3, padding=1),
    nn.Conv2d(5, 4, (1, 3), padding=(0, 2), bias=False),
    nn.Conv2d(5, 20, 5, stride=2, padding=2),
    nn.Conv2d(5, 20, 3, dilation=2, bias=False),
    nn.ConvTranspose2d(5, 4, 3, 2, 1, 1, bias=False),
    nn.ConvTranspose2d(5, 3, 4, 2, 1),
    nn.ConvTranspose2d(5, 3, (3, 2), (2, 3), (1, 0), (1, 2)),
    nn.ConvTranspose2d(5, 20, 3, 2, 1, 1),
    nn.ConvTranspose2d(5, 20, 4, 2, 1, bias=False),
]


@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("activation", [None, nn.ReLU(), nn.LeakyReLU(0.3), nn.Tanh()], ids=str)
@pytest.mark.parametrize("fused", [True, False])
def test_convolutions_keep_their_numbers(layer, activation, fused, monkeypatch):
    if not fused:
        monkeypatch.setattr(inference_layers, "_can_fuse", lambda: False)
    layers = [layer, norm_after(layer.out_channels), *([] if activation is None else [activation])]
    prepared = prepare_layers(layers)
    maps = torch.randn(2, 5, 7, 6)
    for given in (maps, maps.contiguous(memory_format=torch.channels_last)):
        before = given.clone()
        with torch.no_grad():
            expected = nn.Sequential(*layers)(given)
            found = prepared(given)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        assert torch.equal(given, before)


def test_kinds_are_chosen_by_their_planes():
    found = prepare_layers(
        [nn.ConvTranspose2d(4, 32, 3, 2, 1, 1), nn.LeakyReLU(0.3), nn.Conv2d(32, 3, 3, padding=1)]
    )
    if inference_layers._can_fuse():
        assert [type(layer) for layer in found] == [FusedConvolution, FewPlanes]
    assert isinstance(found[-1], FewPlanes)


def test_without_fused_kernels_public_ones_take_over(without_fusion):
    found = prepare_layers([nn.Conv2d(4, 32, 3), norm_after(32), nn.ReLU()])
    assert [type(layer) for layer in found] == [nn.Conv2d, nn.LeakyReLU]
    assert found[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_fused_kernels_that_answer_otherwise_are_not_used(monkeypatch):
    def wrong(self, maps):
        return F.conv2d(maps, torch.zeros(2, 2, 3, 3), padding=1)

    monkeypatch.setattr(FusedConvolution, "forward", wrong)
    assert not inference_layers._can_fuse.__wrapped__()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not inference_layers._can_fuse.__wrapped__()


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 8, 3, padding="same"),
        nn.Conv2d(4, 8, 3, padding="valid"),
        nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 8, 3, groups=2),
        nn.ConvTranspose2d(4, 8, 3, groups=2),
        nn.Conv2d(4, 8, 1, padding=1),
    ],
    ids=str,
)
def test_rare_settings_keep_their_numbers(layer):
    norm = norm_after(8)
    maps = torch.randn(2, 4, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(
            prepare_layers([layer, norm, nn.ReLU()])(maps),
            norm(layer(maps)).relu(),
            rtol=1e-5,
            atol=1e-5,
        )


@pytest.mark.parametrize("bias", [True, False])
def test_a_transposed_convolution_of_one_pixel_is_a_product(bias):
    layer, norm = nn.ConvTranspose2d(6, 5, 3, 4, bias=bias), norm_after(5)
    found = prepare_layers([nn.Unflatten(1, (-1, 1, 1)), layer, norm])
    assert [type(part) for part in found] == [nn.Linear, nn.Unflatten]
    z = torch.randn(3, 6)
    with torch.no_grad():
        expected = norm(layer(z[:, :, None, None]))
        torch.testing.assert_close(found(z), expected, rtol=1e-5, atol=1e-5)


def test_folding_a_norm_is_a_line_per_plane():
    """y = 2 x + 1, mean 3, variance 4 (eps 0), weight 6, bias 5: 6 (2 x + 1 - 3) / 2 + 5."""
    layer, norm = nn.Linear(1, 1), nn.BatchNorm1d(1, eps=0.0).eval()
    for value, number in [
        (layer.weight, 2.0),
        (layer.bias, 1.0),
        (norm.running_mean, 3.0),
        (norm.running_var, 4.0),
        (norm.weight, 6.0),
        (norm.bias, 5.0),
    ]:
        value.data.fill_(number)
    folded = fold_norm(layer, norm)
    assert float(folded.weight) == 6.0
    assert float(folded.bias) == -1.0
    assert float(layer.weight.detach()) == 2.0


def test_norms_without_values_fold_too():
    layer, norm = nn.Conv2d(3, 4, 3, bias=False), norm_after(4, affine=False)
    maps = torch.randn(2, 3, 5, 5)
    with torch.no_grad():
        torch.testing.assert_close(
            fold_norm(layer, norm)(maps), norm(layer(maps)), rtol=1e-5, atol=1e-5
        )


def hooked():
    layer = nn.Conv2d(3, 4, 3)
    layer.register_forward_hook(lambda module, given, found: 2 * found)
    return layer


class Doubled(nn.Conv2d):
    def forward(self, input):
        return 2 * super().forward(input)


@pytest.mark.parametrize(
    ("layer", "norm"),
    [
        (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4).train()),
        (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False).eval()),
        (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(3).eval()),
        (nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4).eval()),
        (nn.ConvTranspose2d(4, 4, 3, groups=2), nn.BatchNorm2d(4).eval()),
        (nn.ReLU(), nn.BatchNorm2d(4).eval()),
        (hooked(), nn.BatchNorm2d(4).eval()),
        (Doubled(3, 4, 3), nn.BatchNorm2d(4).eval()),
    ],
)
def test_does_not_fold_what_is_no_line_per_plane(layer, norm):
    assert not folds_norm(layer, norm)
    assert folds_norm(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4).eval())
