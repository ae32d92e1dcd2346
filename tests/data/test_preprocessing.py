import pytest

from phosphene.data.preprocessing import Preprocessing


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"band": (30.0, 1.0)}, "rising"),
        ({"band": (0.0, 30.0)}, "above 0"),
        ({"tmin": 0.8}, "after tmin"),
        ({"notch": -50.0}, "notch"),
        ({"reject": 0.0}, "reject"),
        ({"margin": -0.1}, "margin"),
        ({"baseline": (-0.5, 0.0)}, "enlarge margin"),
        ({"resample": 50.0}, "half the new rate"),
    ],
)
def test_refuses_settings_that_cannot_work(settings, match):
    with pytest.raises(ValueError, match=match):
        Preprocessing(**settings)


def test_defaults_suit_evoked_responses():
    settings = Preprocessing()
    assert settings.band == (1.0, 30.0)
    assert (settings.tmin, settings.tmax, settings.resample) == (0.0, 0.8, 128.0)
