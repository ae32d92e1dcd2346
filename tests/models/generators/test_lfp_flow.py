from math import cos, exp

import pytest
import torch
from safetensors.torch import load, save

from phosphene.export.networks import build_network
from phosphene.models.generators.lfp_flow import (
    LFPFlow,
    VelocityNetwork,
    gaussian_velocity,
    integrate,
)
from phosphene.training.seeding import seeded

SMALL = {
    "n_chans": 3, "n_times": 20, "size": (54, 69), "n_patterns": 2, "n_components": 5, "n_flow": 4,
    "width": 8, "n_blocks": 2, "n_ode_steps": 4,
}  # fmt: skip


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def make(seed=0, **changes):
    """A generator whose buffers and last layer hold something."""
    with seeded(seed):
        generator = LFPFlow(**{**SMALL, **changes})
        for name, buffer in generator.named_buffers():
            if "picture_encoder" not in name:
                buffer.copy_(0.3 * torch.randn(buffer.shape))
        directions = torch.linalg.qr(torch.randn(60, generator.n_components))[0].T
        generator.components.copy_(directions.reshape(generator.components.shape))
        for buffer in (generator.scale, generator.feature_sd):
            buffer.abs_().add_(0.5)
        generator.gain_weights.zero_()
        generator.remainder[..., 1][[0, -1]] = 0  # real at no and half the rate
    return generator.eval()


# Ordinary differential equations.


def test_heun_is_of_second_order():
    """x' = x cos(t) ends in x0 exp(sin 1)."""
    start = torch.ones(1, 1, dtype=torch.float64)
    exact = exp(0.8414709848078965)

    def error(n_steps):
        end = integrate(lambda x, time: x * time[:, None].cos(), start, n_steps=n_steps)
        return abs(float(end) - exact)

    assert error(16) < 2e-3
    assert 3.5 < error(16) / error(32) < 4.5


def test_heun_is_exact_for_a_velocity_that_grows_with_time():
    end = integrate(lambda x, time: 2 * time[:, None].expand_as(x), draw(3, 2), n_steps=3)
    torch.testing.assert_close(end, draw(3, 2) + 1)


def test_the_field_is_asked_at_both_ends_of_every_step():
    times = []
    integrate(lambda x, time: times.append(float(time[0])) or x * 0, draw(1, 1), n_steps=2)
    assert times == [0, 0.5, 0.5, 1]


STANDARD = {"mean": 0.0, "sd": 1.0}
OTHER = {"mean": 1.5, "sd": 0.4}


def velocity(x, time, *, mean, sd):
    full = {"mean": torch.full_like(x, mean), "sd": torch.full_like(x, sd)}
    return gaussian_velocity(x, time, **full)


