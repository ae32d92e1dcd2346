from dataclasses import asdict, replace

import pytest

from phosphene.experiment import settings
from phosphene.recipes.phosphene_best import config


def test_quick_has_the_budget_that_all_recipes_share():
    quick = config.quick()
    assert (quick.image_size, quick.generator_steps, quick.generator_batch) == (32, 5000, 32)
    assert (quick.judge_steps, quick.picture_folds, quick.null_folds) == (600, 1, 2)
    assert (quick.split_unit, quick.n_folds, quick.decode_folds) == ("recording", None, None)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("n_networks", (-1,)),
        ("network_features", (0,)),
        ("encoder_lr", (0.0, float("nan"))),
        ("generator_width", (0,)),
        ("mode_seeking_every", (0,)),
        ("guidance", (-1.0, float("inf"))),
        ("channel_dropout", (1.0,)),
        ("dropout", (1.0, -0.1)),
        ("ema", (1.0,)),
        ("class_pull", (1.5,)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            replace(config.quick(), **{name: value})


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_refuses_unknown_networks(name):
    quick = config.quick()
    object.__setattr__(quick, name, "resnet")
    with pytest.raises(ValueError, match=f"^`{name}` must be one of"):
        quick.__post_init__()


def test_refuses_an_unknown_augmentation():
    quick = config.quick()
    object.__setattr__(quick, "augment", ("color", "cutuot"))
    with pytest.raises(ValueError, match="Did you mean 'cutout'"):
        quick.__post_init__()


def test_every_number_is_checked():
    checked = {*config._LEAST, *config._RATES, *config._SHARES_BELOW_ONE, *settings._LEAST}
    numbers = {
        name
        for name, value in asdict(config.quick()).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers <= {*checked, "image_size", "class_pull", "judge_share"}
