"""The project's own system: an ensemble of decoders, then a guided GAN."""

from functools import partial
from pathlib import Path

from phosphene.experiment.planned_course import evaluate, planned, train
from phosphene.recipe import Recipe
from phosphene.recipes.phosphene_best import config


def _make_plan(settings):
    from phosphene.recipes.phosphene_best.run import make_plan

    return make_plan(settings)


ABLATIONS = {
    "transposed generator": {"generator": "transposed", "generator_width": 24},
    "EEG2Image's discriminator": {"discriminator": "dcgan", "discriminator_width": 24},
    "no guidance": {"guidance": 0.0},
    "half the guidance": {"guidance": 1.0},
    "no DiffAugment": {"augment": ()},
    "no cutout": {"augment": ("translation",)},
    "colour too": {"augment": ("color", "translation", "cutout")},
    "no R1": {"r1": 0.0},
    "no mode seeking": {"mode_seeking": 0.0},
    "last weights": {"ema": 0.0},
    "all trials": {"clear_trials": False},
    "no class pull": {"class_pull": 0.0},
    "features as they are": {"standardize_features": False},
    "no feature jitter": {"feature_jitter": 0.0},
}
"""Of the pictures alone; `benchmarks/best_decoder.py` scores the parts of the ensemble. Networks of
EEG2Image get the width that its own `quick` has."""
SHARED_STAGES = (
    *("encoder", "decoding.npz", "judge", "domain"),
    *("null_probabilities", "null.npz", "linear_null.npz"),
)
"""What none of the ablations bears on; the guide is trained under the `augment` of each."""

RECIPE = Recipe(
    key="phosphene_best",
    title="Our own best: ensemble decoding and guided pictures",
    task="signal to picture",
    paper="none: published parts, put together and measured here",
    url="",
    wants="EEG epochs with one class each, and pictures of the same classes",
    presets={"full": config.full, "quick": config.quick, "smoke": config.smoke},
    published={},
    train=partial(train, make_plan=_make_plan),
    evaluate=partial(evaluate, make_plan=_make_plan, settings_class=config.Config),
    plan=partial(planned, make_plan=_make_plan, settings_class=config.Config),
    several_devices=True,
    ablations=ABLATIONS,
    shared_stages=SHARED_STAGES,
    module_folder=Path(__file__).parent,
)
