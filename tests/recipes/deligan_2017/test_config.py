from dataclasses import asdict, replace

import pytest

from phosphene.recipes.deligan_2017 import RECIPE, config


def test_paper_has_the_released_settings_of_objects():
    paper = config.paper()
    assert (paper.networks, paper.image_size, paper.condition) == ("image", 64, "label")
    assert (paper.discriminator_lr, paper.generator_lr, paper.beta1) == (1e-3, 1e-5, 0.5)
    assert (paper.generator_batch, paper.auxiliary) == (100, 1)
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
    assert code.generator_steps == 100 * 60_000 // 100  # 100 epochs of MNIST


@pytest.mark.parametrize("name", [name for name in RECIPE.presets if name != "smoke"])
def test_no_preset_has_tricks_of_other_recipes(name):
    chosen = RECIPE.config(name)
    assert not chosen.clear_trials
    assert not chosen.standardize_features
    assert chosen.class_pull == 0


def test_quick_keeps_what_the_system_is():
    quick, paper = asdict(config.quick()), asdict(config.paper())
    changed = {name for name, value in quick.items() if value != paper[name]}
    adapted = {
        *("encoder_batch", "encoder_epochs", "encoder_lr", "norm_momentum", "null_folds"),
        *("image_size", "generator_steps", "generator_batch", "generator_width"),
        *("discriminator_width", "generator_lr", "discriminator_lr", "judge_steps"),
        *("separate_pass", "condition"),
    }
    assert changed <= adapted


def test_variants_of_quick_differ_in_the_condition_alone():
    assert config.quick().condition == "features"
    assert config.quick_labels() == replace(config.quick(), condition="label")


def test_refuses_wrong_values():
    with pytest.raises(ValueError, match=r"^`auxiliary` must be at least 0"):
        replace(config.quick(), auxiliary=-1.0)
    quick = config.quick()
    object.__setattr__(quick, "condition", "labels")
    with pytest.raises(ValueError, match="Did you mean 'label'"):
        quick.__post_init__()
