"""Losses of a Wasserstein GAN as the LFPGAN thesis takes them from EEG-GAN."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from phosphene._checks import check_at_least

Mean = Callable[[Tensor], Tensor]
"""Averages over samples; over more than are here where a batch is spread over processes."""


def wasserstein_distance(
    real: Float[Tensor, " real"], fake: Float[Tensor, " fake"], *, mean: Mean = torch.mean
) -> Float[Tensor, ""]:
    """Mean judgement of real samples less that of generated ones (eq. 2.7).

    It is the distance of the two laws only for the best critic whose slope is 1 nowhere exceeded,
    and in units of that critic; negative where the critic is worse than none.
    """
    return mean(real) - mean(fake)


def critic_loss(
    real: Float[Tensor, " real"],
    fake: Float[Tensor, " fake"],
    *,
    penalty: Float[Tensor, ""] | None = None,
    penalty_weight: float = 10.0,
    distance_weighted: bool = True,
    drift: float = 0.0,
    mean: Mean = torch.mean,
) -> Float[Tensor, ""]:
    """Ask for a large distance at a bounded slope: -W + max(0, W) * lambda * penalty (eq. 2.9).

    Gradients flow through the factor max(0, W) as the equation is written: where lambda * penalty
    exceeds 1, the critic lowers W. For a critic that is linear the least loss has the slope 1.047
    at lambda = 10, whatever the distance of the two sets.

    Parameters
    ----------
    real, fake
        Judgements of recorded and generated samples.
    penalty
        `gradient_penalty` or `literal_penalty`; None leaves it out.
    penalty_weight
        lambda. The thesis does not give it; 10 as Gulrajani et al.
    distance_weighted
        Multiply the penalty by max(0, W), so that it fades as the two laws meet (Hartmann et al.);
        without, lambda alone.
    drift
        Weight of the mean squared judgement of real samples, which keeps judgements near 0 (Karras
        et al., 0.001); not in the thesis.
    mean
        Averages over samples.

    References
    ----------
    LFPGAN thesis, section 2.7.1; Hartmann et al., 2018, https://arxiv.org/abs/1806.01875; Gulrajani
    et al., NeurIPS 2017, https://arxiv.org/abs/1704.00028; Karras et al., ICLR 2018,
    https://arxiv.org/abs/1710.10196
    """
    check_at_least("penalty_weight", penalty_weight, 0)
    check_at_least("drift", drift, 0)
    distance = wasserstein_distance(real, fake, mean=mean)
    loss = -distance
    if penalty is not None:
        factor = distance.clamp(min=0) if distance_weighted else 1.0
        loss = loss + factor * penalty_weight * penalty
    return loss + drift * mean(real.square()) if drift else loss


def generator_loss(fake: Float[Tensor, " fake"], *, mean: Mean = torch.mean) -> Float[Tensor, ""]:
    """Ask for high judgements of generated samples (section 2.7.1)."""
    return -mean(fake)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Float[Tensor, "*dims"],
    fake: Float[Tensor, "*dims"],
    *,
    mix: Float[Tensor, " batch"],
    one_sided: bool = True,
    mean: Mean = torch.mean,
) -> Float[Tensor, ""]:
    """Penalise slopes of the critic above 1 between real and generated samples (eq. 2.8).

    mean(max(0, |slope| - 1)^2) over one point on the straight line of each pair. The slope is the
    gradient of the sum of all judgements: for a critic with batch norm it holds what a point does
    to the judgements of the others too.

    Parameters
    ----------
    critic
        From samples to one judgement each; differentiable twice.
    real, fake
        Pairs of samples.
    mix
        Where the point of each pair lies, from 0 (generated) to 1 (real); uniform draws.
    one_sided
        Leave slopes below 1 alone, as the thesis; without, ask for 1 (Gulrajani et al.).
    mean
        Averages over points.

    References
    ----------
    LFPGAN thesis, eq. 2.8; Petzka et al., ICLR 2018, https://arxiv.org/abs/1709.08894; Gulrajani et
    al., NeurIPS 2017, https://arxiv.org/abs/1704.00028
    """
    share = mix.view(-1, *[1] * (real.ndim - 1))
    points = torch.lerp(fake.detach(), real.detach(), share).requires_grad_()
    (slopes,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    excess = slopes.flatten(1).norm(dim=1) - 1
    return mean((excess.clamp(min=0) if one_sided else excess).square())


def literal_penalty(
    real: Float[Tensor, " real"], fake: Float[Tensor, " fake"], *, mean: Mean = torch.mean
) -> Float[Tensor, ""]:
    """Square the sum of both mean judgements, (r + g)^2, as chapter 4 says that its code does.

    The thesis says that eq. 2.8 "equates to" this; it does not. No slope occurs in it, and a
    critic with r = -g pays nothing however steep it is: at most the chance by which the means of a
    small batch are off bounds W. It is here to reproduce that code, and no default.

    References
    ----------
    LFPGAN thesis, section 4.4
    """
    return (mean(real) + mean(fake)).square()
