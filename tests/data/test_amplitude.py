import numpy as np
import pytest

from phosphene.data.amplitude import check_amplitude, robust_sd, scale_signal

SD = np.array([10e-6, 20e-6, 12e-6])


def test_robust_sd_is_that_of_a_normal_law_whatever_a_few_samples_do():
    rng = np.random.default_rng(0)
    epochs = rng.normal(5, SD[:, None], (50, 3, 200))
    epochs[0, :, :50] = 1.0  # a movement, in V
    np.testing.assert_allclose(robust_sd(epochs), SD, rtol=0.03)
    np.testing.assert_allclose(robust_sd(epochs[1]), SD, rtol=0.2)


def test_scaling_keeps_float32_and_everything_else(make_recording):
    recording = make_recording()
    scaled = scale_signal(recording, 1e-6)
    assert scaled.signal.dtype == np.float32
    np.testing.assert_allclose(scaled.signal, recording.signal * 1e-6, rtol=1e-6)
    assert scaled.events is recording.events
    assert scale_signal(recording, 1.0) is recording
    with pytest.raises(ValueError, match="greater than 0"):
        scale_signal(recording, 0.0)


@pytest.mark.parametrize("ratio", [1.0, 0.1, 10.0])
def test_people_and_caps_may_differ(ratio):
    check_amplitude(SD * ratio, SD, source="a.edf")


def test_one_broken_channel_does_not_count():
    check_amplitude(SD * np.array([1, 1, 1e6]), SD, source="a.edf")


@pytest.mark.parametrize(
    ("ratio", "factor"), [(1e6, "1e-6"), (3e5, "1e-6"), (1e3, "1e-3"), (1e-3, "1e3")]
)
def test_a_wrong_unit_is_refused_with_its_factor(ratio, factor):
    with pytest.raises(ValueError, match=f"a.edf is .* uV.*--scale-signals {factor}") as error:
        check_amplitude(SD * ratio, SD, source="a.edf")
    value = float(str(error.value).split()[-1].rstrip("."))
    check_amplitude(SD * ratio * value, SD, source="a.edf")


@pytest.mark.parametrize("found", [SD * 0, SD * np.inf])
def test_what_no_factor_explains_is_refused_without_one(found):
    with pytest.raises(ValueError, match="check its unit and the amplifier"):
        check_amplitude(found, SD, source="a.edf")


def test_unit_and_remedy_are_those_of_the_signals():
    again = "import again with --scale-signals"
    with pytest.raises(ValueError, match=r"uV; .* uV; import again with --scale-signals 1e-6\."):
        check_amplitude(SD * 1e6, SD, source="data", rescale=again)
    with pytest.raises(ValueError, match=r"is 12 a\.u\.; .* had 0\.012 a\.u\.; check its unit"):
        check_amplitude(SD * 1e6, SD * 1e3, source="data", unit="a.u.", rescale="")
