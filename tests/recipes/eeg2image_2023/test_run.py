import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
import tyro

from phosphene.data.scaling import ChannelScaler
from phosphene.export.networks import build_network
from phosphene.recipes.eeg2image_2023 import config, run


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
