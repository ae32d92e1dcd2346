import json
from dataclasses import asdict, replace

import pytest

from phosphene.experiment import settings
from phosphene.recipes.eeg2image_2023 import RECIPE, config


def test_paper_has_the_published_settings():
    paper = config.paper()
    assert (paper.encoder, paper.n_features, paper.objective) == ("lstm_one_layer", 128, "triplet")
    assert (paper.image_size, paper.n_noise, paper.noise) == (128, 128, "normal")
    assert (paper.encoder_lr, paper.encoder_batch, paper.encoder_epochs) == (3e-4, 256, 3000)
    assert (paper.generator_lr, paper.beta1, paper.beta2) == (3e-4, 0.2, 0.5)
    assert paper.augment == ("color", "translation")
    assert paper.generator_steps == round(299 * 355, -3)


@pytest.mark.parametrize("name", ["paper", "code", "executed", "quick_published"])
def test_published_systems_have_nothing_that_is_ours_switched_on(name):
    chosen = RECIPE.config(name)
    ours = (
        *("ema", "feature_jitter", "signal_mixup", "signal_shift", "guidance", "class_pull"),
        *("clear_trials", "generator_cosine", "he_init", "encoder_one_cycle"),
        *("standardize_features", "encoder_weight_decay"),
    )
    assert [field for field in ours if getattr(chosen, field)] == []
    assert chosen.discriminator_batch_norm
    assert (chosen.objective, chosen.compare_objective) == ("triplet", "softmax")
    assert chosen.compare_encoder == chosen.encoder
    assert (chosen.mode_seeking, chosen.mode_seeking_every) == (1.0, 1)
    assert chosen.augment == ("color", "translation")


def differences(first, second):
    """Return the fields in which two settings differ, with the values of the second."""
    return {name: value for name, value in asdict(second).items() if value != asdict(first)[name]}


def test_the_released_code_differs_from_the_paper_where_it_is_known_to():
    assert differences(config.paper(), config.code()) == {
        "encoder": "lstm_two_layer",
        "compare_encoder": "lstm_two_layer",
        "squared_distance": False,
        "scaling": "window",
        "balanced_batches": False,
        "fixed_pictures": True,
        "noise": "uniform",
        "halved": True,
        "n_adversarial_terms": 2,
        "mode_seeking_eps": 1e-5,
        "mode_seeking_noise": "z_and_features",
        "spectral_norm": True,
    }


def test_the_code_as_it_runs_differs_from_the_code_as_it_reads_in_its_norms():
    assert differences(config.code(), config.executed()) == {
        "spectral_norm": False,
        "generator_norm": "affine",
        "moving_statistics": False,
    }


def test_the_published_system_for_minutes_keeps_its_losses_and_lengths():
    quick = differences(config.paper(), config.quick_published())
    adapted = {"image_size", "generator_width", "discriminator_width", "null_folds", "judge_steps"}
    adapted |= {"encoder_epochs", "compare_epochs", "encoder_batch", "encoder_lr"}
    adapted |= {"generator_steps", "generator_batch", "generator_lr", "discriminator_lr"}
    assert set(quick) - {"encoder", "compare_encoder"} <= adapted
    ours = config.quick()
    for name in ("image_size", "generator_steps", "generator_batch", "judge_steps", "n_folds"):
        assert getattr(config.quick_published(), name) == getattr(ours, name)


def test_ablations_are_those_of_table_1():
    chosen = config.quick_published()
    variants = RECIPE.variants(chosen)
    found = {name: (v.augment != (), v.mode_seeking > 0) for name, v in variants.items()}
    assert found == {
        "neither": (False, False),
        "mode seeking": (False, True),
        "DiffAugment": (True, False),
        "both": (True, True),
    }
    assert variants["both"] == chosen
    table = json.loads((RECIPE.module_folder / "results.json").read_text())["published"]
    assert set(table["inception_score_ablation"]) == set(variants)


@pytest.mark.parametrize("name", ["quick", "demo", "smoke"])
def test_smaller_presets_report_the_published_encoder_or_say_so(name):
    chosen = RECIPE.config(name)
    assert chosen.compare_encoder in (None, "lstm_two_layer")
    assert chosen.image_size <= 32


def test_quick_leaves_every_recording_out():
    quick = config.quick()
    assert (quick.split_unit, quick.n_folds, quick.decode_folds) == ("recording", None, None)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("image_size", (8, 24, 0, -32)),
        ("n_folds", (1, 0)),
        ("decode_folds", (0,)),
        ("picture_folds", (-1,)),
        ("null_folds", (-1,)),
        ("n_features", (0,)),
        ("generator_steps", (0, -5)),
        ("generator_batch", (1,)),
        ("mode_seeking_every", (0,)),
        ("mode_seeking_eps", (-1e-5,)),
        ("n_adversarial_terms", (0, 3)),
        ("n_scored", (1, 0)),
        ("encoder_lr", (0.0, float("nan"))),
        ("margin", (0.0,)),
        ("guidance", (-1.0, float("inf"))),
        ("dropout", (1.0, -0.1)),
        ("beta1", (1.0,)),
        ("beta2", (-0.5,)),
        ("ema", (1.0,)),
        ("class_pull", (1.5, -0.5)),
        ("judge_share", (1.0,)),
        ("seed", (-1,)),
        ("allow_leak", (" ",)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            replace(config.quick(), **{name: value})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("encoder", "lstm"), ("compare_encoder", "lstm"), ("split_unit", "trials")),
        *(("noise", "t"), ("scaling", "trial"), ("generator_norm", "layer")),
        ("mode_seeking_noise", "features"),
    ],
)
def test_refuses_unknown_names_where_nothing_checks_types(name, wrong):
    quick = config.quick()
    object.__setattr__(quick, name, wrong)
    with pytest.raises(ValueError, match=f"^`{name}` must be one of"):
        quick.__post_init__()


def test_refuses_an_unknown_augmentation():
    quick = config.quick()
    object.__setattr__(quick, "augment", ("color", "cutuot"))
    with pytest.raises(ValueError, match="Did you mean 'cutout'"):
        quick.__post_init__()


def test_every_number_is_checked():
    checked = {*config._LEAST, *config._RATES, *config._SHARES_BELOW_ONE, *settings._LEAST}
    numbers = {
        name
        for name, value in asdict(config.quick()).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers <= {*checked, "image_size", "class_pull", "judge_share"}


def test_the_compared_encoder_is_never_called_what_the_main_one_is():
    quick = config.quick()
    assert config.compared_name(quick) == "lstm_two_layer"
    assert config.compared_name(replace(quick, compare_encoder=None)) == ""
    same = replace(quick, encoder="lstm_two_layer")
    assert config.compared_name(same) == "compared lstm_two_layer"


def test_the_ends_of_a_range_are_allowed():
    replace(config.quick(), class_pull=1.0, dropout=0.0, beta1=0.0, null_folds=0, n_folds=None)
