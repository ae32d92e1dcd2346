import numpy as np
import pytest
import torch
from torch import nn

from phosphene.export.networks import build_network
from phosphene.export.picture_to_signal import PictureToSignal, generator_sizes


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (3, 108, 138), dtype=np.uint8)


def test_windows_are_z_scored_and_follow_noise_and_picture(responders, pixels):
    windows = responders.with_pictures.draw(pixels, n_draws=4, seed=0)
    assert windows.shape == (3, 4, 4, 313)
    assert windows.dtype == np.float32
    np.testing.assert_allclose(windows.mean((2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(windows.std((2, 3)), 1, atol=1e-3)
    assert np.ptp(windows, axis=1).max() > 0.1  # draws differ
    again = responders.with_pictures.draw(255 - pixels, n_draws=4, seed=0)
    assert abs(windows - again).max() > 0.1  # and so do pictures with the same noise


def test_same_seed_same_bytes_in_evaluation_mode(responders, pixels):
    system = responders.with_pictures
    state = {k: v.clone() for k, v in system.generator.state_dict().items()}
    system.generator.train()
    first = system.draw(pixels, n_draws=2, seed=1)
    assert first.tobytes() == system.draw(pixels, n_draws=2, seed=1).tobytes()
    assert first.tobytes() != system.draw(pixels, n_draws=2, seed=2).tobytes()
    assert all(torch.equal(state[k], v) for k, v in system.generator.state_dict().items())


def test_first_draws_do_not_depend_on_what_follows(responders, pixels, monkeypatch):
    system = responders.with_pictures
    many = system.draw(pixels, n_draws=5, seed=0)
    np.testing.assert_allclose(system.draw(pixels[:1], n_draws=2, seed=0), many[:1, :2], atol=1e-4)
    for limit, value in (("MAX_ROWS", 2), ("MAX_PIXELS", 1), ("MAX_VALUES", 3 * 4 * 313)):
        with monkeypatch.context() as patch:
            patch.setattr(f"phosphene.export.picture_to_signal.{limit}", value)
            parts = list(system.draw_parts(pixels, n_draws=5, seed=0))
            assert len(parts) > 1
            np.testing.assert_allclose(system.draw(pixels, n_draws=5, seed=0), many, atol=1e-4)


def test_a_window_is_the_generators_answer_to_its_own_picture(responders, pixels):
    """Pictures are shrunk by the mean of 2 x 2 pixels and scaled to [-1, 1]."""
    system = responders.with_pictures
    means = pixels.reshape(3, 54, 2, 69, 2).mean((2, 4))
    seen = torch.from_numpy(means / 127.5 - 1).float()[:, None]
    called = []
    hook = system.generator.register_forward_pre_hook(lambda _, args: called.append(args))
    windows = system.draw(pixels, n_draws=2, seed=0)
    hook.remove()
    noise = torch.cat([args[0] for args in called])
    assert abs(noise.mean()) < 0.05
    assert noise.std() == pytest.approx(1, abs=0.05)
    with torch.no_grad():
        expected = system.generator(noise, seen.repeat_interleave(2, 0))
    np.testing.assert_allclose(windows.reshape(6, 4, 313), expected.numpy(), atol=2e-3)


def test_grey_pictures_may_have_an_axis_of_color(responders, pixels):
    system = responders.with_pictures
    with_axis = system.draw(pixels[..., None], n_draws=1, seed=0)
    np.testing.assert_array_equal(with_axis, system.draw(pixels, n_draws=1, seed=0))


def test_a_generator_without_pictures_only_counts_them(responders, pixels):
    system = responders.without_pictures
    assert not system.uses_pictures
    windows = system.draw(pixels, n_draws=2, seed=0)
    assert windows.shape == (3, 2, 4, 313)
    np.testing.assert_array_equal(system.draw(255 - pixels, n_draws=2, seed=0), windows)
    alone = system.draw(None, n_draws=2, seed=0)
    assert alone.shape == (1, 2, 4, 313)
    np.testing.assert_allclose(alone, windows[:1], atol=1e-4)


def test_volts_have_the_recordings_statistics(responders):
    z = np.random.default_rng(0).normal(size=(50, 4, 313)).astype(np.float32)
    volts = responders.with_pictures.in_volts(z)
    assert volts.dtype == np.float32
    assert volts.mean() == pytest.approx(2e-6, abs=1e-6)
    assert volts.std() == pytest.approx(1e-4, rel=0.01)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda p: p[:, :-1], r"\(picture, 108, 138\); got \(3, 107, 138, 1\)"),
        (lambda p: np.stack([p] * 3, -1), r"must be grey.*got \(3, 108, 138, 3\)"),
        (lambda p: p[0], r"must be grey"),
        (lambda p: None, "got none. Pass pictures of 108 rows"),
    ],
)
def test_refuses_other_pictures(responders, pixels, change, match):
    with pytest.raises(ValueError, match=match):
        responders.with_pictures.draw(change(pixels), n_draws=1, seed=0)


