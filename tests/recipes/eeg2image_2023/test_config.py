import ast
import inspect
from dataclasses import asdict, fields, replace
from itertools import pairwise

import pytest

from phosphene.experiment import settings
from phosphene.recipes.eeg2image_2023 import RECIPE, config
from phosphene.recipes.eeg2image_2023.config import Config


def test_paper_has_the_published_settings():
    paper = config.paper()
    assert (paper.encoder, paper.n_features, paper.objective) == ("lstm_one_layer", 128, "triplet")
    assert (paper.image_size, paper.n_noise, paper.noise) == (128, 128, "normal")
    assert (paper.encoder_lr, paper.encoder_batch, paper.encoder_epochs) == (3e-4, 256, 3000)
    assert (paper.generator_lr, paper.beta1, paper.beta2) == (3e-4, 0.2, 0.5)
    assert paper.augment == ("color", "translation")
    assert paper.generator_steps == round(299 * 355, -3)


def test_paper_has_nothing_that_is_ours_switched_on():
    paper = config.paper()
    assert paper.compare_encoder is None
    assert not paper.standardize_features
    ours = (
        *("ema", "feature_jitter", "signal_mixup", "signal_shift", "guidance", "class_pull"),
        *("clear_trials", "generator_cosine", "he_init", "encoder_one_cycle"),
    )
    assert [name for name in ours if getattr(paper, name)] == []
    assert paper.discriminator_batch_norm


def test_presets_are_known_to_the_recipe():
    assert {name: make() for name, make in RECIPE.presets.items()} == {
        "paper": config.paper(),
        "quick": config.quick(),
        "demo": config.demo(),
        "smoke": config.smoke(),
    }


@pytest.mark.parametrize("name", ["quick", "demo", "smoke"])
def test_smaller_presets_report_the_published_encoder_or_say_so(name):
    chosen = RECIPE.config(name)
    assert chosen.compare_encoder in (None, "lstm_two_layer")
    assert chosen.image_size <= 32


def test_quick_leaves_every_recording_out():
    quick = config.quick()
    assert (quick.split_unit, quick.n_folds, quick.decode_folds) == ("recording", None, None)


def test_every_field_says_where_its_value_comes_from():
    documented = set()
    for source in (config, settings):
        body = next(
            n for n in ast.parse(inspect.getsource(source)).body if isinstance(n, ast.ClassDef)
        ).body
        documented |= {
            ast.unparse(field.target)
            for field, text in pairwise(body)
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
        }
    assert documented == {field.name for field in fields(Config)}


def test_settings_are_plain_values():
    plain = (str, int, float, bool, type(None), tuple)
    assert all(isinstance(value, plain) for value in asdict(Config()).values())


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("image_size", (8, 24, 0, -32)),
        ("n_folds", (1, 0)),
        ("decode_folds", (0,)),
        ("picture_folds", (-1,)),
        ("null_folds", (-1,)),
        ("n_features", (0,)),
        ("generator_steps", (0, -5)),
        ("generator_batch", (1,)),
        ("mode_seeking_every", (0,)),
        ("n_scored", (1, 0)),
        ("encoder_lr", (0.0, float("nan"))),
        ("margin", (0.0,)),
        ("guidance", (-1.0, float("inf"))),
        ("dropout", (1.0, -0.1)),
        ("beta1", (1.0,)),
        ("beta2", (-0.5,)),
        ("ema", (1.0,)),
        ("class_pull", (1.5, -0.5)),
        ("judge_share", (1.0,)),
        ("seed", (-1,)),
        ("allow_leak", (" ",)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            replace(config.quick(), **{name: value})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("encoder", "lstm"), ("compare_encoder", "lstm"), ("split_unit", "trials"), ("noise", "t")],
)
def test_refuses_unknown_names_where_nothing_checks_types(name, wrong):
    quick = config.quick()
    object.__setattr__(quick, name, wrong)
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


def test_the_compared_encoder_is_never_called_what_the_main_one_is():
    quick = config.quick()
    assert config.compared_name(quick) == "lstm_two_layer"
    assert config.compared_name(replace(quick, compare_encoder=None)) == ""
    same = replace(quick, encoder="lstm_two_layer")
    assert config.compared_name(same) == "compared lstm_two_layer"


def test_the_ends_of_a_range_are_allowed():
    replace(config.quick(), class_pull=1.0, dropout=0.0, beta1=0.0, null_folds=0, n_folds=None)
