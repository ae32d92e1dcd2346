from dataclasses import replace

import pytest

from phosphene.recipes.cnn_lstm_2018 import RECIPE
from phosphene.recipes.cnn_lstm_2018.config import SYSTEMS


def test_its_settings_are_those_of_the_paper():
    paper = RECIPE.config("paper")
    assert (paper.iterations, paper.batch) == (500_000, 100)
    assert (paper.division, paper.test_share) == ("share", 0.25)
    assert (paper.n_code, paper.n_layers, paper.dropout) == (100, 5, 0.25)
    assert (paper.loss, paper.optimizer) == ("rmse", "adam")
    assert paper.systems == SYSTEMS


def test_quick_trains_on_the_official_training_pictures_what_the_paper_trains():
    paper, quick = (RECIPE.config(name) for name in ("paper", "quick"))
    assert quick.division == "official"
    assert quick.systems == paper.systems
    same = ("n_layers", "dropout", "l2", "clip", "loss", "optimizer", "corruption", "batch")
    assert [getattr(quick, name) for name in same] == [getattr(paper, name) for name in same]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"systems": ("CNN-LSTM", "CNN-LSTM")}, "must differ, one at least; got CNN-LSTM, CNN"),
        ({"systems": ()}, "got none"),
        ({"hidden": 0}, "hidden"),
        ({"dropout": 1.0}, "dropout"),
        ({"l2": -1.0}, "l2"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(RECIPE.config("smoke"), **changes)
