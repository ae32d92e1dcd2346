import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import tyro
from torch.nn.modules.batchnorm import _BatchNorm

from phosphene.data.scaling import ChannelScaler
from phosphene.experiment import course, encoding
from phosphene.export.bundle import load_bundle
from phosphene.export.networks import build_network
from phosphene.recipes.eeg2image_2023 import RECIPE, config, run
from phosphene.training.batches import index_batches


def check(settings, *, n_classes):
    run.make_plan(settings).check(n_classes=n_classes, n_devices=1)


@pytest.mark.parametrize(
    ("encoder", "n_layers"), [("lstm_one_layer", 1), ("lstm_two_layer", 2), ("compact_cnn", None)]
)
def test_spec_builds_the_encoder(smoke, easy_trials, encoder, n_layers):
    network = build_network(
        run.encoder_spec(replace(smoke, encoder=encoder, n_features=12), easy_trials)
    )
    if n_layers:
        assert len(network.layers) == n_layers
    scaled = ChannelScaler.fit(easy_trials.epochs).apply(easy_trials.epochs[:5])
    assert network.eval()(torch.from_numpy(scaled)).shape == (5, 12)


def test_published_encoder_has_nothing_of_ours(smoke):
    other = run.published_encoder(smoke)
    assert (other.encoder, other.objective, other.n_features) == ("lstm_two_layer", "triplet", 128)
    assert other.encoder_weight_decay == other.signal_mixup == other.signal_shift == 0
    assert not other.squared_distance


def test_the_documented_command_trains_the_published_encoder():
    text = (Path(config.__file__).parent / "README.md").read_text()
    words = re.search(r"phosphene train eeg2image_2023 quick (--encoder .*) \.\.\.", text)[1]
    found = tyro.cli(config.Config, args=words.split(), default=config.quick())
    published = run.published_encoder(found)
    ours = {"encoder_epochs", "signal_mixup"}  # mixup goes with softmax alone
    changed = {name for name, value in asdict(found).items() if value != getattr(published, name)}
    assert changed <= ours


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
    check(settings, n_classes=32)
    check(replace(settings, encoder_batch=80), n_classes=40)
    check(replace(settings, objective="softmax", compare_encoder=None), n_classes=40)
    with pytest.raises(ValueError, match="--encoder-batch 80 or more") as error:
        check(settings, n_classes=40)
    assert all(word in str(error.value) for word in words)


def test_shuffled_batches_need_no_two_trials_of_each_class():
    settings = replace(config.code(), encoder_batch=40)
    check(settings, n_classes=40)
    with pytest.raises(ValueError, match="--encoder-batch 80 or more"):
        check(replace(settings, balanced_batches=True), n_classes=40)


@pytest.mark.parametrize(("balanced", "divides"), [(True, False), (False, True)])
def test_devices_share_batches_as_they_are_made(balanced, divides):
    settings = replace(
        config.code(), balanced_batches=balanced, encoder_batch=64, generator_batch=64
    )
    plan = run.make_plan(settings)
    if divides:
        plan.check(n_classes=4, n_devices=4)
        with pytest.raises(ValueError, match="`--encoder-batch` must divide evenly"):
            run.make_plan(replace(settings, encoder_batch=62)).check(n_classes=4, n_devices=4)
    else:
        with pytest.raises(ValueError, match="in whole rows per class, must divide evenly"):
            plan.check(n_classes=9, n_devices=8)


@pytest.fixture
def trained_with(easy_trials, quiet_watch, monkeypatch):
    """Return the step and the first batch with which a preset's encoder would be trained."""

    def trained_with(settings):
        kept = []
        monkeypatch.setattr(encoding, "fit", lambda step, batch, **_: kept.append((step, batch(0))))
        plan = run.encoder_plan(settings, name="encoder")
        system = plan.train(
            easy_trials, easy_trials.labels, seed=0, stage="encoder", watch=quiet_watch.watch
        )
        return system, *kept[0]

    return trained_with


