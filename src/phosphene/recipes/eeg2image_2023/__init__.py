"""EEG2Image (Singh et al., ICASSP 2023): triplet features of EEG, then a data-efficient GAN."""

from pathlib import Path

from phosphene.recipe import Recipe
from phosphene.recipes.eeg2image_2023 import config


def _train(settings, **context):
    from phosphene.recipes.eeg2image_2023.run import train

    return train(settings, **context)


def _evaluate(run, progress):
    from phosphene.recipes.eeg2image_2023.run import evaluate

    return evaluate(run, progress)


RECIPE = Recipe(
    key="eeg2image_2023",
    title="EEG2Image: image reconstruction from EEG brain signals",
    task="signal to picture",
    paper="Singh, Pandey, Miyapuram, Raman, ICASSP 2023",
    url="https://arxiv.org/abs/2302.10121",
    wants="EEG epochs with one class each, and pictures of the same classes",
    presets={
        "paper": config.paper,
        "quick": config.quick,
        "demo": config.demo,
        "smoke": config.smoke,
    },
    published={
        "IS, objects": 6.78,
        "k-means accuracy, objects": 0.53,
        "k-means accuracy, characters": 0.49,
    },
    train=_train,
    evaluate=_evaluate,
    several_devices=True,
    module_folder=Path(__file__).parent,
)
