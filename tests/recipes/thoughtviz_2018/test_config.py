from dataclasses import replace

import pytest

from phosphene.recipes.thoughtviz_2018 import RECIPE, config


def test_paper_has_the_released_settings_of_objects():
    paper = config.paper()
    assert (paper.networks, paper.image_size, paper.n_noise) == ("image", 64, 100)
    assert (paper.generator_width, paper.discriminator_width, paper.dropout) == (64, 16, 0.5)
    assert (paper.discriminator_lr, paper.generator_lr, paper.beta1) == (5e-5, 3e-5, 0.5)
    assert (paper.generator_batch, paper.guidance) == (100, 1)
    assert paper.rectified


def test_glyphs_have_settings_of_their_own():
    glyphs = config.paper_glyphs()
    assert (glyphs.networks, glyphs.image_size) == ("glyph", 28)
    assert (glyphs.generator_width, glyphs.discriminator_width) == (64, 64)
    assert (glyphs.discriminator_lr, glyphs.generator_lr) == (5e-5, 5e-5)


def test_code_differs_from_paper_in_the_mode_of_its_networks_alone():
    assert config.code() == replace(config.paper(), inference_mode=True)
    assert not config.paper().inference_mode


@pytest.mark.parametrize("name", [name for name in RECIPE.presets if name != "smoke"])
def test_guidance_belongs_to_every_preset(name):
    assert RECIPE.config(name).guidance == 1


def test_refuses_a_negative_weight():
    with pytest.raises(ValueError, match=r"^`guidance` must be at least 0"):
        replace(config.quick(), guidance=-1.0)
