from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from phosphene.export import inference, inference_layers
from phosphene.export.inference import PreparedGenerator, prepare_generator
from phosphene.models.generators.brain2image import Brain2ImageGenerator
from phosphene.models.generators.dcgan import DCGANGenerator
from phosphene.models.generators.thoughtviz import (
    ThoughtVizGlyphGenerator,
    ThoughtVizImageGenerator,
)


def vary_(network, *, seed=0):
    """Give all norms statistics and values that tell planes apart; leave them as after training."""
    rng = torch.Generator().manual_seed(seed)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            n = norm.num_features
            norm.weight.data.copy_(0.5 + torch.rand(n, generator=rng))
            norm.bias.data.copy_(torch.randn(n, generator=rng) / 4)
    for _ in range(3):
        network.train()(*inputs(network, 4, rng=rng))
    return network


def inputs(network, n, *, rng=None):
    rng = rng or torch.Generator().manual_seed(7)
    return (
        torch.randn(n, network.n_noise, generator=rng),
        2 * torch.rand(n, network.n_features, generator=rng) - 1,
    )


def small(**settings):
    torch.manual_seed(0)
    sizes = {"n_noise": 5, "n_features": 3, "size": 32, "width": 8}
    return DCGANGenerator(**{**sizes, "he_init": True, **settings})


def assert_same_pictures(network, *, n=5):
    prepared = prepare_generator(network)
    z, f = inputs(network, n)
    with torch.no_grad():
        expected = network.eval()(z, f)
    assert expected.std() > 0.05
    found = prepared(z, f)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)
    return prepared


@pytest.mark.parametrize("color", [1, 3])
@pytest.mark.parametrize("size", [16, 32, 64, 128, 256])
def test_draws_what_the_generator_draws(size, color):
    prepared = assert_same_pictures(vary_(small(size=size, color=color, max_width=32)))
    assert isinstance(prepared, PreparedGenerator)
    assert (prepared.n_noise, prepared.n_features) == (5, 3)
    assert (prepared.size, prepared.color) == (size, color)


def test_norms_without_statistics_are_folded():
    prepared = assert_same_pictures(vary_(small(norm="affine")))
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in prepared.modules())


def test_kernels_normalised_in_training_are_drawn_with_as_they_are():
    assert_same_pictures(vary_(small(spectral_norm=True, he_init=False)))


def test_published_widths_keep_their_pictures():
    assert_same_pictures(vary_(DCGANGenerator(he_init=True)), n=2)


def test_computed_weights_become_plain_ones():
    network = small(he_init=False)
    for layer in (network.first, *network.grow, network.last):
        parametrizations.spectral_norm(layer, dim=0)
    vary_(network)
    before = deepcopy(network.state_dict())
    prepared = assert_same_pictures(network)
    assert not any("parametrizations" in name for name, _ in prepared.named_modules())
    # The original is as it was, and its weights still follow from others.
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert nn.utils.parametrize.is_parametrized(network.first)
    kernel = network.first.weight.detach()
    gains = torch.linspace(0, 2, len(kernel))[:, None, None, None]
    network.first.parametrizations.weight.original.data.mul_(gains)
    assert not torch.allclose(network.first.weight, kernel)


def test_original_keeps_its_values_mode_and_gradients():
    network = vary_(small())
    before = deepcopy(network.state_dict())
    prepared = prepare_generator(network)
    assert network.training
    assert not prepared.training
    assert all(value.requires_grad for value in network.parameters())
    prepared(*inputs(network, 2))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_prepared_pictures_do_not_follow_the_original():
    network = vary_(small())
    prepared = prepare_generator(network)
    z, f = inputs(network, 2)
    before = prepared(z, f)
    with torch.no_grad():
        for value in [*network.parameters(), *network.buffers()]:
            value.zero_()
    assert torch.equal(prepared(z, f), before)


def test_preparing_and_drawing_leave_the_global_random_state_alone():
    inference_layers._can_fuse.cache_clear()
    network = vary_(small())
    before = torch.get_rng_state()
    prepare_generator(network)(*inputs(network, 2))
    assert torch.equal(before, torch.get_rng_state())


def test_pictures_know_nothing_of_their_batch(monkeypatch):
    network = vary_(small())
    prepared = prepare_generator(network)
    z, f = inputs(network, 7)
    together = prepared(z, f)
    monkeypatch.setattr(inference, "N_PIXELS", 2 * 32 * 32)
    seen = []
    prepared.layers.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    torch.testing.assert_close(prepared(z, f), together, rtol=0, atol=1e-5)
    assert seen == [2, 2, 2, 1]
    torch.testing.assert_close(prepared(z[3:4], f[3:4]), together[3:4], rtol=0, atol=1e-5)


def test_the_same_call_gives_the_same_numbers_in_two_copies():
    network = vary_(small())
    z, f = inputs(network, 9)
    first, second = prepare_generator(network), prepare_generator(deepcopy(network))
    assert torch.equal(first(z, f), first(z, f))
    assert torch.equal(first(z, f), second(z, f))


OTHERS = (Brain2ImageGenerator, ThoughtVizImageGenerator, ThoughtVizGlyphGenerator)


def strong(kind, **settings):
    """Return a network after training, with pictures that differ from noise to noise."""
    torch.manual_seed(0)
    network = vary_(kind(**{"n_noise": 5, "n_features": 3, "size": 32, "width": 8, **settings}))
    last = network.grow[-1] if kind is ThoughtVizImageGenerator else network.last
    with torch.no_grad():
        last.weight.mul_(0.4 / last.weight.abs().mean())
    return network


