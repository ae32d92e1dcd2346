from dataclasses import replace

from phosphene.experiment.plan import Painter, PainterStep, TrainEncoder
from phosphene.recipes.eeg2image_2023.run import make_plan
from phosphene.training.devices import ALONE


def test_what_a_recipe_brings_fits_the_interfaces(smoke):
    plan = make_plan(replace(smoke, guidance=0.0))
    assert isinstance(plan.painter, Painter)
    assert isinstance(plan.encoder.train, TrainEncoder)
    step = plan.painter.make(color=1, n_classes=4, seed=0, guide=None, devices=ALONE)
    assert isinstance(step, PainterStep)


def test_what_lacks_a_part_does_not():
    assert not isinstance(object(), Painter)
    assert not isinstance(object(), PainterStep)
