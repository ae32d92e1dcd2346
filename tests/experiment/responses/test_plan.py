from dataclasses import replace

from phosphene.experiment.responses.plan import GeneratorStep, Pretrained
from phosphene.recipes.lfpgan_2020.config import smoke
from phosphene.recipes.lfpgan_2020.run import make_plan


def test_the_last_system_with_pictures_is_given_away():
    plan = make_plan(replace(smoke(), systems=("GAN", "GAN without pictures")))
    assert plan.main.name == "GAN"
    alone = make_plan(replace(smoke(), systems=("GAN without pictures",)))
    assert alone.main is alone.systems[0]
    assert make_plan(replace(smoke(), systems=())).main is None


def test_train_steps_are_generator_steps(session, quick_settings):
    plan = make_plan(quick_settings)
    assert isinstance(plan.systems[0].make(session, Pretrained(), 0), GeneratorStep)
