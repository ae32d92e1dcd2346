from dataclasses import replace

import numpy as np
import pytest

from phosphene.audit.checks.channels import check_channels
from phosphene.audit.finding import CheckNotPossibleError


@pytest.fixture
def source(make_source):
    return make_source(n_chans=8, n_classes=3)


def changed(source, change):
    epochs = source.epochs_with_margin.astype(np.float64) * 1e5
    change(epochs, source.labels)
    return replace(source, epochs_with_margin=epochs.astype(np.float32))


def look(source):
    return check_channels(source, None, np.random.default_rng(0))


def one_sample(epochs, labels):
    epochs[:, 2, 33] += 8 * labels


def level(epochs, labels):
    epochs[:, 2] += 3 * labels[:, None]


def size(epochs, labels):
    epochs[:, 2] *= (5.0**labels)[:, None]


@pytest.mark.parametrize(
    ("change", "place"),
    [(one_sample, "0.130 s"), (level, "its mean"), (size, "its log of the variance")],
)
def test_class_in_one_channel_is_found_with_its_place(source, change, place):
    (found,) = look(changed(source, change))
    assert (found.kind, found.severity) == ("label_in_channel", "severe")
    assert found.evidence["channel"] == "c2"
    assert place in found.evidence["place"]
    assert found.evidence["held_out_balanced_accuracy_of_this_value"] > 0.9
    assert "--drop-channels c2" in found.remedy


def test_a_response_in_many_channels_is_a_response(source):
    def evoked(epochs, labels):
        epochs[:, :, 30:40] += 4 * labels[:, None, None] * np.linspace(0.5, 1, 8)[None, :, None]

    assert look(changed(source, evoked)) == []


def test_a_large_leak_is_found_though_the_average_reference_spreads_it(source):
    def referenced(epochs, labels):
        epochs[:, 2, 33] += 1000 * labels
        epochs -= epochs.mean(axis=1, keepdims=True)

    (found,) = look(changed(source, referenced))
    assert found.evidence["channel"] == "c2"


def test_noise_and_weak_effects_are_passed_over(source):
    def weak(epochs, labels):
        epochs[:, 2, 30:40] += 0.5 * labels[:, None]

    assert look(source) == look(changed(source, weak)) == []


def test_a_trigger_that_tells_no_class_is_a_warning(source):
    def pulse(epochs, labels):
        epochs[:, 4] = 0.0
        epochs[:, 4, 20:25] = 5.0

    def smooth(epochs, labels):
        epochs[:, 4] += 30 * np.exp(-(((np.arange(epochs.shape[2]) - 25) / 6) ** 2))

    for change, why in ((pulse, "2 distinct values"), (smooth, "mean over trials")):
        (found,) = look(changed(source, change))
        assert (found.kind, found.severity) == ("trigger_in_channel", "warning")
        assert why in found.title


def test_few_channels_or_one_class_are_not_judged(make_source):
    with pytest.raises(CheckNotPossibleError, match="2 channels are too few"):
        look(make_source(n_chans=2))
    with pytest.raises(CheckNotPossibleError, match="two classes"):
        look(make_source(labels=[0] * 120))
