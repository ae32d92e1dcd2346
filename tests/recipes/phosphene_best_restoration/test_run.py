from dataclasses import replace

import pytest
import torch

from phosphene.experiment.restoration.pictures import prepare_pictures
from phosphene.experiment.restoration.plan import Restoring
from phosphene.export.networks import build_network
from phosphene.recipes.phosphene_best_restoration import RECIPE
from phosphene.recipes.phosphene_best_restoration.config import smoke
from phosphene.recipes.phosphene_best_restoration.run import make_plan


@pytest.fixture(scope="module")
def pictures(digits_folder):
    return prepare_pictures(smoke(), digits_folder)


def make(config, pictures, seed=0):
    (system,) = make_plan(config).systems
    return system.make(pictures, lr=1e-3, seed=seed, n_steps=4)


def corrupted(n=2):
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_each_form_has_its_own_name():
    names = [
        make_plan(replace(smoke(), **changes)).main.name
        for changes in ({}, {"hidden": 0}, {"skips": False})
    ]
    assert names == ["view of the whole", "convolutions alone", "dense layers alone"]


def test_the_network_is_that_of_its_spec_and_starts_at_the_mean(pictures):
    (system,) = make_plan(smoke()).systems
    step = make(smoke(), pictures)
    assert isinstance(step, Restoring)
    size, color = pictures.size, pictures.color
    again = build_network(system.spec(pictures))
    again.load_state_dict(step.sampler.state_dict())
    images = torch.rand(2, color, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(again.eval()(images), step.sampler(images))
        step.network.output.weight.zero_()
        drawn = step.network.eval()(images)
    assert drawn.mean().item() == pytest.approx(float(pictures.mean.mean()), abs=0.01)


@pytest.mark.parametrize("name", [None, *RECIPE.ablations])
def test_the_recipe_and_each_of_its_ablations_train(pictures, name):
    config = smoke() if name is None else RECIPE.variants(smoke())[name]
    step = make(config, pictures)
    before = [value.clone() for value in step.network.parameters()]
    batch = pictures.batches(pictures.train, batch=4, seed=0)(0)
    for _ in range(2):
        assert step(batch)["loss"].isfinite()
    pairs = zip(before, step.network.parameters(), strict=True)
    assert not all(torch.equal(old, new) for old, new in pairs)
    assert (step.sampler is step.network) == (config.ema == 0)


def test_the_same_seed_gives_the_same_weights(pictures):
    first, same, other = (make(smoke(), pictures, seed=seed) for seed in (0, 0, 1))
    weights = [
        torch.cat([p.flatten() for p in s.network.parameters()]) for s in (first, same, other)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
