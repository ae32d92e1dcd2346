import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from phosphene.models.discriminators.dcgan import DCGANDiscriminator


def test_has_the_published_number_of_values():
    with torch.device("meta"):
        network = DCGANDiscriminator()
    assert sum(value.numel() for value in network.parameters()) == 6_355_587


@pytest.mark.parametrize("moving_statistics", [True, False], ids=["as written", "executed"])
def test_has_the_published_layers_in_every_mode(moving_statistics):
    with torch.device("meta"):
        network = DCGANDiscriminator(moving_statistics=moving_statistics).eval()
    assert sum(value.numel() for value in network.parameters()) == 6_355_587
    maps = []
    for layer in (network.first, *network.stages, network.head):
        layer.register_forward_hook(lambda _, inputs, output: maps.append(output.shape[1:]))
    network(torch.empty(2, 3, 128, 128, device="meta"), torch.empty(2, 128, device="meta"))
    published = [(64, 64), (128, 32), (256, 16), (512, 8), (1024, 8), (1, 8)]
    assert maps == [*((planes, side, side) for planes, side in published), (1,)]
    assert network.first.weight.shape == (64, 3 + 128, 3, 3)
    assert network.head.in_features == 64


def make_pair():
    networks = []
    for moving_statistics in (True, False):
        torch.manual_seed(0)
        networks.append(
            DCGANDiscriminator(
                n_features=3, size=16, color=1, width=4, moving_statistics=moving_statistics
            )
        )
    return networks


def test_training_numbers_do_not_depend_on_moving_statistics():
    written, executed = make_pair()
    images, f = torch.randn(5, 1, 16, 16), torch.randn(5, 3)
    for _ in range(3):
        assert torch.equal(written.train()(images, f), executed.train()(images, f))
    assert written.state_dict().keys() == executed.state_dict().keys()


def test_executed_judgement_never_reads_moving_statistics():
    written, executed = make_pair()
    images, f = 3 * torch.randn(5, 1, 16, 16) + 1, torch.randn(5, 3)
    by_batch = executed.train()(images, f)
    assert torch.equal(executed.eval()(images, f), by_batch)
    assert not torch.allclose(written.eval()(images, f), by_batch)


def same(x, stride):
    """Pad as TensorFlow's 'same' does for kernel 3 and even sizes."""
    return F.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_equals_the_published_form_with_tiled_planes(size, batch_norm):
    torch.manual_seed(0)
    network = DCGANDiscriminator(
        n_features=5, size=size, color=3, width=4, batch_norm=batch_norm
    ).train()
    for value in network.parameters():
        value.data.normal_(std=0.3)
    images, f = torch.randn(3, 3, size, size), torch.randn(3, 5, requires_grad=True)
    maps = torch.cat([images, f[:, :, None, None].expand(-1, -1, size, size)], 1)
    for layer, norm in zip((network.first, *network.stages), network.norms, strict=True):
        stride = layer.stride if isinstance(layer.stride, int) else layer.stride[0]
        maps = F.conv2d(same(maps, stride), layer.weight.flip(2, 3), layer.bias, stride)
        if batch_norm:
            maps = F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True, eps=1e-3)
        maps = F.leaky_relu(maps, 0.2)
    expected = network.head(maps.flip(2, 3).flatten(1)).squeeze(1)
    result = network(images, f)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)
    gradients = [torch.autograd.grad(logit.square().sum(), f)[0] for logit in (result, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "strides", "map_size"),
    [
        (16, [2, 1, 1], 4),
        (32, [2, 2, 1, 1], 4),
        (64, [2, 2, 2, 1, 1], 4),
        (128, [2, 2, 2, 1, 1], 8),
    ],
)
def test_keeps_a_map_of_at_least_four(size, strides, map_size):
    network = DCGANDiscriminator(n_features=3, size=size, color=1, width=2)
    assert [stage.stride[0] for stage in network.stages] == strides
    assert network.head.in_features == map_size**2
    assert network(torch.zeros(2, 1, size, size), torch.zeros(2, 3)).shape == (2,)


def test_condition_changes_the_answer():
    torch.manual_seed(0)
    network = DCGANDiscriminator(n_features=3, size=16, color=1, width=4, batch_norm=False)
    images = torch.zeros(2, 1, 16, 16)
    logits = network(images, torch.eye(3)[:2])
    assert logits[0] != logits[1]


def test_projection_adds_the_product_of_pooled_maps_and_features():
    torch.manual_seed(0)
    plain = DCGANDiscriminator(n_features=3, size=16, color=1, width=4, batch_norm=False)
    network = DCGANDiscriminator(
        n_features=3, size=16, color=1, width=4, batch_norm=False, projection=True
    )
    network.load_state_dict(plain.state_dict(), strict=False)
    pooled = []
    network.stages[-1].register_forward_pre_hook(
        lambda _, inputs: pooled.append(inputs[0].mean((2, 3)))
    )
    images, f = torch.randn(5, 1, 16, 16), torch.randn(5, 3)
    added = network(images, f) - plain(images, f)
    expected = torch.einsum("bp,pf,bf->b", pooled[0], network.project.weight, f)
    torch.testing.assert_close(added, expected, rtol=1e-4, atol=1e-5)


def test_refuses_pictures_of_another_size():
    network = DCGANDiscriminator(n_features=3, size=16, color=1, width=2)
    with pytest.raises(ValueError, match="`images` must have 16 rows"):
        network(torch.zeros(2, 1, 32, 32), torch.zeros(2, 3))
