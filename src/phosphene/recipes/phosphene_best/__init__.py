"""The project's own system: an ensemble of decoders, then a guided GAN."""

from pathlib import Path

from phosphene.recipe import Recipe
from phosphene.recipes.phosphene_best import config


def _train(settings, **context):
    from phosphene.recipes.phosphene_best.run import train

    return train(settings, **context)


def _evaluate(run, progress):
    from phosphene.recipes.phosphene_best.run import evaluate

    return evaluate(run, progress)


RECIPE = Recipe(
    key="phosphene_best",
    title="Our own best: ensemble decoding and guided pictures",
    task="signal to picture",
    paper="none: published parts, put together and measured here",
    url="https://arxiv.org/abs/2302.10121",
    wants="EEG epochs with one class each, and pictures of the same classes",
    presets={"full": config.full, "quick": config.quick, "smoke": config.smoke},
    published={},
    train=_train,
    evaluate=_evaluate,
    several_devices=True,
    module_folder=Path(__file__).parent,
)
