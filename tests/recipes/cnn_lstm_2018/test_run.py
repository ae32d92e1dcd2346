from dataclasses import replace

import pytest
import torch

from phosphene.experiment.restoration.pictures import prepare_pictures
from phosphene.export.networks import build_network
from phosphene.recipes.cnn_lstm_2018.config import SYSTEMS, smoke
from phosphene.recipes.cnn_lstm_2018.run import make_plan, network_spec


@pytest.fixture(scope="module")
def pictures(digits_folder):
    return prepare_pictures(smoke(), digits_folder)


@pytest.fixture(scope="module")
def plan():
    return make_plan(smoke())


def _make(system, pictures, *, lr=1e-3, seed=0):
    return system.make(pictures, lr=lr, seed=seed, n_steps=5)


def _same(network, other):
    pairs = zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(one, two) for one, two in pairs)


def test_the_networks_of_the_paper_with_both_readings_of_its_baseline(plan):
    assert [system.name for system in plan.systems] == list(SYSTEMS)
    assert plan.main.name == "CNN-LSTM"
    one = make_plan(replace(smoke(), systems=("CNN-CNN with bottleneck",)))
    assert one.main.name == "CNN-CNN with bottleneck"


def test_at_the_size_of_mnist_the_parameters_are_those_of_the_tables(pictures):
    """FACTS of the paper: 365,796 in the encoder, 1,044,224 in all at 128 values per state."""
    images = pictures.images.resized(28, color=1)
    mnist = replace(pictures, source=replace(pictures.source, images=images))
    config = replace(smoke(), hidden=128, n_code=100, n_layers=5)
    network = build_network(network_spec(config, "CNN-LSTM", mnist))
    count = sum(weight.numel() for weight in network.parameters())
    assert count == 1_044_224
    bottleneck = build_network(network_spec(config, "CNN-CNN with bottleneck", mnist))
    assert sum(w.numel() for w in bottleneck.encoder.parameters()) == 365_796


@pytest.mark.parametrize("place", range(3))
def test_the_spec_builds_the_network_that_is_trained(plan, pictures, place):
    system = plan.systems[place]
    step = _make(system, pictures)
    built = build_network(system.spec(pictures))
    built.load_state_dict(step.network.state_dict())
    assert type(built) is type(step.network)


@pytest.mark.parametrize("place", range(3))
def test_the_untrained_output_is_as_bright_as_the_training_pictures(plan, pictures, place):
    """Far from 0.5, where a sigmoid begins."""
    step = _make(plan.systems[place], pictures)
    with torch.no_grad():
        drawn = step.sampler(pictures.batches(pictures.train, batch=40, seed=0)(0)[0])
    assert float(drawn.mean()) == pytest.approx(float(pictures.mean.mean()), abs=0.1)


def test_every_network_is_trained_with_the_same_care(pictures):
    config = replace(smoke(), l2=0.5, clip=2.0, ema=0.9, warmup=3, loss="mse", dropout=0.4)
    for system in make_plan(config).systems:
        step = _make(system, pictures, lr=0.01)
        assert (step.l2, step.clip, step.ema.decay, step.loss) == (0.5, 2.0, 0.9, "mse")
        assert step.network.encoder.dropout.p == 0.4
        assert step.optimizer.param_groups[0]["lr"] == pytest.approx(0.01 / 4)
        for number in range(3):
            step(pictures.batches(pictures.train, batch=4, seed=0)(number))
        assert step.optimizer.param_groups[0]["lr"] == 0.01


def test_zero_turns_clipping_and_the_average_off(pictures):
    config = replace(smoke(), clip=0.0, ema=0.0, optimizer="adadelta")
    step = _make(make_plan(config).systems[2], pictures)
    assert (step.clip, step.ema) == (None, None)
    assert isinstance(step.optimizer, torch.optim.Adadelta)


def test_the_same_seed_gives_the_same_start(plan, pictures):
    one, same, other = (_make(plan.main, pictures, seed=seed) for seed in (0, 0, 1))
    assert _same(one.network, same.network)
    assert not _same(one.network, other.network)