@pytest.mark.parametrize("law", [STANDARD, OTHER])
def test_the_gaussian_velocity_leads_to_its_law(law):
    start = draw(50, 3).double()
    end = integrate(lambda x, time: velocity(x, time, **law), start, n_steps=64)
    torch.testing.assert_close(end, law["mean"] + law["sd"] * start, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("law", [STANDARD, OTHER])
def test_the_gaussian_velocity_is_the_regression_of_the_change_on_the_point(law):
    x0 = draw(200_000, 1).double()
    x1 = law["mean"] + law["sd"] * draw(200_000, 1, seed=1).double()
    for t in (0.2, 0.7):
        point, change = (1 - t) * x0 + t * x1, x1 - x0
        centred = point - point.mean()
        slope = float((centred * change).sum() / centred.square().sum())
        at = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
        found = velocity(at, torch.full((2,), t, dtype=torch.float64), **law).squeeze()
        offset = float(change.mean() - slope * point.mean())
        assert found.tolist() == pytest.approx([offset, offset + slope], abs=0.01)


# The velocity network.


def test_begins_as_the_gaussian_velocity_and_learns_more():
    with seeded(0):
        network = VelocityNetwork(4, 2, width=8, n_blocks=2, dropout=0.0)
    x, time, condition = draw(6, 4), torch.linspace(0, 1, 6), draw(6, 2, seed=1)
    torch.testing.assert_close(network(x, time, condition), velocity(x, time, **STANDARD))
    with torch.no_grad():
        network.last.weight.normal_(generator=torch.Generator().manual_seed(0))
    network(x, time, condition).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name
    others = network(x, time.flip(0), condition), network(x, time, condition.flip(0))
    for other in others:
        assert not torch.allclose(other, network(x, time, condition))


def test_mean_and_spread_follow_the_condition():
    network = VelocityNetwork(1, 1, width=8, n_blocks=1, dropout=0.0)
    with torch.no_grad():
        network.moments.copy_(torch.tensor([[2.0, 1.0], [0.5, -1.0]]))
    start, condition = draw(40, 1), torch.tensor([[0.0], [1.0]]).repeat(20, 1)
    end = integrate(lambda x, time: network(x, time, condition), start, n_steps=64)
    expected = 0.5 + 2 * condition + (condition - 1).exp() * start
    torch.testing.assert_close(end.detach(), expected, rtol=5e-3, atol=5e-3)


def test_needs_no_condition():
    network = VelocityNetwork(4, 0, width=8, n_blocks=1, dropout=0.0)
    assert network(draw(2, 4), torch.zeros(2), torch.zeros(2, 0)).shape == (2, 4)


# The generator.


@pytest.mark.parametrize("changes", [{}, {"predicted_mean": False}, {"uses_flow": False}])
def test_windows_are_zscored_and_depend_on_noise_and_picture(changes):
    generator = make(**changes)
    with torch.no_grad():
        generator.flow.last.weight.normal_(std=0.3, generator=torch.Generator().manual_seed(3))
    noise, pictures = draw(4, *generator.noise_shape), draw(2, 1, 54, 69, seed=1).tanh()
    index = torch.tensor([0, 1, 0, 1])
    windows = generator(noise, pictures, index)
    assert windows.shape == (4, 3, 20)
    torch.testing.assert_close(windows.mean((1, 2)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(windows.var((1, 2), correction=0), torch.ones(4))
    torch.testing.assert_close(windows, generator(noise, pictures[index]), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(windows, generator(noise.flip(0), pictures, index))
    uses_pictures = changes != {"predicted_mean": False} or generator.uses_flow
    assert torch.allclose(windows, generator(noise, pictures, 1 - index)) != uses_pictures


def test_what_was_drawn_is_encoded_again():
    """Without z-score and remainder, encoding undoes a draw."""
    generator = make(uses_flow=False)
    condition, coefficients = draw(6, 2), draw(6, 5, seed=1)
    windows = generator.predict(condition) + torch.einsum(
        "bk,kct->bct", coefficients * generator.scale, generator.components
    )
    torch.testing.assert_close(
        generator.encode(windows, condition), coefficients[:, :4], rtol=1e-4, atol=1e-4
    )


def test_windows_are_encoded_in_the_size_of_equal_noise():
    """Twice the window is the same window, and high frequencies have their weighted sum."""
    generator = make(uses_flow=False)
    windows, condition = draw(3, 3, 20), draw(3, 2)
    assert torch.equal(generator.equalise(windows), windows)
    generator.gain_weights[:, 4:] = 0.1
    found = generator.equalise(windows)
    torch.testing.assert_close(generator.equalise(2 * windows), found)
    powers = torch.fft.rfft(found, norm="ortho").abs().square()[..., 4:].sum((1, 2))
    torch.testing.assert_close(powers, torch.full((3,), 10.0))
    ratio = found / windows
    torch.testing.assert_close(ratio, ratio[:, :1, :1].expand(3, 3, 20))
    encoded = generator.encode(windows, condition)
    torch.testing.assert_close(generator.encode(5 * windows, condition), encoded)


def test_the_prediction_is_the_mean_and_the_patterns_in_their_strengths():
    generator = make()
    found = generator.predict(torch.tensor([[2.0, -1.0]]))[0]
    torch.testing.assert_close(
        found, generator.mean + 2 * generator.patterns[0] - generator.patterns[1]
    )


def test_colored_noise_has_the_cross_spectra_of_its_factors():
    generator = make()
    noise = generator.color(draw(20_000, 3, 20))
    spectra = torch.fft.rfft(noise, norm="ortho")
    found = torch.einsum("bcf,bdf->fcd", spectra, spectra.conj()) / len(noise)
    factors = torch.view_as_complex(generator.remainder)
    expected = factors @ factors.mH
    assert (found - expected).abs().max() < 0.05 * expected.abs().max()


def test_without_pictures_there_is_no_encoder():
    generator = make(features="none")
    assert generator.picture_encoder is None
    assert generator(draw(2, *generator.noise_shape)).shape == (2, 3, 20)
    with pytest.raises(ValueError, match="no pictures"):
        generator(draw(1, *generator.noise_shape), torch.zeros(1, 1, 54, 69))
    with pytest.raises(ValueError, match="Pass them"):
        make()(draw(1, 65))


@pytest.mark.parametrize("features", ["gabor", "pixels", "none"])
def test_is_rebuilt_from_plain_settings_and_weights(features):
    generator = make(features=features)
    settings = {**SMALL, "size": list(SMALL["size"]), "features": features}
    again = build_network({"network": "LFPFlow", "settings": settings}).eval()
    again.load_state_dict(load(save(generator.state_dict())))
    noise, pictures = draw(2, 65), None if features == "none" else draw(2, 1, 54, 69).tanh()
    assert torch.equal(again(noise, pictures), generator(noise, pictures))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"features": "gabors"}, "Did you mean 'gabor'"),
        ({"n_flow": 6}, "no more values than components"),
        ({"n_components": 61}, "no more values than components"),
        ({"n_flow": 0}, "n_flow"),
        ({"n_ode_steps": 0}, "n_ode_steps"),
        ({"n_patterns": 0}, "n_patterns"),
    ],
)
def test_refuses_sizes_that_make_no_window(changes, match):
    with pytest.raises(ValueError, match=match):
        LFPFlow(**{**SMALL, **changes})


def test_refuses_noise_of_another_shape():
    with pytest.raises(ValueError, match="65 values"):
        make()(draw(2, 64), torch.zeros(2, 1, 54, 69))


def test_cosines_and_sines_tell_the_time():
    assert cos(0) == 1  # the embedding at time 0 is all cosine
    network = VelocityNetwork(1, 0, width=4, n_blocks=1, dropout=0.0)
    seen = []
    network.embed.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(torch.zeros(2, 1), torch.tensor([0.0, 1.0]), torch.zeros(2, 0))
    waves = seen[0]
    torch.testing.assert_close(waves[0], torch.cat([torch.zeros(8), torch.ones(8)]))
    torch.testing.assert_close(waves[1, :2], torch.tensor([1.0, 0.0]), atol=1e-6, rtol=0)
