"""Brain2Image (Kavasidis et al., ACM MM 2017): a class-trained LSTM, then a GAN or a VAE."""

from functools import partial
from pathlib import Path

from phosphene.experiment.planned_course import evaluate, planned, train
from phosphene.recipe import Recipe
from phosphene.recipes.brain2image_2017 import config


def _make_plan(settings):
    from phosphene.recipes.brain2image_2017.run import make_plan

    return make_plan(settings)


RECIPE = Recipe(
    key="brain2image_2017",
    title="Brain2Image: converting brain signals into images",
    task="signal to picture",
    paper="Kavasidis, Palazzo, Spampinato, Giordano, Shah, ACM Multimedia 2017",
    url="https://doi.org/10.1145/3123266.3127907",
    wants="EEG epochs with one class each, and pictures of the same classes",
    presets={
        "paper": config.paper,
        "paper_vae": config.paper_vae,
        "quick": config.quick,
        "quick_vae": config.quick_vae,
        "quick_transformer": config.quick_transformer,
        "interpolation": config.interpolation,
        "smoke": config.smoke,
    },
    published={"IS, GAN, 40 classes, block design": 5.07, "chance, 40 classes": 0.025},
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, make_plan=_make_plan, settings_class=config.Config),
    plan=partial(planned, make_plan=_make_plan, settings_class=config.Config),
    several_devices=True,
    module_folder=Path(__file__).parent,
)
