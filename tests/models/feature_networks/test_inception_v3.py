import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.feature_networks.inception_v3 import (
    SIZE,
    ConvUnit,
    InceptionV3,
    average_pool,
    halving_pool,
    max_pool,
    standard_input,
)

COUNTER = ".num_batches_tracked"


@pytest.fixture(scope="module")
def network(fake_state):
    """The network with random weights, normalisation not folded."""
    network = InceptionV3()
    missing, unexpected = network.load_state_dict(fake_state, strict=False)
    assert not unexpected
    assert all(name.endswith(COUNTER) for name in missing)
    return network.eval().requires_grad_(False)


def test_every_parameter_has_its_published_name_and_shape(published):
    with torch.device("meta"):
        state = InceptionV3().state_dict()
    ours = {name: tuple(value.shape) for name, value in state.items() if COUNTER not in name}
    assert list(ours) == list(published)
    assert ours == published


def test_number_of_parameters():
    with torch.device("meta"):
        network = InceptionV3()
    # torchvision's network has 23,834,568 without the auxiliary classifier; 8 more classes
    assert sum(value.numel() for value in network.parameters()) == 23_834_568 + 8 * 2049


def test_maps_have_the_published_shapes_at_all_stages():
    shapes = {}
    with torch.device("meta"):
        network = InceptionV3().eval()
        for name, stage in network.named_children():
            stage.register_forward_hook(
                lambda _, inputs, output, name=name: shapes.update(
                    {name: (tuple(inputs[0].shape[1:]), tuple(output.shape[1:]))}
                )
            )
        features = network.features(torch.empty(2, 3, 299, 299))
    assert features.shape == (2, 2048)
    assert network.logits(features).shape == (2, 1008)
    assert {name: output for name, (_, output) in shapes.items()} == {
        "Conv2d_1a_3x3": (32, 149, 149),
        "Conv2d_2a_3x3": (32, 147, 147),
        "Conv2d_2b_3x3": (64, 147, 147),
        "Conv2d_3b_1x1": (80, 73, 73),
        "Conv2d_4a_3x3": (192, 71, 71),
        "Mixed_5b": (256, 35, 35),
        "Mixed_5c": (288, 35, 35),
        "Mixed_5d": (288, 35, 35),
        "Mixed_6a": (768, 17, 17),
        "Mixed_6b": (768, 17, 17),
        "Mixed_6c": (768, 17, 17),
        "Mixed_6d": (768, 17, 17),
        "Mixed_6e": (768, 17, 17),
        "Mixed_7a": (1280, 8, 8),
        "Mixed_7b": (2048, 8, 8),
        "Mixed_7c": (2048, 8, 8),
    }
    assert shapes["Conv2d_3b_1x1"][0] == (64, 73, 73)
    assert shapes["Mixed_5b"][0] == (192, 35, 35)


def _slow_unit(state, name, maps, *, stride=1, valid=False):
    """Convolution by sums over kernel taps, then the formula of batch norm, in float64."""
    kernel = state[f"{name}.conv.weight"].double()
    height, width = kernel.shape[2:]
    if not valid:
        maps = F.pad(maps, (width // 2, width // 2, height // 2, height // 2))
    rows = (maps.shape[2] - height) // stride + 1
    columns = (maps.shape[3] - width) // stride + 1
    total = 0
    for y in range(height):
        for x in range(width):
            part = maps[:, :, y : y + stride * rows : stride, x : x + stride * columns : stride]
            part = part[:, :, :rows, :columns]
            total = total + torch.einsum("oi,bihw->bohw", kernel[:, :, y, x], part)
    names = ("weight", "bias", "running_mean", "running_var")
    scale, shift, mean, variance = (
        state[f"{name}.bn.{each}"].double().view(-1, 1, 1) for each in names
    )
    return (scale * (total - mean) / (variance + 1e-3).sqrt() + shift).clamp(min=0)


def _slow_pool(maps, *, stride=1, largest=False):
    """Visit each place of a 3x3 pooling; what is outside takes no part."""
    edge = 1 if stride == 1 else 0
    places = [range(edge * -1, size - 2 + edge, stride) for size in maps.shape[2:]]
    rows = []
    for y in places[0]:
        row = []
        for x in places[1]:
            window = maps[:, :, max(y, 0) : y + 3, max(x, 0) : x + 3].flatten(2)
            row.append(window.amax(2) if largest else window.mean(2))
        rows.append(torch.stack(row, 2))
    return torch.stack(rows, 2)


def _slow_block(state, block, maps):
    """Compute a block as the published definitions list its branches."""

    def unit(name, here, **how):
        return _slow_unit(state, f"{block}.{name}", here, **how)

    def chain(*names, halving=False):
        here = maps
        for name in names:
            last = halving and name == names[-1]
            here = unit(name, here, stride=1 + last, valid=last)
        return here

    def numbered(stem, n):
        return [f"{stem}_{number}" for number in range(1, n + 1)]

    halved = _slow_pool(maps, stride=2, largest=True)
    if block.startswith("Mixed_5"):
        branches = [
            chain("branch1x1"),
            chain(*numbered("branch5x5", 2)),
            chain(*numbered("branch3x3dbl", 3)),
            unit("branch_pool", _slow_pool(maps)),
        ]
    elif block == "Mixed_6a":
        branches = [
            chain("branch3x3", halving=True),
            chain(*numbered("branch3x3dbl", 3), halving=True),
            halved,
        ]
    elif block.startswith("Mixed_6"):
        branches = [
            chain("branch1x1"),
            chain(*numbered("branch7x7", 3)),
            chain(*numbered("branch7x7dbl", 5)),
            unit("branch_pool", _slow_pool(maps)),
        ]
    elif block == "Mixed_7a":
        branches = [
            chain(*numbered("branch3x3", 2), halving=True),
            chain(*numbered("branch7x7x3", 4), halving=True),
            halved,
        ]
    else:
        one, two = chain("branch3x3_1"), chain("branch3x3dbl_1", "branch3x3dbl_2")
        branches = [
            chain("branch1x1"),
            unit("branch3x3_2a", one),
            unit("branch3x3_2b", one),
            unit("branch3x3dbl_3a", two),
            unit("branch3x3dbl_3b", two),
            unit("branch_pool", _slow_pool(maps, largest=block == "Mixed_7c")),
        ]
    return torch.cat(branches, 1)


@pytest.mark.parametrize(
    ("block", "n_in"),
    [
        *(("Mixed_5b", 192), ("Mixed_5c", 256), ("Mixed_5d", 288), ("Mixed_6a", 288)),
        *((f"Mixed_6{letter}", 768) for letter in "bcde"),
        *(("Mixed_7a", 768), ("Mixed_7b", 1280), ("Mixed_7c", 2048)),
    ],
)
def test_blocks_agree_with_a_slow_reference(network, fake_state, block, n_in):
    maps = torch.randn(1, n_in, 5, 4, generator=torch.Generator().manual_seed(1)).abs()
    expected = _slow_block(fake_state, block, maps.double())
    found = network.get_submodule(block)(maps)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "stride"), [("Conv2d_1a_3x3", 2), ("Conv2d_2a_3x3", 1)])
