import ast
import inspect
from dataclasses import asdict, fields, replace
from itertools import pairwise

import pytest

from phosphene.experiment.responses import settings
from phosphene.recipes.lfpgan_2020.config import quick as published_quick
from phosphene.recipes.phosphene_best_lfp import RECIPE, config
from phosphene.recipes.phosphene_best_lfp.config import Config


def test_presets_are_known_to_the_recipe():
    assert {name: make() for name, make in RECIPE.presets.items()} == {
        "full": config.full(),
        "quick": config.quick(),
        "smoke": config.smoke(),
    }


def test_quick_has_the_budget_and_the_measure_of_the_published_system():
    ours, published = config.quick(), published_quick()
    for name in (
        "generator_steps", "picture_size", "classifier_steps", "classifier_batch",
        "classifier_share", "n_scored", "test_share", "split_seed",
    ):  # fmt: skip
        assert getattr(ours, name) == getattr(published, name), name


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


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("ridge_folds", (1,)),
        ("n_patterns", (0,)),
        ("n_components", (0,)),
        ("n_flow", (0,)),
        ("width", (0,)),
        ("n_blocks", (0,)),
        ("n_ode_steps", (0,)),
        ("lr", (0.0, float("nan"))),
        ("weight_decay", (-1.0,)),
        ("condition_jitter", (-1.0, float("inf"))),
        ("dropout", (1.0, -0.1)),
        ("ema", (1.0,)),
        ("generator_steps", (0,)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            replace(config.quick(), **{name: value})


def test_refuses_unknown_features_and_a_flow_of_more_than_there_is():
    quick = config.quick()
    object.__setattr__(quick, "features", "gabors")
    with pytest.raises(ValueError, match="Did you mean 'gabor'"):
        quick.__post_init__()
    with pytest.raises(ValueError, match="the flow draws components"):
        replace(config.quick(), n_flow=300)


def test_every_number_is_checked():
    checked = {*config._LEAST, *settings._LEAST, "lr", "dropout", "ema"}
    checked |= {"test_share", "classifier_share"}
    numbers = {
        name
        for name, value in asdict(config.quick()).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers <= checked
