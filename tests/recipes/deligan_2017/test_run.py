from dataclasses import replace

import pytest
import torch

from phosphene.recipes.deligan_2017 import config, run


def make(**changes):
    plan = run.make_plan(replace(config.smoke(), **changes))
    return plan.painter.make(color=1, n_classes=4, seed=0)


@pytest.mark.parametrize(
    ("networks", "condition", "n_gaussians"),
    [
        ("image", "features", 8 + 16),
        ("image", "label", 8 + 4),
        ("glyph", "features", 8),
        ("glyph", "label", 8),
    ],
)
def test_gaussians_lie_under_what_the_released_networks_put_them(networks, condition, n_gaussians):
    generator = make(networks=networks, condition=condition).generator
    assert generator.gaussian.mean.shape == (n_gaussians,)


def test_training_moves_the_gaussians_and_their_scales_are_penalised():
    step = make()
    before = {name: value.clone() for name, value in step.generator.gaussian.named_parameters()}
    assert step.generator.penalty() > 0
    rng = torch.Generator().manual_seed(0)
    pictures = torch.rand(8, 1, 16, 16, generator=rng) * 2 - 1
    values = step((pictures, torch.randn(8, 16, generator=rng), torch.arange(8) % 4))
    assert "auxiliary" in values
    assert "guidance" not in values
    for name, value in step.generator.gaussian.named_parameters():
        assert not torch.equal(value, before[name])


def test_classes_are_judged_by_the_discriminator_alone():
    plan = run.make_plan(config.smoke())
    assert not plan.painter.guided
    assert make().discriminator.class_head.out_features == 4
    assert make(auxiliary=0.0).discriminator.class_head is None


def test_condition_follows_the_settings():
    for condition in ("label", "features"):
        plan = run.make_plan(replace(config.smoke(), condition=condition))
        assert plan.painter.condition_on == condition
