from dataclasses import asdict, replace

import pytest

from phosphene.recipes.human_mind_2017 import config


def test_paper_has_the_settings_of_the_released_code():
    paper = config.paper()
    assert (paper.encoder, paper.n_features, paper.dropout) == ("lstm", None, 0.2)
    assert (paper.lr, paper.batch, paper.epochs) == (1e-3, 16, 200)
    assert paper.validate
    assert (paper.balanced, paper.one_cycle, paper.weight_decay) == (False, False, 0)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("n_folds", (1, 0)),
        ("decode_folds", (0,)),
        ("null_folds", (-1,)),
        ("n_features", (0,)),
        ("epochs", (0,)),
        ("batch", (1,)),
        ("lr", (0.0, float("nan"))),
        ("weight_decay", (-1.0, float("inf"))),
        ("dropout", (1.0, -0.1)),
        ("seed", (-1,)),
        ("allow_leak", (" ",)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            replace(config.quick(), **{name: value})


@pytest.mark.parametrize(("name", "wrong"), [("encoder", "lstn"), ("split_unit", "trials")])
def test_refuses_unknown_names_where_nothing_checks_types(name, wrong):
    settings = config.quick()
    object.__setattr__(settings, name, wrong)
    with pytest.raises(ValueError, match=f"^`{name}` must be one of"):
        settings.__post_init__()


def test_every_number_is_checked():
    checked = {*config._LEAST, "lr", "dropout"}
    numbers = {
        name
        for name, value in asdict(replace(config.quick(), n_features=3)).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers <= checked
