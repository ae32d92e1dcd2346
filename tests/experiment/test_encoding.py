from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from phosphene.data.scaling import ChannelScaler, WindowScaler
from phosphene.evaluation.probes import linear_probe
from phosphene.evaluation.riemann import riemann_available
from phosphene.evaluation.thinning import baseline_step
from phosphene.experiment import encoding
from phosphene.experiment.encoding import EncoderSettings
from phosphene.models.encoders.thoughtviz_cnn import thoughtviz_head
from phosphene.recipes.eeg2image_2023.run import encoder_plan
from phosphene.training.batches import index_batches


def train_encoder(config, trials, labels, **context):
    return encoder_plan(config, name=config.encoder).train(trials, labels, **context)


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
    decoder = encoding.decoder_from_probe(probe)
    assert decoder.weight.shape == (n_classes, 6)
    expected = probe.predict_proba(features)
    np.testing.assert_allclose(decoder.probabilities(features), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("encoder", "objective"),
    [("compact_cnn", "softmax"), ("compact_cnn", "both"), ("compact_cnn", "triplet")],
)
def test_learns_classes_that_differ(settings, easy_trials, quiet_watch, encoder, objective):
    config = replace(settings, encoder=encoder, objective=objective)
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = train_encoder(
        config, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    decoded = encoding.decode(system, train, test, seed=0)
    assert (decoded["probabilities"].argmax(1) == test.labels).mean() > 0.8
    assert (decoded["probe_probabilities"].argmax(1) == test.labels).mean() > 0.8
    assert {record["fold"] for record in quiet_watch.records} == {"a"}


@pytest.mark.parametrize(("batch", "n_steps"), [(30, 15), (32, 15), (2, 150)])
def test_an_epoch_is_counted_in_the_rows_that_a_batch_really_holds(
    settings, easy_trials, quiet_watch, batch, n_steps
):
    settings = replace(settings, encoder_batch=batch, encoder_epochs=5)
    train = easy_trials.select(np.arange(90))
    train_encoder(settings, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch)
    assert quiet_watch.records[-1]["step"] == n_steps


def test_triplet_features_are_read_by_the_probe(settings, easy_trials, quiet_watch):
    config = replace(settings, objective="triplet", encoder_epochs=1)
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = train_encoder(
        config, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    decoded = encoding.decode(system, train, test, seed=0)
    np.testing.assert_allclose(decoded["probabilities"], decoded["probe_probabilities"], atol=1e-6)


def test_noise_input_replaces_the_signals_only(settings, easy_trials, quiet_watch):
    config = replace(settings, encoder_epochs=1)
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = train_encoder(
        config, train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )
    decoded = encoding.decode(system, train, test, seed=0)
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
    whole = encoding._noise_epochs(test, easy_trials, seed=0)
    names = names.copy()
    names[:n_alone] = [f"single {number}" for number in range(n_alone)]
    some = replace(test, table=test.table.assign(recording=names))
    noise = encoding._noise_epochs(some, easy_trials, seed=0)
    assert noise[:n_alone].std() == pytest.approx(whole.std(), rel=0.5)
    np.testing.assert_array_equal(noise[30:], whole[30:])  # that of the others is as ever
    assert not np.isclose(noise[:n_alone], test.epochs[:n_alone], rtol=0.1).all(axis=(1, 2)).any()
    only = encoding._noise_epochs(some.select(np.arange(1)), easy_trials, seed=0)
    assert only.std() == pytest.approx(whole.std(), rel=0.5)


def small_cnn(trials):
    settings = {"n_chans": trials.n_chans, "n_times": trials.n_times, "n_features": 8}
    return {"network": "ThoughtVizCNN", "settings": {**settings, "norm_momentum": 0.5}}


def train_small(trials, quiet_watch, **changes):
    settings = EncoderSettings(spec=small_cnn, **{"epochs": 12, "batch": 30, "lr": 3e-3, **changes})
    return encoding.train_encoder(
        settings, trials, trials.labels, seed=0, stage="encoder", watch=quiet_watch.watch
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"head": thoughtviz_head},
        {"optimizer": "sgd", "lr": 0.01, "momentum": 0.9, "nesterov": True, "lr_decay": 1e-6},
        {"balanced": False},
    ],
    ids=["plain", "head", "gradient descent", "shuffled"],
)
def test_each_way_to_train_learns_classes_that_differ(easy_trials, quiet_watch, changes):
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = train_small(train, quiet_watch, **changes)
    decoded = system.decoder.probabilities(system.features(test.epochs)).argmax(1)
    assert (decoded == test.labels).mean() > 0.8


def test_decoder_is_the_head_that_was_trained(easy_trials, quiet_watch):
    made = []

    def make_head(n_features, *, n_classes):
        made.append(thoughtviz_head(n_features, n_classes=n_classes, norm_momentum=0.5))
        return made[-1]

    system = train_small(easy_trials, quiet_watch, head=make_head, epochs=2)
    features = system.features(easy_trials.epochs)
    with torch.no_grad():
        expected = made[0].eval()(torch.from_numpy(features)).softmax(1).numpy()
    np.testing.assert_allclose(system.decoder.probabilities(features), expected, atol=1e-5)