def test_refuses_no_draws_and_weights_that_make_nothing_finite(responders, pixels):
    system = responders.without_pictures
    with pytest.raises(ValueError, match="`n_draws` must be greater than 0"):
        system.draw(None, n_draws=0, seed=0)
    broken = build_network({"network": "LFPGenerator", "settings": {"n_chans": 4}})
    for weight in broken.parameters():
        weight.data.fill_(1e38)
    sizes = {"ch_names": tuple("abcd"), "sfreq": 1250.0, "n_times": 313, "mean": 0.0, "sd": 1.0}
    broken = PictureToSignal(broken, picture_size=None, source_size=None, **sizes)
    with pytest.raises(ValueError, match="must make finite signals"):
        broken.draw(None, n_draws=1, seed=0)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"ch_names": ("a",)}, "agree in channels; the generator was built for 4, not 1"),
        ({"n_times": 312}, "samples per window; the generator was built for 313, not 312"),
        ({"picture_size": None, "source_size": None}, r"built for \(54, 69\), not None"),
        ({"picture_size": (918, 1174)}, r"built for \(54, 69\), not \(918, 1174\)"),
        ({"source_size": (54, 68)}, "only shrunk"),
        ({"source_size": None}, "only shrunk"),
        ({"sd": 0.0}, "`sd` must be greater than 0"),
        ({"sfreq": 0.0}, "`sfreq` must be greater than 0"),
    ],
)
def test_refuses_what_the_generator_was_not_built_for(responders, changes, match):
    system = responders.with_pictures
    names = ("picture_size", "source_size", "ch_names", "sfreq", "n_times", "mean", "sd")
    with pytest.raises(ValueError, match=match):
        PictureToSignal(system.generator, **{n: getattr(system, n) for n in names} | changes)


class Upsampler(nn.Module):
    """Another network of the same call."""

    noise_shape, n_chans, n_times = (5,), 2, 8

    def __init__(self):
        super().__init__()
        self.picture_encoder = nn.Identity()
        self.picture_encoder.size = (2, 3)
        self.map = nn.Linear(6, 16)

    def forward(self, noise, pictures=None, index=None):
        return self.map(torch.cat([noise, pictures.mean((1, 2, 3))[index][:, None]], 1)).view(
            -1, 2, 8
        )


def test_takes_another_network_of_the_same_call():
    sizes = generator_sizes(Upsampler())
    assert (sizes.n_chans, sizes.n_times, sizes.picture_size) == (2, 8, (2, 3))
    system = PictureToSignal(
        Upsampler(),
        picture_size=(2, 3),
        source_size=(4, 6),
        ch_names=("a", "b"),
        sfreq=100.0,
        n_times=8,
        mean=0.0,
        sd=1.0,
    )
    assert system.draw(np.zeros((2, 4, 6), np.uint8), n_draws=3, seed=0).shape == (2, 3, 2, 8)
    with pytest.raises(ValueError, match="Linear has not"):
        generator_sizes(nn.Linear(2, 2))
