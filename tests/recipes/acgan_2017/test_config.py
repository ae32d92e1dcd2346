from phosphene.recipes.acgan_2017 import config


def test_paper_has_the_released_settings_of_objects():
    paper = config.paper()
    assert (paper.networks, paper.image_size, paper.condition) == ("image", 64, "label")
    assert (paper.discriminator_lr, paper.generator_lr, paper.beta1) == (1e-3, 1e-3, 0.5)
    assert (paper.generator_batch, paper.auxiliary) == (32, 1)
    assert paper.rectified
    assert paper.separate_pass


def test_glyphs_have_settings_of_their_own():
    glyphs = config.paper_glyphs()
    assert (glyphs.networks, glyphs.image_size, glyphs.condition) == ("glyph", 28, "label")
    assert (glyphs.discriminator_lr, glyphs.generator_lr) == (2e-4, 2e-4)
    assert glyphs.generator_batch == 100


def test_code_is_the_script_with_eeg():
    code = config.code()
    assert (code.networks, code.condition, code.inference_mode) == ("glyph", "features", True)
    assert (code.discriminator_lr, code.generator_lr) == (5e-5, 5e-5)