def test_head_that_is_not_linear_is_refused_before_training(easy_trials, quiet_watch):
    def make_head(n_features, *, n_classes):
        return nn.Sequential(nn.Linear(n_features, 4), nn.ReLU(), nn.Linear(4, n_classes))

    with pytest.raises(ValueError, match="a head to fold must be batch norms"):
        train_small(easy_trials, quiet_watch, head=make_head)
    assert not quiet_watch.records


def test_settings_reach_the_step_that_trains(easy_trials, quiet_watch, monkeypatch):
    steps = []

    def keep_step(step, batches, **rest):
        steps.append((step, batches, rest["n_steps"]))

    monkeypatch.setattr(encoding, "fit", keep_step)
    train_small(
        easy_trials, quiet_watch, optimizer="sgd", lr=0.1, momentum=0.9, nesterov=True,
        lr_decay=0.5, weight_decay=0.01, balanced=False, batch=50, epochs=3,
    )  # fmt: skip
    train_small(easy_trials, quiet_watch, eps=1e-3)
    (step, batches, n_steps), (adam, _, _) = steps
    assert isinstance(step.optimizer, torch.optim.SGD)
    group = step.optimizer.param_groups[0]
    assert (group["momentum"], group["nesterov"], group["weight_decay"]) == (0.9, True, 0.01)
    assert adam.optimizer.param_groups[0]["eps"] == 1e-3
    assert step.schedule.lr_lambdas[0](2) == pytest.approx(1 / 2)
    assert n_steps == 3 * 120 // 50
    order = index_batches(120, batch_size=50, seed=0)
    np.testing.assert_array_equal(batches(1)[1], easy_trials.labels[order(1)])


def test_warming_up_and_dividing_by_updates_do_not_go_together(easy_trials, quiet_watch):
    with pytest.raises(ValueError, match="a decay must go with the inverse_time schedule"):
        train_small(easy_trials, quiet_watch, one_cycle=True, lr_decay=0.1)


def test_seed_decides_the_weights(smoke, easy_trials, quiet_watch):
    features = [
        train_encoder(
            smoke, easy_trials, easy_trials.labels, seed=seed, stage="e", watch=quiet_watch.watch
        ).features(easy_trials.epochs[:9])
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(features[0], features[1])
    assert not np.allclose(features[0], features[2])


def test_scaling_is_that_of_the_training_epochs(smoke, easy_trials, quiet_watch):
    system = train_encoder(
        smoke, easy_trials, easy_trials.labels, seed=0, stage="e", watch=quiet_watch.watch
    )
    np.testing.assert_array_equal(system.scaler.mean, ChannelScaler.fit(easy_trials.epochs).mean)


def test_training_and_decoding_scale_windows_alike(easy_trials, quiet_watch, monkeypatch):
    batches = []
    monkeypatch.setattr(encoding, "fit", lambda step, batch, **rest: batches.append(batch))
    system = train_small(easy_trials, quiet_watch, scaling="window", balanced=False, batch=120)
    assert system.scaling == "window"
    signals, labels = batches[0](0)
    order = index_batches(120, batch_size=120, seed=0)(0)
    epochs = easy_trials.epochs[order]
    np.testing.assert_array_equal(signals, WindowScaler().apply(epochs))
    np.testing.assert_array_equal(system.input_scaler.apply(epochs), signals)
    np.testing.assert_array_equal(labels, easy_trials.labels[order])
    np.testing.assert_array_equal(system.scaler.scale, ChannelScaler.fit(easy_trials.epochs).scale)


@pytest.mark.parametrize("pull", [0.0, 0.5])
def test_condition_is_fitted_on_the_training_trials(smoke, easy_trials, quiet_watch, pull):
    system = train_encoder(
        smoke, easy_trials, easy_trials.labels, seed=0, stage="e", watch=quiet_watch.watch
    )
    fitted = encoding.fit_condition(system, easy_trials, standardize=True, pull=pull)
    features = system.features(easy_trials.epochs)
    scaled = fitted.feature_scaler.apply(features)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-4)
    means = np.stack([scaled[easy_trials.labels == label].mean(0) for label in range(3)])
    expected = scaled + pull * (means[system.decoder.probabilities(features).argmax(1)] - scaled)
    np.testing.assert_allclose(fitted.condition(features), expected, atol=1e-4)
    plain = encoding.fit_condition(system, easy_trials, standardize=False, pull=0.0)
    np.testing.assert_array_equal(plain.condition(features), features)


def test_lda_sees_the_given_labels(easy_trials):
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    right = encoding.decode_linearly(train, train.labels, test).argmax(1)
    turned = encoding.decode_linearly(train, (train.labels + 1) % 3, test).argmax(1)
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
    right = encoding.decode_linearly(train, train.labels, test).argmax(1) == test.labels
    assert right.mean() > 0.8 if step == 1 else right.mean() < 0.6


def test_classical_decoders_see_the_given_labels_and_one_can_be_left_out(easy_trials):
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    turned = (train.labels + 1) % 3
    found = encoding.decode_classically(train, turned, test, riemann=True)
    assert found.keys() <= {"lda_probabilities", "riemann_probabilities"}
    assert ("riemann_probabilities" in found) is riemann_available()
    for probabilities in found.values():
        assert (probabilities.argmax(1) == (test.labels + 1) % 3).mean() > 0.8
    assert list(encoding.decode_classically(train, turned, test, riemann=False)) == [
        "lda_probabilities"
    ]
