from dataclasses import replace

import pytest
import torch

from phosphene.experiment.responses.batches import showing_batches
from phosphene.experiment.responses.plan import Pretrained
from phosphene.experiment.responses.session import prepare_session
from phosphene.export.networks import build_network
from phosphene.recipes.lfpgan_2020.config import SYSTEMS, smoke
from phosphene.recipes.lfpgan_2020.run import make_plan


@pytest.fixture(scope="module")
def session(showings_folder):
    return prepare_session(smoke(), showings_folder)


@pytest.fixture(scope="module")
def plan():
    return make_plan(replace(smoke(), systems=SYSTEMS))


@pytest.fixture(scope="module")
def pretrained(plan, session):
    return Pretrained(
        signals=plan.signal_autoencoder(session), pictures=plan.picture_autoencoder(session)
    )


def _same(network, other):
    pairs = zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(one, two) for one, two in pairs)


def test_the_four_systems_of_the_thesis(plan):
    assert [system.name for system in plan.systems] == list(SYSTEMS)
    assert [system.uses_pictures for system in plan.systems] == [False, False, True, True]
    assert [system.pretrained for system in plan.systems] == [False, True, False, True]
    assert plan.main.name == "pre-trained GAN"


def test_pretrained_parts_begin_with_the_weights_of_the_autoencoders(plan, session, pretrained):
    step = plan.systems[3].make(session, pretrained, 0)
    assert _same(step.generator.decoder, pretrained.signals.decoder)
    assert _same(step.critic.encoder, pretrained.signals.encoder)
    for network in (step.generator, step.critic):
        assert _same(network.picture_encoder, pretrained.pictures.encoder)
    fresh = plan.systems[2].make(session, Pretrained(), 0)
    assert not _same(fresh.generator.decoder, pretrained.signals.decoder)


def test_training_one_system_leaves_the_autoencoders_alone(plan, session, pretrained):
    before = {name: value.clone() for name, value in pretrained.signals.state_dict().items()}
    step = plan.systems[3].make(session, pretrained, 0)
    step(showing_batches(session, batch_size=4, seed=0, with_pictures=True)(0))
    for name, value in pretrained.signals.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_without_pictures_no_network_of_pictures_is_built(plan, session):
    step = plan.systems[0].make(session, Pretrained(), 0)
    assert step.generator.picture_encoder is None
    assert step.critic.picture_encoder is None
    assert step.generator.random_input.n_out == 10


@pytest.mark.parametrize("place", range(4))
def test_the_spec_builds_the_generator(plan, session, place):
    system = plan.systems[place]
    step = system.make(session, Pretrained(), 0)
    built = build_network(system.spec(session))
    assert built.state_dict().keys() == step.generator.state_dict().keys()
    built.load_state_dict(step.generator.state_dict())


def test_the_same_seed_gives_the_same_start(plan, session):
    one, same, other = (plan.systems[2].make(session, Pretrained(), seed) for seed in (0, 0, 1))
    assert _same(one.generator, same.generator)
    assert not _same(one.generator, other.generator)
