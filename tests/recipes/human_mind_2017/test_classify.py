from dataclasses import replace

import numpy as np
import pytest

from phosphene.models.encoders.eeg_channel_net import EEGChannelNet
from phosphene.models.encoders.human_mind_lstm import HumanMindLSTM
from phosphene.recipes.human_mind_2017 import classify
from phosphene.training.progress import SilentProgress


@pytest.fixture(scope="module")
def easy(data_folder):
    """Trials of which one channel carries the class."""
    from phosphene.data.dataset import load_dataset

    trials = load_dataset(data_folder).trials
    trials = trials.select(np.arange(80))
    epochs = np.random.default_rng(0).normal(size=trials.epochs_with_margin.shape) * 1e-5
    for row, label in enumerate(trials.labels):
        epochs[row, label] += 4e-5
    return replace(trials, epochs_with_margin=epochs.astype(np.float32))


def train(config, trials, *, validation=None):
    return classify.train_classifier(
        config,
        trials,
        trials.labels,
        validation=validation,
        validation_labels=None if validation is None else validation.labels,
        seed=1,
        stage="encoder",
        log=lambda record: None,
        progress=SilentProgress(),
    )


@pytest.mark.parametrize("encoder", ["lstm", "eeg_channel_net"])
def test_both_networks_learn_what_is_easy(easy, smoke, encoder):
    settings = replace(smoke, encoder=encoder, epochs=12, batch=16, lr=5e-3)
    short = replace(
        easy, epochs_with_margin=easy.epochs_with_margin[:, :, easy.margin :][:, :, :24], margin=0
    )
    train_on, test = short.select(np.arange(60)), short.select(np.arange(60, 80))
    classifier = train(settings, train_on)
    arrays = classify.decode(classifier, train_on, test, seed=0)
    assert (arrays["probabilities"].argmax(1) == test.labels).mean() > 0.7
    np.testing.assert_allclose(arrays["probabilities"].sum(1), 1, atol=1e-12)
    assert arrays["features"].shape == (20, settings.n_features)
    assert arrays["noise_probabilities"].shape == arrays["probabilities"].shape
    assert set(arrays["chosen_step"]) == {0}


def test_networks_have_the_published_lengths(easy, smoke):
    settings = replace(smoke, n_features=None)
    lstm = classify.build_encoder(settings, easy)
    net = classify.build_encoder(replace(settings, encoder="eeg_channel_net"), easy)
    assert isinstance(lstm, HumanMindLSTM)
    assert isinstance(net, EEGChannelNet)
    assert (lstm.n_features, net.n_features) == (128, 1000)


def test_validation_trials_choose_the_epoch(easy, smoke):
    settings = replace(smoke, epochs=3, batch=16)
    rows = np.arange(80)
    classifier = train(settings, easy.select(rows[:60]), validation=easy.select(rows[60:]))
    assert classifier.chosen_step in (3, 6, 9)


def test_linear_baseline_reads_what_is_easy(easy):
    found = classify.decode_linearly(
        easy.select(np.arange(60)), easy.labels[:60], easy.select(np.arange(60, 80))
    )
    assert (found.argmax(1) == easy.labels[60:]).mean() > 0.8
