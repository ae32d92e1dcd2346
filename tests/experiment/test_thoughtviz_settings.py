from dataclasses import asdict, replace

import pytest

from phosphene.experiment import settings, thoughtviz_settings
from phosphene.experiment.thoughtviz_settings import (
    BaselineSettings,
    ThoughtVizSettings,
    quick_settings,
    smoke_settings,
)
from phosphene.recipes import get_recipe

BASELINES = ("acgan_2017", "deligan_2017")
FAMILY = (*BASELINES, "thoughtviz_2018")
ADAPTED = {
    *("encoder_batch", "encoder_epochs", "encoder_lr", "norm_momentum", "null_folds"),
    *("image_size", "generator_steps", "generator_batch", "generator_width"),
    *("discriminator_width", "generator_lr", "discriminator_lr", "judge_steps"),
    "separate_pass",
}


def changed(settings, other):
    first, second = asdict(settings), asdict(other)
    return {name for name, value in first.items() if value != second[name]}


def test_classifier_is_trained_as_released():
    plain = ThoughtVizSettings()
    assert (plain.encoder_lr, plain.encoder_momentum, plain.encoder_lr_decay) == (1e-4, 0.9, 1e-6)
    assert (plain.encoder_batch, plain.encoder_epochs, plain.n_features) == (128, 100, 100)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("n_features", (0,)),
        ("encoder_lr", (0.0, float("nan"))),
        ("encoder_momentum", (1.0, -0.1)),
        ("encoder_lr_decay", (-1e-6, float("inf"))),
        ("norm_momentum", (1.0,)),
        ("generator_width", (0,)),
        ("generator_lr", (-1e-3,)),
        ("discriminator_lr", (0.0,)),
        ("dropout", (1.0,)),
        ("beta1", (1.0,)),
        ("judge_share", (1.0,)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            ThoughtVizSettings(**{name: value})


def test_every_number_is_checked():
    checked = {
        *settings._LEAST,
        *thoughtviz_settings._LEAST,
        *thoughtviz_settings._RATES,
        *thoughtviz_settings._SHARES_BELOW_ONE,
        *("image_size", "class_pull", "judge_share"),
    }
    numbers = {
        name
        for name, value in asdict(ThoughtVizSettings(n_folds=2, decode_folds=1)).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers <= checked


def test_glyphs_have_the_published_size_and_objects_a_power_of_two():
    glyphs = replace(ThoughtVizSettings(), networks="glyph", image_size=28)
    for size in (16, 20, 32, 64):
        assert replace(glyphs, image_size=size).image_size == size
    for size in (12, 30, 0, -28):
        with pytest.raises(ValueError, match="multiple of 4 of at least 16 for glyphs; got"):
            replace(glyphs, image_size=size)
    with pytest.raises(ValueError, match="must be a power of two of at least 16; got 28"):
        replace(glyphs, networks="image")


def test_refuses_unknown_networks_where_nothing_checks_types():
    plain = ThoughtVizSettings()
    object.__setattr__(plain, "networks", "images")
    with pytest.raises(ValueError, match="Did you mean 'image'"):
        plain.__post_init__()


def test_baselines_refuse_wrong_values():
    with pytest.raises(ValueError, match=r"^`auxiliary` must be at least 0"):
        BaselineSettings(auxiliary=-1.0)
    plain = BaselineSettings()
    object.__setattr__(plain, "condition", "labels")
    with pytest.raises(ValueError, match="Did you mean 'label'"):
        plain.__post_init__()


def test_quick_and_smoke_shrink_and_keep_the_rest():
    published = replace(ThoughtVizSettings(), seed=3, beta1=0.25, rectified=False)
    quick = quick_settings(published)
    assert changed(quick, published) == ADAPTED
    smoke = smoke_settings(quick)
    assert (smoke.seed, smoke.beta1, smoke.rectified) == (3, 0.25, False)
    assert smoke.generator_steps < 10
    assert type(quick_settings(BaselineSettings())) is BaselineSettings


@pytest.mark.parametrize("key", FAMILY)
def test_presets_have_no_tricks_of_other_recipes(key):
    recipe = get_recipe(key)
    for chosen in map(recipe.config, recipe.presets):
        assert not chosen.clear_trials
        assert not chosen.standardize_features
        assert chosen.class_pull == 0


@pytest.mark.parametrize("key", FAMILY)
def test_quick_keeps_what_the_system_is(key):
    recipe = get_recipe(key)
    own = {"condition"} if key in BASELINES else set()
    assert changed(recipe.config("quick"), recipe.config("paper")) <= ADAPTED | own


@pytest.mark.parametrize("key", BASELINES)
def test_variants_of_quick_differ_in_the_condition_alone(key):
    quick = get_recipe(key).config("quick")
    assert quick.condition == "features"
    assert get_recipe(key).config("quick_labels") == replace(quick, condition="label")
