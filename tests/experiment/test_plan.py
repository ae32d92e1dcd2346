from phosphene.experiment.plan import Painter, PainterStep, TrainEncoder
from phosphene.recipes.eeg2image_2023.run import make_plan


def test_what_a_recipe_brings_fits_the_interfaces(smoke):
    plan = make_plan(smoke)
    assert isinstance(plan.painter, Painter)
    assert isinstance(plan.encoder.train, TrainEncoder)
    step = plan.painter.make(color=1, n_classes=4, seed=0, guide=_Guide())
    assert isinstance(step, PainterStep)


def test_what_lacks_a_part_does_not():
    assert not isinstance(object(), Painter)
    assert not isinstance(object(), PainterStep)


class _Guide:
    """Stands for a trained picture classifier."""

    def __init__(self):
        import torch

        self.network = torch.nn.Identity()
