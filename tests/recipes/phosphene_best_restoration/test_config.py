import ast
import inspect
from dataclasses import fields, replace
from itertools import pairwise

import pytest

from phosphene.experiment.restoration import settings
from phosphene.recipes.cnn_lstm_2018.config import quick as published_quick
from phosphene.recipes.phosphene_best_restoration import RECIPE, config
from phosphene.recipes.phosphene_best_restoration.config import Config


def test_presets_are_known_to_the_recipe():
    assert {name: make() for name, make in RECIPE.presets.items()} == {
        "full": config.full(),
        "quick": config.quick(),
        "smoke": config.smoke(),
    }


def test_quick_has_the_pictures_the_measures_and_the_trials_of_the_published_system():
    ours, published = config.quick(), published_quick()
    for name in (
        "division", "image_size", "corruption", "batch", "tuning_rates", "tuning_steps",
        "tuning_runs", "n_validation", "classifier_steps", "n_scored", "n_denoised", "split_seed",
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
        ("hidden", (-1,)),
        ("n_blocks", (-1,)),
        ("n_context", (0,)),
        ("width", (0,)),
        ("n_convolutions", (-1,)),
        ("dropout", (1.0, -0.1)),
        ("clip", (-1.0,)),
        ("iterations", (0,)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            replace(config.quick(), **{name: value})


def test_refuses_unknown_words_and_a_network_that_reads_nothing():
    for name, wrong in (("loss", "msa"), ("schedule", "cosin")):
        quick = config.quick()
        object.__setattr__(quick, name, wrong)
        with pytest.raises(ValueError, match="Did you mean"):
            quick.__post_init__()
    with pytest.raises(ValueError, match="must read the picture"):
        replace(config.quick(), hidden=0, skips=False)
