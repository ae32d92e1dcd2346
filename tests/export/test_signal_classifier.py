import json

import numpy as np
import pytest
import torch
from torch import nn

from phosphene.export.networks import build_network
from phosphene.export.signal_classifier import (
    SignalClassifier,
    load_signal_classifier,
    save_signal_classifier,
)
from phosphene.training.seeding import seeded

SPEC = {"network": "LFPCNN", "settings": {"n_classes": 5, "n_chans": 3, "n_times": 40, "width": 8}}
STIMULI = tuple(f"scene_{number}" for number in range(5))


@pytest.fixture
def classifier():
    with seeded(0):
        network = build_network(SPEC)
    return SignalClassifier(network, ("a", "b", "c"), 1250.0, 40, STIMULI)


@pytest.fixture
def z():
    return np.random.default_rng(0).normal(size=(300, 3, 40)).astype(np.float32)


@pytest.fixture
def folder(classifier, tmp_path):
    spec = {"classifier": SPEC, "recipe": "none", "fold": "pictures"}
    save_signal_classifier(tmp_path / "bundle", classifier, spec=spec, card="card")
    return tmp_path / "bundle"


def test_features_and_probabilities_are_the_networks(classifier, z):
    network = classifier.network.eval()
    with torch.no_grad():
        features = network.features(torch.from_numpy(z)).numpy()
        logits = network(torch.from_numpy(z)).double().numpy()
    np.testing.assert_allclose(classifier.features(z), features, atol=1e-5)
    odds = np.exp(logits)
    found = classifier.probabilities(z)
    np.testing.assert_allclose(found, odds / odds.sum(1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-12)
    assert found.shape == (300, len(STIMULI))
    assert features.shape == (300, 64)
    assert features.std() > 0


def test_one_window_is_described_alike_alone_and_among_others(classifier, z):
    classifier.network.train()
    np.testing.assert_allclose(classifier.features(z)[7:8], classifier.features(z[7:8]), atol=1e-5)


def test_round_trip_describes_windows_the_same(classifier, folder, z):
    bundle = load_signal_classifier(folder)
    np.testing.assert_array_equal(bundle.classifier.features(z), classifier.features(z))
    np.testing.assert_array_equal(bundle.classifier.probabilities(z), classifier.probabilities(z))
    assert bundle.classifier.stimuli == STIMULI
    assert bundle.classifier.ch_names == ("a", "b", "c")
    assert bundle.spec["task"] == "signal to features"
    assert (folder / "README.md").read_text() == "card"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda z: z[:, :2], "chan=3"),
        (lambda z: z[:, :, :39], "time=40"),
        (lambda z: z[:0], "got none"),
        (lambda z: z * np.nan, "`z` must be finite"),
    ],
)
def test_refuses_other_windows(classifier, z, change, match):
    for describe in (classifier.features, classifier.probabilities):
        with pytest.raises(ValueError, match=match):
            describe(change(z))


def test_refuses_a_network_for_something_else(classifier):
    for names, n_times, stimuli in (
        (("a",), 40, STIMULI),
        (("a", "b", "c"), 41, STIMULI),
        (("a", "b", "c"), 40, STIMULI[:2]),
    ):
        with pytest.raises(ValueError, match="the classifier must be a network with"):
            SignalClassifier(classifier.network, names, 1250.0, n_times, stimuli)
    with pytest.raises(ValueError, match="Linear has None"):
        SignalClassifier(nn.Linear(2, 2), ("a", "b", "c"), 1250.0, 40, STIMULI)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"classifier": {"network": "LFPGenerator"}}, "`network` must be one of"),
        ({"classifier": {"network": "LFPCNN", "settings": {}}}, "must build it"),
        ({"stimuli": ["a", "a"]}, "`stimuli`"),
        ({"stimuli": ["a", "b"]}, "`n_classes` 2; LFPCNN has 5"),
        ({"ch_names": ["a"]}, "`n_chans` 1; LFPCNN has 3"),
        ({"task": "signal to picture"}, "`task` must be 'signal to features'"),
        ({"sfreq": -1}, "`sfreq`"),
    ],
)
def test_refuses_what_does_not_belong_together(folder, changes, match):
    path = folder / "spec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ValueError, match=match):
        load_signal_classifier(folder)
