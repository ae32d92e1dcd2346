from dataclasses import asdict, replace

import pytest

from phosphene.experiment import settings
from phosphene.experiment.settings import ExperimentSettings


def test_nothing_of_ours_feeds_the_generator_unless_asked():
    plain = ExperimentSettings()
    assert not plain.clear_trials
    assert not plain.standardize_features
    assert plain.class_pull == 0


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("n_folds", (1, 0)),
        ("picture_folds", (-1,)),
        ("image_size", (8, 24, 0)),
        ("class_pull", (1.5, -0.1)),
        ("judge_share", (1.0,)),
        ("split_seed", (-1,)),
        ("allow_leak", (" ",)),
    ],
)
def test_refuses_values_that_cannot_be_trained_with(name, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=f"^`{name}` must be "):
            ExperimentSettings(**{name: value})


def test_refuses_unknown_names_where_nothing_checks_types():
    wrong = ExperimentSettings()
    object.__setattr__(wrong, "split_unit", "recordigns")
    with pytest.raises(ValueError, match="Did you mean 'recording'"):
        wrong.__post_init__()


def test_every_number_is_checked():
    numbers = {
        name
        for name, value in asdict(replace(ExperimentSettings(), n_folds=2, decode_folds=1)).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    assert numbers - set(settings._LEAST) == {"image_size", "class_pull", "judge_share"}
