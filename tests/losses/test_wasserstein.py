import pytest
import torch
from torch import nn

from phosphene.losses.wasserstein import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    literal_penalty,
    wasserstein_distance,
)


def small_critic():
    """Twice differentiable, in double precision."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)).double()


def draw_pairs(n=5):
    rng = torch.Generator().manual_seed(1)
    real, fake = torch.randn(2, n, 6, dtype=torch.float64, generator=rng)
    return 3 * real, 3 * fake, torch.rand(n, dtype=torch.float64, generator=rng)


def test_distance_and_losses_of_known_judgements():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, -1.0, -2.0])
    assert wasserstein_distance(real, fake) == 3
    assert critic_loss(real, fake) == -3
    assert generator_loss(fake) == 1
    assert literal_penalty(real, fake) == 1  # (2 - 1)^2
    penalty = torch.tensor(0.5)
    assert critic_loss(real, fake, penalty=penalty) == -3 + 3 * 10 * 0.5
    assert critic_loss(real, fake, penalty=penalty, distance_weighted=False) == -3 + 10 * 0.5
    assert critic_loss(fake, real, penalty=penalty) == 3  # no penalty where W is negative
    assert critic_loss(real, fake, penalty=penalty, penalty_weight=2.0) == -3 + 3 * 2 * 0.5
    assert critic_loss(real, fake, drift=0.1) == pytest.approx(-3 + 0.1 * 5)


@pytest.mark.parametrize(
    ("slope", "one_sided", "expected"),
    [(3.0, True, 4.0), (3.0, False, 4.0), (0.5, True, 0.0), (0.5, False, 0.25)],
)
def test_gradient_penalty_matches_the_closed_form_of_a_linear_critic(slope, one_sided, expected):
    direction = torch.tensor([0.6, 0.8])  # unit length
    real, fake = torch.randn(2, 7, 2)
    penalty = gradient_penalty(
        lambda x: slope * x @ direction, real, fake, mix=torch.rand(7), one_sided=one_sided
    )
    torch.testing.assert_close(penalty, torch.tensor(expected))


@pytest.mark.parametrize("one_sided", [True, False])
def test_gradient_penalty_agrees_with_differences_of_judgements(one_sided):
    """The slow way: a step along each value of each point."""
    critic, (real, fake, mix) = small_critic(), draw_pairs()
    critic[2].weight.data *= 9
    terms = []
    with torch.no_grad():
        for r, f, share in zip(real, fake, mix, strict=True):
            point = share * r + (1 - share) * f
            steps = 1e-6 * torch.eye(6, dtype=torch.float64)
            slope = torch.stack(
                [(critic((point + h)[None]) - critic((point - h)[None]))[0] / 2e-6 for h in steps]
            )
            excess = slope.square().sum().sqrt() - 1
            terms.append((excess.clamp(min=0) if one_sided else excess) ** 2)
    expected = torch.stack(terms).mean()
    assert expected > 0.01
    found = gradient_penalty(critic, real, fake, mix=mix, one_sided=one_sided)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("distance_weighted", [True, False])
def test_gradients_of_the_whole_loss_pass_gradcheck(distance_weighted):
    """The penalty's own gradient is one of a gradient; each weight is moved by a small step."""
    critic, (real, fake, mix) = small_critic(), draw_pairs()
    real = real + 2 * critic[0].weight[0].detach()  # W well above its kink at 0
    critic[2].weight.data *= 9
    names = [name for name, _ in critic.named_parameters()]

    def loss(*weights):
        def judge(samples):
            return torch.func.functional_call(
                critic, dict(zip(names, weights, strict=True)), samples
            )

        penalty = gradient_penalty(judge, real, fake, mix=mix)
        return critic_loss(
            judge(real), judge(fake), penalty=penalty, distance_weighted=distance_weighted
        )

    weights = [value.detach().clone().requires_grad_() for value in critic.parameters()]
    assert torch.autograd.gradcheck(loss, weights)


def test_points_lie_between_the_pairs():
    seen = []

    def critic(points):
        seen.append(points.detach())
        return points.square().sum(1)

    real, fake, _ = draw_pairs()
    mix = torch.tensor([0.0, 1.0, 0.5, 0.25, 0.75], dtype=torch.float64)
    gradient_penalty(critic, real, fake, mix=mix)
    torch.testing.assert_close(seen[0], mix[:, None] * real + (1 - mix[:, None]) * fake)


def test_penalty_trains_the_critic_alone():
    critic, (real, fake, mix) = small_critic(), draw_pairs()
    real.requires_grad_()
    fake.requires_grad_()
    critic[2].weight.data *= 9
    gradient_penalty(critic, real, fake, mix=mix).backward()
    assert real.grad is fake.grad is None
    assert critic[0].weight.grad.abs().max() > 0


def test_a_flat_critic_has_no_nan():
    critic, (real, fake, mix) = small_critic(), draw_pairs()
    for value in critic.parameters():
        nn.init.zeros_(value)
    for one_sided in (True, False):
        gradient_penalty(critic, real, fake, mix=mix, one_sided=one_sided).backward()
    assert all(value.grad is None or value.grad.isfinite().all() for value in critic.parameters())


def train_line(penalty, *, n_steps):
    """Train a critic w x + b on samples around +0.5 and -0.5; return the course of w."""
    rng = torch.Generator().manual_seed(0)
    spread = torch.linspace(-0.2, 0.2, 33)  # all there are, at each step
    real, fake = 0.5 + spread, -0.5 + spread
    weight, bias = torch.tensor(0.2, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias], 0.02, betas=(0.0, 0.999))
    course = []
    for _ in range(n_steps):

        def judge(samples):
            return weight * samples + bias

        values = judge(real), judge(fake)
        if penalty == "gradient":
            mix = torch.rand(33, generator=rng)
            term = gradient_penalty(
                lambda points: judge(points[:, 0]), real[:, None], fake[:, None], mix=mix
            )
        else:
            term = literal_penalty(*values)
        optimizer.zero_grad()
        critic_loss(*values, penalty=term).backward()
        optimizer.step()
        course.append(weight.item())
    return course


def test_gradient_penalty_holds_the_slope_where_the_loss_is_least():
    course = train_line("gradient", n_steps=100)
    least = (40 + (40**2 - 4 * 30 * 9) ** 0.5) / 60  # of w (10 (w - 1)^2 - 1), w > 1: 1.047
    assert sum(course[-30:]) / 30 == pytest.approx(least, abs=0.02)


def test_literal_penalty_bounds_nothing():
    """Why it is no default: the slope of the same critic grows as long as it is trained."""
    course = train_line("literal", n_steps=300)
    assert course[149] > 2
    assert course[299] > 1.9 * course[149]
    steep = torch.tensor([1e6]), torch.tensor([-1e6])
    assert literal_penalty(*steep) == 0
    assert critic_loss(*steep, penalty=literal_penalty(*steep)) == -2e6


def test_refusals():
    values = torch.zeros(2), torch.zeros(2)
    with pytest.raises(ValueError, match="`penalty_weight` must be at least 0"):
        critic_loss(*values, penalty_weight=-1.0)
    with pytest.raises(ValueError, match="`drift` must be at least 0"):
        critic_loss(*values, drift=-0.1)
