import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from phosphene.models.discriminators.thoughtviz import (
    Judgement,
    ThoughtVizGlyphDiscriminator,
    ThoughtVizImageDiscriminator,
)


def n_values(network):
    return sum(value.numel() for value in network.parameters())


def shapes_of(network, images):
    """Return the output shape of each layer with weights or pooling, in order."""
    seen = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            layer.register_forward_hook(lambda _, __, output: seen.append(tuple(output.shape[1:])))
    network(images)
    return seen


def test_image_layers_have_the_published_sizes():
    network = ThoughtVizImageDiscriminator(n_classes=10)
    assert shapes_of(network, torch.zeros(2, 3, 64, 64)) == [
        (16, 31, 31),
        (32, 29, 29),
        (64, 14, 14),
        (128, 12, 12),
        (256, 5, 5),
        (512, 3, 3),
        (1,),
        (10,),
    ]
    assert network.head.in_features == 4608
    assert [norm.num_features for norm in network.norms] == [16, 32, 64, 128, 256]


@pytest.mark.parametrize("n_classes", [None, 10])
def test_image_layers_have_the_published_number_of_values(n_classes):
    planes = [3, 16, 32, 64, 128, 256, 512]
    expected = sum((9 * planes[i] + 1) * planes[i + 1] for i in range(6))
    expected += 2 * sum(planes[1:-1]) + 4609 + (n_classes or 0) * 4609
    assert n_values(ThoughtVizImageDiscriminator(n_classes=n_classes)) == expected


@pytest.mark.parametrize("n_classes", [None, 10])
def test_glyph_layers_have_the_published_sizes_and_number_of_values(n_classes):
    network = ThoughtVizGlyphDiscriminator(n_classes=n_classes)
    assert shapes_of(network, torch.zeros(2, 1, 28, 28)) == [
        (64, 28, 28),
        (64, 14, 14),
        (128, 10, 10),
        (128, 5, 5),
        (1024,),
        (1,),
        *([(10,)] if n_classes else []),
    ]
    assert network.hidden.in_features == 3200
    expected = 26 * 64 + (25 * 64 + 1) * 128 + 3201 * 1024 + 1025 * (1 + (n_classes or 0))
    assert n_values(network) == expected


def test_image_equals_the_published_order_of_layers():
    torch.manual_seed(0)
    network = ThoughtVizImageDiscriminator(size=16, width=4, n_classes=3, dropout=0.0).train()
    for value in network.parameters():
        value.data.normal_(std=0.3)
    images = torch.rand(5, 3, 16, 16) * 2 - 1
    maps = images / 2 + 0.5  # the released code's pictures lie in [0, 1]
    maps = F.leaky_relu(F.conv2d(maps, network.stages[0].weight, network.stages[0].bias, 2), 0.2)
    norm = network.norms[0]
    maps = F.batch_norm(maps, None, None, norm.weight, norm.bias, training=True, eps=1e-3)
    maps = F.leaky_relu(F.conv2d(maps, network.stages[1].weight, network.stages[1].bias), 0.2)
    hidden = maps.flatten(1)
    logit, class_logits = network(images)
    torch.testing.assert_close(logit, network.head(hidden).squeeze(1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(class_logits, network.class_head(hidden), rtol=1e-4, atol=1e-4)


def test_glyph_equals_the_published_order_of_layers():
    torch.manual_seed(0)
    network = ThoughtVizGlyphDiscriminator(size=20, width=2, n_classes=3)
    images = torch.rand(5, 1, 20, 20) * 2 - 1
    maps = F.conv2d(images, network.first.weight, network.first.bias, padding=2)
    maps = F.max_pool2d(torch.tanh(maps), 2)
    maps = F.conv2d(maps, network.second.weight, network.second.bias)
    maps = F.max_pool2d(torch.tanh(maps), 2)
    hidden = torch.tanh(network.hidden(maps.flatten(1)))
    logit, class_logits = network(images)
    torch.testing.assert_close(logit, network.head(hidden).squeeze(1))
    torch.testing.assert_close(class_logits, network.class_head(hidden))


@pytest.mark.parametrize(("size", "n_stages", "n_left"), [(16, 2, 5), (32, 4, 4), (128, 8, 3)])
def test_images_of_other_sizes_leave_a_small_map(size, n_stages, n_left):
    network = ThoughtVizImageDiscriminator(size=size, color=1, width=2)
    assert len(network.stages) == n_stages
    assert network.head.in_features == 2**n_stages * n_left**2
    assert network(torch.zeros(2, 1, size, size)).logit.shape == (2,)


@pytest.mark.parametrize("size", [16, 27, 32, 64])
def test_glyphs_of_other_sizes(size):
    network = ThoughtVizGlyphDiscriminator(size=size, color=3, width=2)
    assert network(torch.zeros(2, 3, size, size)).logit.shape == (2,)


@pytest.mark.parametrize("kind", [ThoughtVizImageDiscriminator, ThoughtVizGlyphDiscriminator])
def test_class_logits_are_there_with_a_head_alone(kind):
    images = torch.zeros(2, 3, 16, 16)
    without = kind(size=16, color=3, width=2)(images)
    judgement = kind(size=16, color=3, width=2, n_classes=4)(images)
    assert isinstance(without, Judgement)
    assert without.class_logits is None
    assert judgement.class_logits.shape == (2, 4)


def test_dropout_follows_the_global_draws_in_training_alone():
    torch.manual_seed(0)
    network, images = ThoughtVizImageDiscriminator(size=16, width=4), torch.randn(5, 3, 16, 16)
    answers = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        answers.append(network(images).logit)
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])
    network.eval()
    assert torch.equal(network(images).logit, network(images).logit)


def test_refusals():
    with pytest.raises(ValueError, match="power of two"):
        ThoughtVizImageDiscriminator(size=28)
    with pytest.raises(ValueError, match="at least 16 pixels; got 8"):
        ThoughtVizGlyphDiscriminator(size=8)
    with pytest.raises(ValueError, match="`dropout` must be at least 0 and below 1"):
        ThoughtVizImageDiscriminator(dropout=1.0)
    with pytest.raises(ValueError, match="`images` must have 16 rows"):
        ThoughtVizImageDiscriminator(size=16)(torch.zeros(2, 3, 32, 32))
