"""ThoughtViz (Tirupattur et al., ACM Multimedia 2018): a classifier's EEG features, then a GAN.

The generator is trained on features of training trials; the released scripts take test trials.
"""

from functools import partial
from pathlib import Path

from phosphene.experiment.planned_course import evaluate, planned, train
from phosphene.recipe import Recipe
from phosphene.recipes.thoughtviz_2018 import config


def _make_plan(settings):
    from phosphene.recipes.thoughtviz_2018.run import make_plan

    return make_plan(settings)


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
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, make_plan=_make_plan, settings_class=config.Config),
    plan=partial(planned, make_plan=_make_plan, settings_class=config.Config),
    several_devices=True,
    module_folder=Path(__file__).parent,
)