def test_stem_has_no_padding(network, fake_state, name, stride):
    unit = network.get_submodule(name)
    maps = torch.randn(2, unit.conv.in_channels, 9, 8, generator=torch.Generator().manual_seed(2))
    expected = _slow_unit(fake_state, name, maps.double(), stride=stride, valid=True)
    torch.testing.assert_close(unit(maps).double(), expected, rtol=1e-4, atol=1e-4)


def test_poolings_differ_as_published():
    maps = torch.ones(1, 1, 4, 4)
    assert average_pool(maps).equal(maps)  # with padded zeros a corner would be 4 / 9
    falling = -torch.arange(16.0).view(1, 1, 4, 4)
    assert max_pool(falling)[0, 0, 0, 0] == 0
    assert max_pool(falling)[0, 0, 3, 3] == -10
    assert halving_pool(torch.arange(25.0).view(1, 1, 5, 5)).flatten().tolist() == [12, 14, 22, 24]


def test_folding_does_not_change_the_values():
    unit = ConvUnit(3, 5, (1, 3)).eval()
    with torch.no_grad():
        for values in (unit.bn.weight, unit.bn.bias, unit.bn.running_mean):
            values.normal_(generator=torch.Generator().manual_seed(3))
        unit.bn.running_var.fill_(0.7)
        maps = torch.randn(2, 3, 6, 6)
        before = unit(maps)
        unit.fold()
        assert isinstance(unit.bn, torch.nn.Identity)
        torch.testing.assert_close(unit(maps), before)
        unit.fold()  # a second time changes nothing
        torch.testing.assert_close(unit(maps), before)


def test_logits_leave_the_bias_out_unless_asked(network, fake_state):
    features = torch.rand(3, 2048, generator=torch.Generator().manual_seed(4))
    plain = features @ fake_state["fc.weight"].T
    torch.testing.assert_close(network.logits(features), plain)
    torch.testing.assert_close(network.logits(features, bias=True), plain + fake_state["fc.bias"])


def test_network_is_its_features_and_the_full_linear_map(network):
    images = standard_input(torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(5)))
    features = network.features(images)
    assert (features >= 0).all()
    torch.testing.assert_close(network(images), network.logits(features, bias=True))


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 1, 299, 299), "3 colour"), ((1, 3, 298, 299), "299 rows")]
)
def test_other_pictures_are_refused(network, shape, message):
    with pytest.raises(ValueError, match=message):
        network.features(torch.zeros(shape))


def test_standard_input_interpolates_between_pixel_centres():
    image = torch.tensor([[0.0, 1.0]]).expand(1, 1, 2, 2)
    resized = standard_input(image)
    assert resized.shape == (1, 3, SIZE, SIZE)
    row = (resized[0, 0, 0] + 1) / 2
    centres = (torch.arange(SIZE) + 0.5) * 2 / SIZE - 0.5  # in pixels of the small picture
    torch.testing.assert_close(row, centres.clamp(0, 1), rtol=0, atol=1e-6)
    assert resized[0, 0].equal(resized[0, 2])  # grey is repeated


def test_standard_input_keeps_pictures_of_the_right_size():
    images = torch.rand(1, 3, SIZE, SIZE)
    torch.testing.assert_close(standard_input(images), 2 * images - 1)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 4, 8, 8), "1 or 3 colour planes"),
        (torch.full((1, 3, 8, 8), 255.0), "Divide bytes by 255"),
        (torch.full((1, 3, 8, 8), -1.0), "must lie in"),
        (torch.full((1, 3, 8, 8), float("nan")), "not finite"),
    ],
)
def test_standard_input_refuses(images, message):
    with pytest.raises(ValueError, match=message):
        standard_input(images)