@pytest.mark.parametrize(
    ("preset", "n_layers", "squared", "scaling"),
    [
        ("paper", 1, True, "channel"),
        ("code", 2, False, "window"),
        ("executed", 2, False, "window"),
        ("quick_published", 2, True, "channel"),
    ],
)
def test_presets_reach_the_encoder(trained_with, easy_trials, preset, n_layers, squared, scaling):
    settings = replace(RECIPE.config(preset), encoder_epochs=1, encoder_batch=30)
    system, step, (signals, labels) = trained_with(settings)
    assert len(step.encoder.layers) == n_layers
    assert (step.squared, step.margin_loss, step.objective) == (squared, 1.0, "triplet")
    assert step.encoder.n_features == 128
    assert system.scaling == scaling
    order = index_batches(120, batch_size=30, seed=0)(0)
    shuffled = np.array_equal(labels, easy_trials.labels[order])
    assert shuffled is not settings.balanced_batches
    largest = signals.amax((1, 2))
    assert bool(torch.allclose(largest, torch.ones(30))) is (scaling == "window")


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("paper", ("normal", False, 1, 0.0, "z", False, True, True)),
        ("code", ("uniform", True, 2, 1e-5, "z_and_features", True, True, True)),
        ("executed", ("uniform", True, 2, 1e-5, "z_and_features", False, False, False)),
        ("quick_published", ("normal", False, 1, 0.0, "z", False, True, True)),
    ],
)
def test_presets_reach_the_gan(preset, expected):
    settings = replace(
        RECIPE.config(preset), image_size=16, generator_width=4, discriminator_width=4,
        generator_steps=2,
    )  # fmt: skip
    painter = run.EEG2ImagePainter(settings)
    step = painter.make(color=1, n_classes=3, seed=0)
    ordinary = [
        {type(m) is torch.nn.BatchNorm2d for m in net.modules() if isinstance(m, _BatchNorm)}
        for net in (step.generator, step.discriminator)
    ]
    found = (step.pair.noise, step.halved, step.n_adversarial_terms, step.mode_seeking_eps)
    found += (step.mode_seeking_noise, step.generator.spectral_norm, *ordinary[0], *ordinary[1])
    assert found == expected
    assert painter.noise == step.pair.noise
    assert step.pair.policy == ("color", "translation")
    assert (step.mode_seeking, step.mode_seeking_every) == (1.0, 1)
    values = step((torch.rand(6, 1, 16, 16), torch.randn(6, 128), torch.arange(6) % 3))
    assert all(bool(value.isfinite()) for value in values.values())


@pytest.mark.parametrize("preset", ["code", "executed"])
def test_the_released_code_trains_to_a_bundle_that_scales_windows(
    preset, train_again, dataset, monkeypatch
):
    monkeypatch.setattr(course, "score_run", lambda *_: [])
    settings = replace(
        RECIPE.config(preset), n_folds=2, decode_folds=1, null_folds=0, encoder_epochs=1,
        encoder_batch=32, compare_encoder=None, image_size=16, generator_width=4,
        discriminator_width=4, generator_steps=2, generator_batch=8, judge_steps=2, n_scored=8,
        n_draws=1, inception="off",
    )  # fmt: skip
    trained, _ = train_again(settings)
    bundle = load_bundle(trained.path / "bundle")
    assert (bundle.system.scaling, bundle.system.noise) == ("window", "uniform")
    arrays = trained.read_arrays("folds/0/decoding.npz")
    ids = list(dataset.trials.table["trial"])
    trials = dataset.trials.select([ids.index(name) for name in arrays["trial"]])
    features = bundle.system.features(trials.epochs)
    np.testing.assert_allclose(features, arrays["features"], atol=1e-5)


def test_generator_takes_its_widths_from_the_settings(smoke):
    config = replace(smoke, n_noise=5, n_features=7, image_size=32, guidance=0.0)
    gan = run.EEG2ImagePainter(config).make(color=3, n_classes=4, seed=0)
    assert gan.generator(torch.zeros(2, 5), torch.zeros(2, 7)).shape == (2, 3, 32, 32)
    again = run.EEG2ImagePainter(config).make(color=3, n_classes=4, seed=0)
    for first, second in zip(gan.generator.parameters(), again.generator.parameters(), strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_start_and_batch_norm_follow_the_settings(smoke):
    config = replace(smoke, guidance=0.0, he_init=False, discriminator_batch_norm=True)
    narrow = run.EEG2ImagePainter(config).make(color=1, n_classes=4, seed=0)
    wide = run.EEG2ImagePainter(replace(config, he_init=True, discriminator_batch_norm=False)).make(
        color=1, n_classes=4, seed=0
    )
    for name in ("generator", "discriminator"):
        weights = [getattr(gan, name).state_dict().values() for gan in (narrow, wide)]
        assert 2 * max(w.std() for w in weights[0] if w.ndim == 4) < max(
            w.std() for w in weights[1] if w.ndim == 4
        )
    norms = [
        [m for m in gan.discriminator.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        for gan in (narrow, wide)
    ]
    assert norms[0]
    assert not norms[1]
