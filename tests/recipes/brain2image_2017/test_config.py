from dataclasses import asdict, replace

import pytest

from phosphene.experiment import settings
from phosphene.recipes.brain2image_2017 import config

PRESETS = (
    config.paper,
    config.paper_vae,
    config.quick,
    config.quick_vae,
    config.quick_transformer,
    config.interpolation,
    config.smoke,
)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_have_nothing_that_was_not_published(preset):
    found = preset()
    assert not found.clear_trials
    assert not found.standardize_features
    assert found.class_pull == 0
    assert (found.n_noise, found.n_features) == (100, 128) or preset is config.smoke


@pytest.mark.parametrize(
    ("preset", "changed"),
    [
        (config.quick_vae, {"generator", "generator_lr", "beta1"}),
        (config.quick_transformer, {"encoder"}),
        (config.interpolation, {"encoder", "second_generator"}),
    ],
)
def test_variants_differ_from_quick_in_what_they_are_named_after(preset, changed):
    quick, variant = asdict(config.quick()), asdict(preset())
    assert {name for name in quick if quick[name] != variant[name]} == changed


def test_gan_and_vae_of_the_paper_share_everything_but_their_training():
    gan, vae = asdict(config.paper()), asdict(config.paper_vae())
    changed = {name for name in gan if gan[name] != vae[name]}
    assert changed == {"generator", "generator_lr", "beta1"}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("encoder_lr", (0.0, float("nan"))),
        ("margin", (0.0,)),
        ("n_noise", (0,)),
        ("mismatch", (-1.0, float("inf"))),
        ("kl_weight", (-0.5,)),
        ("path_points", (10,)),
        ("compare_batch", (1,)),
        ("beta1", (1.0,)),
        ("beta2", (-0.5,)),
        ("image_size", (24,)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            replace(config.quick(), **{name: value})


@pytest.mark.parametrize(
    ("name", "wrong"), [("encoder", "lstms"), ("generator", "gans"), ("likelihood", "normal")]
)
def test_refuses_unknown_names_where_nothing_checks_types(name, wrong):
    quick = config.quick()
    object.__setattr__(quick, name, wrong)
    with pytest.raises(ValueError, match=f"^`{name}` must be one of"):
        quick.__post_init__()


def test_a_second_generator_needs_the_features_that_it_draws_from():
    with pytest.raises(ValueError, match="Leave one of them out"):
        replace(config.interpolation(), compare_triplets=False)


def test_every_number_is_checked():
    checked = {*config._LEAST, *config._RATES, *config._SHARES_BELOW_ONE, *settings._LEAST}
    numbers = {
        name
        for name, value in asdict(config.quick()).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers <= {*checked, "image_size", "class_pull", "judge_share"}
