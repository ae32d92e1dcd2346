"""Human Mind (Spampinato et al., CVPR 2017): the class of a picture, read from EEG."""

from pathlib import Path

from phosphene.recipe import Recipe
from phosphene.recipes.human_mind_2017 import config


def _train(settings, **context):
    from phosphene.recipes.human_mind_2017.run import train

    return train(settings, **context)


def _evaluate(run, progress):
    from phosphene.recipes.human_mind_2017.run import evaluate

    return evaluate(run, progress)


RECIPE = Recipe(
    key="human_mind_2017",
    title="Deep learning human mind for automated visual classification",
    task="signal to class",
    paper="Spampinato, Palazzo, Kavasidis, Giordano, Souly, Shah, CVPR 2017",
    url="https://arxiv.org/abs/1609.00344",
    wants="EEG epochs with one class each; no pictures",
    presets={"paper": config.paper, "quick": config.quick, "smoke": config.smoke},
    published={
        "accuracy, 40 classes, unfiltered, block design": 0.83,
        "chance, 40 classes": 0.025,
    },
    train=_train,
    evaluate=_evaluate,
    module_folder=Path(__file__).parent,
)
