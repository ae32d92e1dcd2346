import pytest
import torch

from phosphene.models.encoders.eeg_channel_net import EEGChannelNet
from phosphene.training.encoder_step import EncoderStep


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    return EEGChannelNet(128, 440)


def test_classifier_has_the_published_number_of_values(published):
    step = EncoderStep(published, n_classes=40, rng=torch.Generator().manual_seed(0))
    assert sum(v.numel() for v in step.weights) == 5_490_978


def test_maps_have_the_published_sizes(published):
    shapes = {}

    def note(name):
        return lambda module, inputs, output: shapes.update({name: tuple(output.shape[1:])})

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in published.named_modules()
        if name.count(".") == 1 and not name.startswith("output")
    ]
    with torch.no_grad():
        published.eval()(torch.zeros(1, 128, 440))
    for hook in hooks:
        hook.remove()
    assert {shapes[f"temporal.{i}"] for i in range(4)} == {(10, 128, 220)}
    assert {shapes[f"spatial.{i}"] for i in range(4)} == {(50, 64, 220)}
    assert [shapes[f"stages.{i}"] for i in (0, 1, 3, 5, 7)] == [
        *[(200, 64, 220), (200, 31, 109), (200, 15, 54), (200, 7, 26), (200, 3, 12)]
    ]
    assert shapes["stages.8"] == (50, 1, 10)
    spatial = [unit[2] for unit in published.spatial]
    assert [(c.kernel_size[0], c.padding[0]) for c in spatial] == [
        *[(128, 63), (64, 31), (42, 20), (32, 15)]
    ]
    temporal = [unit[2] for unit in published.temporal]
    assert [(c.dilation[1], c.padding[1]) for c in temporal] == [
        (1, 16),
        (2, 32),
        (4, 64),
        (8, 128),
    ]


@pytest.mark.parametrize(
    ("n_chans", "n_times"), [(1, 1), (2, 7), (4, 180), (5, 33), (14, 32), (19, 64)]
)
def test_takes_any_number_of_channels_and_samples(n_chans, n_times):
    network = EEGChannelNet(n_chans, n_times, n_features=6).eval()
    assert network(torch.zeros(2, n_chans, n_times)).shape == (2, 6)


def test_first_unit_drops_what_lies_below_the_mean():
    torch.manual_seed(0)
    network = EEGChannelNet(2, 16, n_features=3).eval()
    eeg = torch.randn(4, 2, 16)
    torch.testing.assert_close(network(eeg), network(eeg.clamp(min=0)))


def test_refuses_another_size():
    network = EEGChannelNet(4, 20)
    with pytest.raises(ValueError, match="must have 4 channels"):
        network(torch.zeros(1, 3, 20))
    with pytest.raises(ValueError, match="must have 20 samples"):
        network(torch.zeros(1, 4, 21))
