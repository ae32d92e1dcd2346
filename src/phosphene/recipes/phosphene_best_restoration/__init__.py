"""The project's own system that restores pictures: the whole picture at once, and each place."""

from functools import partial
from pathlib import Path

from phosphene.experiment.restoration.planned import evaluate, train
from phosphene.recipe import Recipe
from phosphene.recipes.phosphene_best_restoration import config


def _make_plan(settings):
    from phosphene.recipes.phosphene_best_restoration.run import make_plan

    return make_plan(settings)


ABLATIONS = {
    "no global context": {"hidden": 0},
    "no skips": {"skips": False},
    "no residual dense layers": {"n_blocks": 0},
    "no residual convolutions": {"n_convolutions": 0},
    "no dropout": {"dropout": 0.0},
    "root of the error": {"loss": "rmse"},
    "constant rate": {"schedule": "constant"},
    "last weights": {"ema": 0.0},
}
"""Of the network and its training."""
SHARED_STAGES = ("classifier", "classified.npz")
"""What none of the ablations bears on."""

RECIPE = Recipe(
    key="phosphene_best_restoration",
    title="Our own best: corrupted pictures restored from a view of the whole",
    task="picture to picture",
    paper="none: published parts, put together and measured here",
    url="https://arxiv.org/abs/1512.03385",
    wants="pictures: a folder of PNG, JPEG, IDX or CIFAR files, or a data set with pictures",
    presets={"full": config.full, "quick": config.quick, "smoke": config.smoke},
    published={},
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, settings_class=config.Config),
    ablations=ABLATIONS,
    shared_stages=SHARED_STAGES,
    module_folder=Path(__file__).parent,
)
