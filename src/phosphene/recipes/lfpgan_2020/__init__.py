"""LFPGAN (Asprusten, master's thesis, Oslo 2020): LFP of mouse visual cortex from pictures."""

from functools import partial
from pathlib import Path

from phosphene.experiment.responses.planned import evaluate, train
from phosphene.recipe import Recipe
from phosphene.recipes.lfpgan_2020 import config


def _make_plan(settings):
    from phosphene.recipes.lfpgan_2020.run import make_plan

    return make_plan(settings)


RECIPE = Recipe(
    key="lfpgan_2020",
    title="LFPGAN: local field potentials from pictures by a GAN pre-trained with autoencoders",
    task="picture to signal",
    paper="Asprusten, master's thesis, University of Oslo, 2020",
    url="https://github.com/maraspr/LFPGAN",
    wants="a probe recording with showings of pictures, and the pictures",
    presets={
        "paper": config.paper,
        "clean": config.clean,
        "quick": config.quick,
        "quick_all": config.quick_all,
        "smoke": config.smoke,
    },
    published={},
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, settings_class=config.Config),
    suggested=True,
    module_folder=Path(__file__).parent,
)
