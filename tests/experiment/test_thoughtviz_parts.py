from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from phosphene.experiment import thoughtviz_parts
from phosphene.experiment.plan import Painter, PainterStep
from phosphene.experiment.thoughtviz_parts import ThoughtVizPainter
from phosphene.experiment.thoughtviz_settings import ThoughtVizSettings
from phosphene.models.classifiers.picture_cnn import PictureCNN
from phosphene.training.classifier_step import ClassifierStep
from phosphene.training.devices import ALONE


@pytest.fixture
def small():
    return ThoughtVizSettings(
        image_size=16, n_features=6, n_noise=5, generator_width=4, discriminator_width=4
    )


@pytest.fixture
def guide():
    torch.manual_seed(0)
    return ClassifierStep(PictureCNN(3, size=16, color=1, width=4), rng=torch.Generator())


def make(settings, **rest):
    guide = rest.pop("guide", None)
    painter = ThoughtVizPainter(settings=settings, **{"mixture": "z", **rest})
    return painter.make(color=1, n_classes=3, seed=0, guide=guide, devices=ALONE)


def batch(n_features, n=6):
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 3
    pictures = torch.rand(n, 1, 16, 16, generator=rng) * 2 - 1
    return pictures, torch.randn(n, n_features, generator=rng), labels


def test_painter_and_step_fit_the_interfaces(small):
    assert isinstance(ThoughtVizPainter(settings=small, mixture="none"), Painter)
    assert isinstance(make(small), PainterStep)


@pytest.mark.parametrize("networks", ["image", "glyph"])
@pytest.mark.parametrize(("condition_on", "n_features"), [("features", 6), ("label", 3)])
def test_generator_is_fed_what_the_condition_is(small, networks, condition_on, n_features):
    step = make(replace(small, networks=networks), condition_on=condition_on)
    assert step.generator.n_features == n_features
    values = step(batch(n_features))
    assert all(value.isfinite() for value in values.values())
    pictures = step.sampler(torch.zeros(2, 5), torch.zeros(2, n_features))
    assert pictures.shape == (2, 1, 16, 16)


def test_glyphs_may_be_28_pixels_wide(small):
    step = make(replace(small, networks="glyph", image_size=28))
    assert step.sampler(torch.zeros(1, 5), torch.zeros(1, 6)).shape == (1, 1, 28, 28)


def test_classes_are_judged_by_a_head_of_the_discriminator_or_by_a_guide(small, guide):
    alone, headed = make(small), make(small, auxiliary=1.0)
    guided = make(small, guidance=1.0, guide=guide)
    assert alone.discriminator.class_head is None
    assert headed.discriminator.class_head.out_features == 3
    names = [set(step(batch(6))) & {"auxiliary", "guidance"} for step in (alone, headed, guided)]
    assert names == [set(), {"auxiliary"}, {"guidance"}]
    assert [
        ThoughtVizPainter(settings=small, mixture="z", guidance=weight).guided
        for weight in (0.0, 0.5)
    ] == [False, True]


def test_settings_reach_networks_and_step(small):
    settings = replace(
        small, generator_lr=1e-3, discriminator_lr=2e-3, beta1=0.1, beta2=0.2, dropout=0.25,
        rectified=False, inference_mode=True, separate_pass=False,
    )  # fmt: skip
    step = make(settings, fusion="multiply")
    discriminator, generator = (optimizer.param_groups[0] for optimizer in step.pair.optimizers)
    assert (discriminator["lr"], generator["lr"]) == (2e-3, 1e-3)
    assert discriminator["betas"] == generator["betas"] == (0.1, 0.2)
    assert step.inference_mode
    assert not step.separate_pass
    assert (step.generator.fusion, step.generator.rectified) == ("multiply", False)
    assert step.discriminator.dropout.p == 0.25
    assert step.pair.noise == "uniform"


def test_seed_decides_the_start_values(small):
    first, again = (make(small).generator.state_dict() for _ in range(2))
    painter = ThoughtVizPainter(settings=small, mixture="z")
    other = painter.make(color=1, n_classes=3, seed=1).generator.state_dict()
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["first.weight"], other["first.weight"])


def test_classifier_learns_and_its_head_decodes(small, easy_trials, quiet_watch):
    settings = replace(
        small, n_features=20, encoder_epochs=15, encoder_batch=30, encoder_lr=1e-2,
        norm_momentum=0.2,
    )  # fmt: skip
    plan = thoughtviz_parts.encoder_plan(settings)
    train, test = easy_trials.select(np.arange(90)), easy_trials.select(np.arange(90, 120))
    system = plan.train(train, train.labels, seed=0, stage="encoder", watch=quiet_watch.watch)
    features = system.features(test.epochs)
    assert features.shape == (30, 20)
    assert features.min() >= 0
    decoded = system.decoder.probabilities(features).argmax(1)
    assert (decoded == test.labels).mean() > 0.8
    assert system.encoder.norm.momentum == 0.2


def test_classifier_is_trained_by_gradient_descent_with_its_published_head(
    small, easy_trials, quiet_watch, monkeypatch
):
    steps = []
    monkeypatch.setattr(
        "phosphene.experiment.encoding.fit", lambda step, batches, **rest: steps.append(step)
    )
    plan = thoughtviz_parts.encoder_plan(replace(small, encoder_lr_decay=0.5))
    plan.train(easy_trials, easy_trials.labels, seed=0, stage="e", watch=quiet_watch.watch)
    (step,) = steps
    group = step.optimizer.param_groups[0]
    assert isinstance(step.optimizer, torch.optim.SGD)
    assert (group["momentum"], group["nesterov"]) == (0.9, True)
    assert step.schedule.lr_lambdas[0](2) == pytest.approx(1 / 2)
    assert [type(part) for part in step.head] == [nn.BatchNorm1d, nn.Linear]


def test_batches_that_devices_cannot_share_are_refused_before_training(small):
    painter = ThoughtVizPainter(settings=small, mixture="z")
    plan = thoughtviz_parts.make_plan(small, recipe="any_2020", citation="", painter=painter)
    assert plan.encoder.name == thoughtviz_parts.ENCODER
    plan.check(n_classes=10, n_devices=1)
    with pytest.raises(ValueError, match="--encoder-batch"):
        plan.check(n_classes=10, n_devices=7)
