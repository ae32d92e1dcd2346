from dataclasses import replace

import pytest

from phosphene.recipes.lfpgan_2020 import RECIPE
from phosphene.recipes.lfpgan_2020.config import SYSTEMS


def test_the_thesis_takes_everything_and_we_leave_test_pictures_out():
    paper, clean = (RECIPE.config(name) for name in ("paper", "clean"))
    assert paper == replace(clean, autoencoder_data="all")
    assert clean.autoencoder_data == "training"
    quick, quick_all = (RECIPE.config(name) for name in ("quick", "quick_all"))
    assert quick_all == replace(quick, autoencoder_data="all", systems=("pre-trained GAN",))


def test_its_settings_are_those_of_the_thesis():
    paper = RECIPE.config("paper")
    assert (paper.lr, paper.beta1, paper.beta2) == (1e-3, 0.0, 0.999)
    assert paper.picture_size == (918, 1174)
    assert paper.systems == SYSTEMS
    assert (paper.penalty, paper.distance_weighted) == ("gradient", True)
    assert paper.steps_without_pictures * paper.generator_batch == pytest.approx(
        4000 * 4700, rel=1e-3
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"systems": ("GAN", "GAN")}, "must differ; got GAN, GAN"),
        ({"n_critic": 0}, "n_critic"),
        ({"lr": 0.0}, "lr"),
        ({"dropout": 1.0}, "dropout"),
        ({"steps_without_pictures": 0}, "steps_without_pictures"),
    ],
)
def test_settings_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(RECIPE.config("smoke"), **changes)
