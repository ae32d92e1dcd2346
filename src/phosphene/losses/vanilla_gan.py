"""Cross-entropy losses of the adversarial game, as GANs began."""

from jaxtyping import Float
from torch import Tensor

from phosphene.losses.gan import binary_gan_loss


def bce_discriminator_loss(
    real_logits: Float[Tensor, " real"],
    fake_logits: Float[Tensor, " fake"],
    *,
    halved: bool = False,
) -> Float[Tensor, ""]:
    """Ask for the right answer, real or generated, in nats: the sum of both mean cross-entropies.

    With D = sigmoid(logit) these are -log D(real) and -log(1 - D(fake)), computed from the logits,
    where nothing overflows. A discriminator that knows nothing pays 2 log 2. `halved` takes half.

    References
    ----------
    Goodfellow et al., NeurIPS 2014, Eq. 1, https://arxiv.org/abs/1406.2661
    """
    loss = binary_gan_loss(real_logits, is_real=True) + binary_gan_loss(fake_logits, is_real=False)
    return loss / 2 if halved else loss


def bce_generator_loss(fake_logits: Float[Tensor, " fake"]) -> Float[Tensor, ""]:
    """Ask for -log D(fake) to fall: the form that does not saturate (same paper, section 3)."""
    return binary_gan_loss(fake_logits, is_real=True)
