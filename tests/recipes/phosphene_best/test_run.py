from dataclasses import replace

import pytest
import torch

from phosphene.models.classifiers.picture_cnn import PictureCNN
from phosphene.recipes.phosphene_best import config, run
from phosphene.training.classifier_step import ClassifierStep


@pytest.fixture
def settings():
    return replace(config.smoke(), guidance=0.0)


def test_generator_takes_its_sizes_from_the_settings(settings):
    chosen = replace(settings, n_noise=5, image_size=32)
    gan = run.BestPainter(chosen).make(color=3, n_classes=4, seed=0)
    n_features = 2 * 4 + 2 * 4
    assert gan.generator(torch.zeros(2, 5), torch.zeros(2, n_features)).shape == (2, 3, 32, 32)


@pytest.mark.parametrize(
    ("generator", "discriminator", "names"),
    [
        ("upsampling", "projection", ("UpsamplingGenerator", "ProjectionDiscriminator")),
        ("transposed", "dcgan", ("DCGANGenerator", "DCGANDiscriminator")),
    ],
)
def test_networks_follow_the_settings(settings, generator, discriminator, names):
    chosen = replace(settings, generator=generator, discriminator=discriminator)
    gan = run.BestPainter(chosen).make(color=1, n_classes=4, seed=0)
    assert (type(gan.generator).__name__, type(gan.discriminator).__name__) == names
    gan((torch.rand(8, 1, 16, 16) * 2 - 1, torch.randn(8, 16), torch.arange(8) // 2))


def test_same_seed_builds_the_same_networks(settings):
    first, again = (run.BestPainter(settings).make(color=1, n_classes=4, seed=s) for s in (0, 0))
    for name in ("generator", "discriminator"):
        for key, value in getattr(first, name).state_dict().items():
            assert torch.equal(value, getattr(again, name).state_dict()[key])


def test_every_setting_of_the_ensemble_comes_from_the_config(settings):
    changed = replace(
        settings, n_networks=3, network_features=5, tangent_space=False, discriminant=False,
        thinned=False, equal_votes=False, encoder_steps=7, encoder_epochs=3, encoder_batch=8,
        encoder_lr=1e-4, encoder_weight_decay=0.5, signal_mixup=0.7, signal_shift=0.01,
        signal_scale=0.2, channel_dropout=0.3, dropout=0.4,
    )  # fmt: skip
    before, after = (vars(run.ensemble_settings(each)) for each in (settings, changed))
    assert [name for name in before if before[name] == after[name]] == []


def test_an_ensemble_without_members_is_refused_before_anything_is_trained(settings):
    none = replace(settings, n_networks=0, tangent_space=False, discriminant=False)
    with pytest.raises(ValueError, match="must have a member"):
        run.make_plan(none).check(n_classes=4, n_devices=1)


def test_batches_that_devices_cannot_share_are_refused(settings):
    plan = run.make_plan(replace(settings, encoder_batch=20, generator_batch=15))
    with pytest.raises(ValueError, match="--generator-batch"):
        plan.check(n_classes=5, n_devices=2)


@pytest.mark.parametrize(
    ("n_pictures", "share"), [(None, 1.0), (4, 1.0), (1000, 4 / 9), (10_000, 0.0)]
)
def test_slope_and_guide_weigh_more_where_pictures_are_seen_more_often(settings, n_pictures, share):
    several = replace(
        settings, r1=3.0, guidance=2.0, generator_steps=50_000, generator_batch=10
    )  # fmt: skip
    guide = ClassifierStep(PictureCNN(4, size=16, color=1, width=4), rng=torch.Generator())
    step = run.BestPainter(several).make(
        color=1, n_classes=4, n_pictures=n_pictures, seed=0, guide=guide
    )
    assert step.r1 == pytest.approx(3.0 * share)
    assert step.guidance == pytest.approx(2.0 * (1 + share))
