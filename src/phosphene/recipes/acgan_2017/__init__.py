"""AC-GAN (Odena et al., ICML 2017) as ThoughtViz's baseline: labels or EEG features join the noise.

The generator is trained on features of training trials; the released scripts take test trials.
"""

from functools import partial
from pathlib import Path

from phosphene.experiment.planned_course import evaluate, planned, train
from phosphene.recipe import Recipe
from phosphene.recipes.acgan_2017 import config


def _make_plan(settings):
    from phosphene.recipes.acgan_2017.run import make_plan

    return make_plan(settings)


RECIPE = Recipe(
    key="acgan_2017",
    title="AC-GAN: image synthesis with auxiliary classifiers, as a baseline of ThoughtViz",
    task="signal to picture",
    paper="Odena, Olah, Shlens, ICML 2017; baseline of Tirupattur et al., 2018",
    url="https://arxiv.org/abs/1610.09585",
    wants="EEG epochs with one class each, and pictures of the same classes",
    presets={
        "paper": config.paper,
        "paper_glyphs": config.paper_glyphs,
        "code": config.code,
        "quick": config.quick,
        "quick_labels": config.quick_labels,
        "smoke": config.smoke,
    },
    published={"IS, objects": 4.93},
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, make_plan=_make_plan, settings_class=config.Config),
    plan=partial(planned, make_plan=_make_plan, settings_class=config.Config),
    several_devices=True,
    module_folder=Path(__file__).parent,
)
