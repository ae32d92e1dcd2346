"""EEG2Image (Singh et al., ICASSP 2023): triplet features of EEG, then a data-efficient GAN."""

from functools import partial
from pathlib import Path

from phosphene.experiment.planned_course import evaluate, planned, train
from phosphene.recipe import Recipe
from phosphene.recipes.eeg2image_2023 import config


def _make_plan(settings):
    from phosphene.recipes.eeg2image_2023.run import make_plan

    return make_plan(settings)


RECIPE = Recipe(
    key="eeg2image_2023",
    title="EEG2Image: image reconstruction from EEG brain signals",
    task="signal to picture",
    paper="Singh, Pandey, Miyapuram, Raman, ICASSP 2023",
    url="https://arxiv.org/abs/2302.10121",
    wants="EEG epochs with one class each, and pictures of the same classes",
    presets={
        "paper": config.paper,
        "code": config.code,
        "executed": config.executed,
        "quick": config.quick,
        "quick_published": config.quick_published,
        "demo": config.demo,
        "smoke": config.smoke,
    },
    published={
        "IS, objects": 6.78,
        "k-means accuracy, objects": 0.53,
        "k-means accuracy, characters": 0.49,
    },
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, make_plan=_make_plan, settings_class=config.Config),
    plan=partial(planned, make_plan=_make_plan, settings_class=config.Config),
    ablations={
        "neither": {"augment": (), "mode_seeking": 0.0},
        "mode seeking": {"augment": ()},
        "DiffAugment": {"mode_seeking": 0.0},
        "both": {},
    },
    shared_stages=(
        "encoder",
        "compared_encoder",
        "decoding.npz",
        "null_probabilities",
        "null_compare_probe_probabilities",
        "linear_null.npz",
        "null.npz",
        "judge",
        "domain",
        "compare_map.npz",
    ),
    suggested=True,
    several_devices=True,
    module_folder=Path(__file__).parent,
)
