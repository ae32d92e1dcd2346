"""Losses of the adversarial game: hinge and binary cross-entropy."""

import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor


def hinge_discriminator_loss(
    real_logits: Float[Tensor, " real"],
    fake_logits: Float[Tensor, " fake"],
    *,
    halved: bool = False,
) -> Float[Tensor, ""]:
    """Ask for logits above 1 on real and below -1 on generated pictures.

    The paper sums both hinges (Eq. 5), the released code takes half the sum (`halved`).

    References
    ----------
    Lim and Ye, Geometric GAN, 2017, https://arxiv.org/abs/1705.02894
    """
    loss = (1 - real_logits).clamp(min=0).mean() + (1 + fake_logits).clamp(min=0).mean()
    return loss / 2 if halved else loss


def hinge_generator_loss(fake_logits: Float[Tensor, " fake"]) -> Float[Tensor, ""]:
    """Ask for high logits on generated pictures (paper, Eq. 4)."""
    return -fake_logits.mean()


def binary_gan_loss(logits: Float[Tensor, " batch"], *, is_real: bool) -> Float[Tensor, ""]:
    """Ask for high logits (`is_real`) or low ones by binary cross-entropy.

    The discriminator wants high ones for real and low ones for generated pictures, the generator
    high ones for its own.

    References
    ----------
    Goodfellow et al., NeurIPS 2014, https://arxiv.org/abs/1406.2661
    """
    return F.softplus(-logits if is_real else logits).mean()
