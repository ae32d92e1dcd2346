import pytest

from phosphene._checks import (
    check_at_least,
    check_finite,
    check_option,
    check_positive,
    check_shape,
    check_share,
    nearest_name,
)


def test_option_error_states_rule_value_and_nearest_name():
    with pytest.raises(ValueError, match="must be") as error:
        check_option("split", "by_subjet", ["by_subject", "by_block"])
    assert str(error.value) == (
        "`split` must be one of 'by_block', 'by_subject'; got 'by_subjet'. "
        "Did you mean 'by_subject'?"
    )


def test_option_error_guesses_nothing_when_nothing_is_near():
    with pytest.raises(ValueError, match=r"got 'zzz'\.$"):
        check_option("split", "zzz", ["by_subject", "by_block"])


def test_option_accepts_a_generator_of_options():
    check_option("n", "b", (c for c in "abc"))


@pytest.mark.parametrize(
    ("value", "expected"), [("trian", "train"), ("TRAIN", "train"), ("xyz", None)]
)
def test_nearest_name_ignores_case_and_typing_slips(value, expected):
    assert nearest_name(value, ["train", "report"]) == expected


@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_positive_refuses(value):
    with pytest.raises(ValueError, match="`sfreq` must be greater than 0"):
        check_positive("sfreq", value)


def test_shape_error_names_the_axes():
    check_shape("eeg", (5, 4, 205), (None, 4, None), "trial chan time")
    with pytest.raises(ValueError, match=r"\(trial, chan=4, time\); got \(5, 3, 205\)"):
        check_shape("eeg", (5, 3, 205), (None, 4, None), "trial chan time")
    with pytest.raises(ValueError, match=r"got \(4, 205\)"):
        check_shape("eeg", (4, 205), (None, 4, None), "trial chan time")


def test_finite_error_counts_and_locates():
    import numpy as np

    array = np.zeros((2, 3))
    check_finite("epochs", array)
    array[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"1 NaN or infinite values of 6.*\(1, 2\)"):
        check_finite("epochs", array)


def test_at_least_includes_the_end():
    check_at_least("n_draws", 1, 1)
    for value in (0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="`n_draws` must be at least 1 and finite; got"):
            check_at_least("n_draws", value, 1)


def test_share_may_exclude_one():
    for value in (0, 0.5, 1):
        check_share("class_pull", value)
    check_share("ema", 0.999, below_one=True)
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="`class_pull` must be at least 0 and at most 1; got"):
            check_share("class_pull", value)
    with pytest.raises(ValueError, match="`ema` must be at least 0 and below 1; got 1"):
        check_share("ema", 1, below_one=True)
