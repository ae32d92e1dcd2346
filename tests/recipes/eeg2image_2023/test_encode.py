import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import tyro

from phosphene.data.scaling import ChannelScaler
from phosphene.evaluation.probes import linear_probe
from phosphene.evaluation.thinning import baseline_step
from phosphene.export.networks import build_network
from phosphene.recipes.eeg2image_2023 import config, encode


@pytest.fixture
def settings(smoke):
    """Enough training for classes that differ in an obvious way."""
    return replace(smoke, encoder_epochs=15, encoder_batch=30, signal_mixup=0.0)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_decoder_from_probe_equals_the_probe(n_classes):
    rng = np.random.default_rng(0)
    labels = np.arange(100) % n_classes
    features = 3 + 7 * rng.normal(size=(100, 6)) + labels[:, None] * rng.normal(size=6)
    probe = linear_probe(features, labels, n_classes=n_classes)
    decoder = encode.decoder_from_probe(probe)
    assert decoder.weight.shape == (n_classes, 6)
    expected = probe.predict_proba(features)
    np.testing.assert_allclose(decoder.probabilities(features), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("encoder", "n_layers"), [("lstm_one_layer", 1), ("lstm_two_layer", 2), ("compact_cnn", None)]
)
def test_spec_builds_the_encoder(smoke, easy_trials, encoder, n_layers):
    network = build_network(
        encode.encoder_spec(replace(smoke, encoder=encoder, n_features=12), easy_trials)
    )
    if n_layers:
        assert len(network.layers) == n_layers
    scaled = ChannelScaler.fit(easy_trials.epochs).apply(easy_trials.epochs[:5])
    import torch

    assert network.eval()(torch.from_numpy(scaled)).shape == (5, 12)


def test_published_encoder_has_nothing_of_ours(smoke):
    other = encode.published_encoder(smoke)
    assert (other.encoder, other.objective, other.n_features) == ("lstm_two_layer", "triplet", 128)
    assert other.encoder_weight_decay == other.signal_mixup == other.signal_shift == 0
    assert not other.squared_distance


def test_the_documented_command_trains_the_published_encoder():
    text = (Path(config.__file__).parent / "README.md").read_text()
    words = re.search(r"phosphene train eeg2image_2023 quick (--encoder .*) \.\.\.", text)[1]
    found = tyro.cli(config.Config, args=words.split(), default=config.quick())
    published = encode.published_encoder(found)
    ours = {"encoder_epochs", "signal_mixup"}  # mixup goes with softmax alone
    changed = {name for name, value in asdict(found).items() if value != getattr(published, name)}
    assert changed <= ours


