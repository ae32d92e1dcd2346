"""The project's own system from pictures to LFP: a predicted response, and a flow around it."""

from functools import partial
from pathlib import Path

from phosphene.experiment.responses.planned import evaluate, train
from phosphene.recipe import Recipe
from phosphene.recipes.phosphene_best_lfp import config


def _make_plan(settings):
    from phosphene.recipes.phosphene_best_lfp.run import make_plan

    return make_plan(settings)


ABLATIONS = {
    "no pictures": {"features": "none"},
    "pixels": {"features": "pixels"},
    "no predicted mean": {"predicted_mean": False},
    "no flow": {"flow": False},
    "no remainder": {"remainder": False},
    "z-scored windows": {"equal_noise": False},
    "no condition jitter": {"condition_jitter": 0.0},
    "last weights": {"ema": 0.0},
}
"""Of the generator alone."""
SHARED_STAGES = ("classifier", "classifier.npz", "classified")
"""What none of the ablations bears on."""

RECIPE = Recipe(
    key="phosphene_best_lfp",
    title="Our own best: LFP from picture features by a flow",
    task="picture to signal",
    paper="none: published parts, put together and measured here",
    url="https://arxiv.org/abs/2210.02747",
    wants="a probe recording with showings of pictures, and the pictures",
    presets={"full": config.full, "quick": config.quick, "smoke": config.smoke},
    published={},
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, settings_class=config.Config),
    ablations=ABLATIONS,
    shared_stages=SHARED_STAGES,
    module_folder=Path(__file__).parent,
)
