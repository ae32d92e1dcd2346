"""ThoughtViz (Tirupattur et al., ACM Multimedia 2018): a classifier's EEG features, then a GAN.

The generator is trained on features of training trials; the released scripts take test trials.
"""

from pathlib import Path

from phosphene.recipe import Recipe
from phosphene.recipes.thoughtviz_2018 import config


def _train(settings, **context):
    from phosphene.recipes.thoughtviz_2018.run import train

    return train(settings, **context)


def _evaluate(run, progress):
    from phosphene.recipes.thoughtviz_2018.run import evaluate

    return evaluate(run, progress)


RECIPE = Recipe(
    key="thoughtviz_2018",
    title="ThoughtViz: visualizing human thoughts using generative adversarial network",
    task="signal to picture",
    paper="Tirupattur, Rawat, Spampinato, Shah, ACM Multimedia 2018",
    url="https://doi.org/10.1145/3240508.3240641",
    wants="EEG epochs with one class each, and pictures of the same classes",
    presets={
        "paper": config.paper,
        "paper_glyphs": config.paper_glyphs,
        "code": config.code,
        "quick": config.quick,
        "smoke": config.smoke,
    },
    published={"IS, objects": 5.43},
    train=_train,
    evaluate=_evaluate,
    several_devices=True,
    module_folder=Path(__file__).parent,
)
