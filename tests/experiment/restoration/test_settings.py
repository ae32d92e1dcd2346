import pytest

from phosphene.experiment.restoration.settings import RestorationSettings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 1}, "batch"),
        ({"test_share": 1.0}, "test_share"),
        ({"test_share": 0.0}, "test_share"),
        ({"image_size": 4}, "image_size"),
        ({"ema": 1.0}, "ema"),
        ({"tuning_rates": ()}, "got none"),
        ({"tuning_rates": (1e-3, -1.0)}, "tuning_rates"),
        ({"tuning_rates": (1e-3, 1e-3)}, "must differ; got 0.001, 0.001"),
        ({"iterations": 100, "equal_time": (100, 99)}, "equal_time"),
    ],
)
def test_settings_are_checked_before_anything_is_written(changes, message):
    with pytest.raises(ValueError, match=message):
        RestorationSettings(**changes)


def test_the_length_and_the_division_of_the_paper_are_kept():
    settings = RestorationSettings()
    assert (settings.iterations, settings.batch) == (500_000, 100)
    assert (settings.division, settings.test_share) == ("share", 0.25)


def test_the_corruption_is_that_of_the_paper():
    from phosphene.augment.corruption import PAPER_CORRUPTION

    assert RestorationSettings().corruption == PAPER_CORRUPTION
