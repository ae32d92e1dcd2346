"""CNN-LSTM with direct attention (Haque et al., 2018): corrupted pictures redrawn row by row."""

from functools import partial
from pathlib import Path

from phosphene.experiment.restoration.planned import evaluate, train
from phosphene.recipe import Recipe
from phosphene.recipes.cnn_lstm_2018 import config


def _make_plan(settings):
    from phosphene.recipes.cnn_lstm_2018.run import make_plan

    return make_plan(settings)


RECIPE = Recipe(
    key="cnn_lstm_2018",
    title="CNN-LSTM: corrupted pictures redrawn row by row",
    task="picture to picture",
    paper="Haque, Yousuf and Rana, 2018",
    url="https://arxiv.org/abs/1801.05141",
    wants="pictures: a folder of PNG, JPEG, IDX or CIFAR files, or a data set with pictures",
    presets={"paper": config.paper, "quick": config.quick, "smoke": config.smoke},
    published={"time of CNN-CNN, s": 15592, "time of CNN-LSTM, s": 25104},
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, settings_class=config.Config),
    suggested=True,
    module_folder=Path(__file__).parent,
)