@pytest.mark.parametrize(
    ("encoder", "objective"),
    [("compact_cnn", "softmax"), ("compact_cnn", "both"), ("compact_cnn", "triplet")],
)
def test_learns_classes_that_differ(settings, easy_trials, quiet_watch, encoder, objective):
    config = replace(settings, encoder=encoder, objective=objective)
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = encode.train_encoder(
        config, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    decoded = encode.decode(config, system, train, test, seed=0)
    assert (decoded["probabilities"].argmax(1) == test.labels).mean() > 0.8
    assert (decoded["probe_probabilities"].argmax(1) == test.labels).mean() > 0.8
    assert {record["fold"] for record in quiet_watch.records} == {"a"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": "triplet"}, ("`objective` and `compare", "80 or more", "--objective softm")),
        ({"objective": "both", "compare_encoder": None}, ("of `objective`;", "--objective softm")),
        ({}, ("of `compare_objective`;", "64 for 40 classes", "--compare-encoder None")),
    ],
)
def test_triplets_need_two_trials_of_each_class_in_a_batch(changes, words):
    settings = replace(config.quick(), **changes)
    encode.check_triplets(settings, n_classes=32)
    encode.check_triplets(replace(settings, encoder_batch=80), n_classes=40)
    encode.check_triplets(
        replace(settings, objective="softmax", compare_encoder=None), n_classes=40
    )
    with pytest.raises(ValueError, match="--encoder-batch 80 or more") as error:
        encode.check_triplets(settings, n_classes=40)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(("batch", "n_steps"), [(30, 15), (32, 15), (2, 150)])
def test_an_epoch_is_counted_in_the_rows_that_a_batch_really_holds(
    settings, easy_trials, quiet_watch, batch, n_steps
):
    settings = replace(settings, encoder_batch=batch, encoder_epochs=5)
    train = easy_trials.select(np.arange(90))
    encode.train_encoder(
        settings, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    assert quiet_watch.records[-1]["step"] == n_steps


def test_triplet_features_are_read_by_the_probe(settings, easy_trials, quiet_watch):
    config = replace(settings, objective="triplet", encoder_epochs=1)
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = encode.train_encoder(
        config, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    decoded = encode.decode(config, system, train, test, seed=0)
    np.testing.assert_allclose(decoded["probabilities"], decoded["probe_probabilities"], atol=1e-6)


def test_noise_input_replaces_the_signals_only(settings, easy_trials, quiet_watch):
    config = replace(settings, encoder_epochs=1)
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = encode.train_encoder(
        config, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    decoded = encode.decode(config, system, train, test, seed=0)
    assert decoded["noise_features"].shape == decoded["features"].shape
    np.testing.assert_allclose(
        decoded["noise_probabilities"], system.decoder.probabilities(decoded["noise_features"])
    )
    assert not np.allclose(decoded["noise_features"], decoded["features"])


@pytest.mark.parametrize("n_alone", [1, 2])
def test_noise_of_a_recordings_single_trial_is_like_that_of_other_trials(easy_trials, n_alone):
    names = np.array(["a"] * 30 + ["b"] * 30, dtype=object)
    test = easy_trials.select(np.arange(60))
    test = replace(test, table=test.table.assign(recording=names))
    whole = encode._noise_epochs(test, easy_trials, seed=0)
    names = names.copy()
    names[:n_alone] = [f"single {number}" for number in range(n_alone)]
    some = replace(test, table=test.table.assign(recording=names))
    noise = encode._noise_epochs(some, easy_trials, seed=0)
    assert noise[:n_alone].std() == pytest.approx(whole.std(), rel=0.5)
    np.testing.assert_array_equal(noise[30:], whole[30:])  # that of the others is as ever
    assert not np.isclose(noise[:n_alone], test.epochs[:n_alone], rtol=0.1).all(axis=(1, 2)).any()
    only = encode._noise_epochs(some.select(np.arange(1)), easy_trials, seed=0)
    assert only.std() == pytest.approx(whole.std(), rel=0.5)


def test_seed_decides_the_weights(smoke, easy_trials, quiet_watch):
    features = [
        encode.train_encoder(
            smoke, easy_trials, easy_trials.labels, seed=seed, stage="e", watch=quiet_watch.watch
        ).features(easy_trials.epochs[:9])
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(features[0], features[1])
    assert not np.allclose(features[0], features[2])


def test_scaling_is_that_of_the_training_epochs(smoke, easy_trials, quiet_watch):
    config = replace(smoke, standardize_features=True)
    system = encode.train_encoder(
        config, easy_trials, easy_trials.labels, seed=0, stage="e", watch=quiet_watch.watch
    )
    np.testing.assert_array_equal(system.scaler.mean, ChannelScaler.fit(easy_trials.epochs).mean)
    features = system.feature_scaler.apply(system.features(easy_trials.epochs))
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-4)


def test_lda_sees_the_given_labels(easy_trials):
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    right = encode.decode_linearly(train, train.labels, test).argmax(1)
    turned = encode.decode_linearly(train, (train.labels + 1) % 3, test).argmax(1)
    assert (right == test.labels).mean() > 0.8
    assert (turned == (test.labels + 1) % 3).mean() > 0.8


def with_band(trials, band):
    settings = {**trials.preprocessing["settings"], "band": band}
    return replace(trials, preprocessing={**trials.preprocessing, "settings": settings})


@pytest.mark.parametrize(
    ("band", "step"), [([1.0, 30.0], 2), ([0.5, 40.0], 1), (None, 1), ([1.0, 20.0], 2)]
)
def test_lda_takes_all_samples_that_the_band_needs(easy_trials, band, step):
    """Classes differ in every second sample alone, which a decoder of the others cannot see."""
    rng = np.random.default_rng(0)
    epochs = rng.normal(size=easy_trials.epochs_with_margin.shape).astype(np.float32)
    odd = slice(easy_trials.margin + 1, None, 2)
    epochs[:, 0, odd] += easy_trials.labels[:, None] - 1.0
    trials = with_band(replace(easy_trials, epochs_with_margin=epochs), band)
    assert trials.sfreq == 128
    assert baseline_step(trials.preprocessing, sfreq=trials.sfreq) == step
    train, test = trials.select(np.arange(90)), trials.select(np.arange(90, 120))
    right = encode.decode_linearly(train, train.labels, test).argmax(1) == test.labels
    assert right.mean() > 0.8 if step == 1 else right.mean() < 0.6
