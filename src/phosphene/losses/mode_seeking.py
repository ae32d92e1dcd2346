"""Mode seeking: reward pictures that differ when their noise differs."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def mode_seeking_loss(
    images1: Float[Tensor, "batch color height width"],
    images2: Float[Tensor, "batch color height width"],
    noise1: Float[Tensor, "batch noise"],
    noise2: Float[Tensor, "batch noise"],
    *,
    eps: float = 1e-5,
    mean: Callable[[Tensor], Tensor] = torch.mean,
) -> Float[Tensor, ""]:
    """Return the inverse of the ratio of picture distance to noise distance.

    Both distances are mean absolute differences over the whole batch. The paper (Eq. 6) divides
    the distance between pictures by that between z1 and z2, without `eps`. The released code
    passes [z | f] as the noise, whose features cancel: with as many features as noise values this
    halves the noise distance and so the loss. Pass what you mean. `mean` averages a distance, over
    more than these pictures where a batch is spread over processes.

    References
    ----------
    Mao et al., CVPR 2019, https://arxiv.org/abs/1903.05628
    """
    ratio = mean((images1 - images2).abs()) / mean((noise1 - noise2).abs())
    return 1 / (ratio + eps)
