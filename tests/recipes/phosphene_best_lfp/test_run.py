from dataclasses import replace

import pytest
import torch

from phosphene.experiment.responses.plan import GeneratorStep, Pretrained
from phosphene.experiment.responses.session import prepare_session
from phosphene.export.networks import build_network
from phosphene.recipes.phosphene_best_lfp.config import smoke
from phosphene.recipes.phosphene_best_lfp.run import make_plan, make_step


@pytest.fixture(scope="module")
def session(showings_folder):
    return prepare_session(smoke(), showings_folder)


def test_there_is_one_system_and_no_autoencoder():
    plan = make_plan(smoke())
    assert plan.signal_autoencoder is None
    assert plan.picture_autoencoder is None
    (system,) = plan.systems
    assert (system.name, system.uses_pictures, system.pretrained) == ("flow", True, False)
    assert plan.main is system


def test_without_pictures_or_flow_it_says_so():
    (system,) = make_plan(replace(smoke(), features="none")).systems
    assert not system.uses_pictures
    (system,) = make_plan(replace(smoke(), flow=False)).systems
    assert (system.name, system.n_steps) == ("normal law", 1)


def test_the_network_is_that_of_its_spec(session):
    (system,) = make_plan(smoke()).systems
    step = system.make(session, Pretrained(), 0)
    assert isinstance(step, GeneratorStep)
    again = build_network(system.spec(session))
    again.load_state_dict(step.sampler.state_dict())
    noise = torch.randn(2, *again.noise_shape, generator=torch.Generator().manual_seed(0))
    pictures = session.pictures[:2]
    with torch.no_grad():
        assert torch.equal(again.eval()(noise, pictures), step.sampler(noise, pictures))


def test_showings_of_test_pictures_are_not_looked_at(session):
    spoiled = session.signals.copy()
    spoiled[session.rows["test"]] = float("nan")
    pictures = session.pictures.clone()
    pictures[session.picture[session.rows["test"]]] = float("nan")
    states = [
        make_step(smoke(), each, Pretrained(), 0).generator.state_dict()
        for each in (session, replace(session, signals=spoiled, pictures=pictures))
    ]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_the_average_is_left_out_if_asked(session):
    step = make_step(replace(smoke(), ema=0.0), session, Pretrained(), 0)
    assert step.ema is None
    assert step.sampler is step.generator