@pytest.mark.parametrize("color", [1, 3])
@pytest.mark.parametrize("size", [16, 64])
def test_brain2image_is_drawn_without_norms(size, color):
    prepared = assert_same_pictures(strong(Brain2ImageGenerator, size=size, color=color))
    assert isinstance(prepared, PreparedGenerator)
    kinds = [type(layer).__name__ for layer in prepared.layers]
    assert not any("BatchNorm" in kind for kind in kinds)
    assert kinds.count("FewPlanes") == 1


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize(
    ("mixture", "fusion"), [("z", "multiply"), ("none", "concatenate"), ("joined", "concatenate")]
)
def test_pictures_of_objects_by_thoughtviz_and_its_baselines_stay(mixture, fusion, rectified):
    settings = {"mixture": mixture, "fusion": fusion, "rectified": rectified}
    prepared = assert_same_pictures(strong(ThoughtVizImageGenerator, **settings))
    assert isinstance(prepared, PreparedGenerator)
    assert [type(layer).__name__ for layer in prepared.layers].count("FewPlanes") == 1


@pytest.mark.parametrize("mixture", ["z", "none"])
@pytest.mark.parametrize("size", [16, 28])
def test_glyphs_of_thoughtviz_stay(size, mixture):
    network = strong(ThoughtVizGlyphGenerator, size=size, color=1, mixture=mixture)
    assert isinstance(assert_same_pictures(network), PreparedGenerator)


@pytest.mark.parametrize("kind", OTHERS)
def test_columns_are_checked_as_by_the_generator(kind):
    network = kind(n_noise=5, n_features=3, size=16, width=2)
    for draw in (network, prepare_generator(network)):
        with pytest.raises(ValueError, match="`z` must have 5 noise values"):
            draw(torch.zeros(2, 4), torch.zeros(2, 4))
        with pytest.raises(ValueError, match="`f` must have 3 features"):
            draw(torch.zeros(2, 5), torch.zeros(2, 1))


class Told(nn.Module):
    """Says which layers it has, and joins noise and condition by a product."""

    n_noise = n_features = 6
    size, color = 16, 3

    def __init__(self):
        super().__init__()
        self.project = nn.Sequential(nn.Linear(6, 4 * 16), nn.BatchNorm1d(64), nn.ReLU())
        self.grow = nn.ConvTranspose2d(4, 12, 4, 2, 1)
        self.norm = nn.BatchNorm2d(12)
        self.smooth = nn.Conv2d(12, 9, 3, padding=1)
        self.last = nn.ConvTranspose2d(9, 3, 4, 2, 1)

    def join(self, z, f):
        return z * f

    def forward(self, z, f):
        maps = self.project(self.join(z, f)).view(-1, 4, 4, 4)
        maps = self.smooth(self.norm(self.grow(maps)).relu())
        return torch.tanh(self.last(maps))

    def inference_stages(self):
        layers = [self.project, nn.Unflatten(1, (4, 4, 4)), self.grow, self.norm, nn.ReLU()]
        return self.join, [*layers, self.smooth, self.last], torch.tanh


def test_a_network_may_tell_its_stages():
    torch.manual_seed(0)
    prepared = assert_same_pictures(vary_(Told()))
    assert isinstance(prepared, PreparedGenerator)
    kinds = [type(layer).__name__ for layer in prepared.layers]
    assert not any("BatchNorm" in kind for kind in kinds)
    assert "FewPlanes" in kinds


class Untold(nn.Module):
    """Has sequences, norms outside of them, and a layer that stands in two of them."""

    n_noise, n_features, size, color = 4, 2, 16, 1

    def __init__(self):
        super().__init__()
        twice = nn.Conv2d(4, 4, 3, padding=1)
        self.project = nn.Linear(6, 4 * 16)
        self.loose = nn.BatchNorm1d(64)
        self.blocks = nn.Sequential(
            nn.Sequential(nn.ConvTranspose2d(4, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.ReLU()),
            nn.Sequential(twice, nn.BatchNorm2d(4)),
            nn.Sequential(twice, nn.BatchNorm2d(4)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(4, 1, 3, padding=1),
            nn.BatchNorm2d(1, track_running_stats=False),
        )

    def forward(self, z, f):
        maps = self.loose(self.project(torch.cat([z, f], 1))).view(-1, 4, 4, 4)
        return torch.tanh(self.blocks(maps))


def test_norms_of_other_networks_are_folded_where_a_sequence_says_what_follows_what():
    torch.manual_seed(0)
    prepared = assert_same_pictures(vary_(Untold()))
    assert isinstance(prepared, Untold)
    kinds = [type(layer).__name__ for layer in prepared.modules()]
    assert kinds.count("Identity") == 1
    assert kinds.count("BatchNorm1d") == 1  # it follows a linear layer, but only `forward` says so
    assert kinds.count("BatchNorm2d") == 3  # after the shared layer twice; one without statistics


def test_norms_that_always_measure_the_batch_are_left():
    class Measuring(nn.BatchNorm2d):
        def train(self, mode=True):
            return super().train(True)

    torch.manual_seed(0)
    network = Told()
    network.norm = Measuring(12)
    kinds = [type(layer).__name__ for layer in assert_same_pictures(vary_(network)).layers]
    assert "Measuring" in kinds
