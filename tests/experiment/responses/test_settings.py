import pytest

from phosphene.experiment.responses.settings import ResponseSettings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generator_batch": 1}, "generator_batch"),
        ({"test_share": 1.0}, "test_share"),
        ({"classifier_share": 0.0}, "classifier_share"),
        ({"picture_size": (0, 69)}, "rows and columns"),
    ],
)
def test_settings_are_checked_before_anything_is_written(changes, message):
    with pytest.raises(ValueError, match=message):
        ResponseSettings(**changes)


def test_the_length_of_the_thesis_is_kept():
    settings = ResponseSettings()
    windows = 12_080_972
    assert settings.autoencoder_steps * settings.autoencoder_batch / windows == pytest.approx(
        7, rel=0.01
    )
    assert settings.picture_steps * settings.picture_batch == 1_180_000
    assert settings.generator_steps * settings.generator_batch == pytest.approx(940_000, rel=1e-3)
