"""The two parts of a variational autoencoder's loss, in nats per picture."""

from collections.abc import Callable
from math import log, pi

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor

from phosphene._checks import check_positive


def gaussian_reconstruction_loss(
    decoded: Float[Tensor, "batch color height width"],
    pictures: Float[Tensor, "batch color height width"],
    *,
    deviation: float | None = None,
    mean: Callable[[Tensor], Tensor] = torch.mean,
) -> Float[Tensor, ""]:
    """Negative log-likelihood of pictures whose values scatter normally around the decoded ones.

    Unlike the cross-entropy this is a density of values in between, grey and colour, and the
    deviation says in units of the pictures how far a value may be off: it sets the balance with
    `gaussian_divergence`.

    Parameters
    ----------
    decoded, pictures
        Values in [-1, 1].
    deviation
        Of each value. None takes the most likely one, the root mean squared error of the batch, so
        that there is no balance to tune (Rybkin et al., 2021); its gradient is the same as if it
        were fixed at that value.
    mean
        Averages squared errors, over more than these pictures where a batch is spread over
        processes.

    Returns
    -------
    Tensor
        Summed over the values of a picture, averaged over pictures; may be negative.

    References
    ----------
    Kingma and Welling, ICLR 2014, appendix C.2, https://arxiv.org/abs/1312.6114; Rybkin et al.,
    ICML 2021, https://arxiv.org/abs/2006.13202
    """
    n_values = pictures[0].numel()
    squared = mean((decoded - pictures).square())
    if deviation is None:
        # Equal pictures have no likelihood: half a step of 8-bit values is as near as they come.
        return n_values / 2 * (log(2 * pi) + 1 + squared.clamp(min=1 / 255**2).log())
    check_positive("deviation", deviation)
    return n_values / 2 * (log(2 * pi) + 2 * log(deviation) + squared / deviation**2)


def bernoulli_reconstruction_loss(
    decoded: Float[Tensor, "batch color height width"],
    pictures: Float[Tensor, "batch color height width"],
) -> Float[Tensor, ""]:
    """Cross-entropy of pictures, each value taken as the probability of white.

    Usual at the time and meant for black-and-white pictures: for values in between it is no
    likelihood (Loaiza-Ganem and Cunningham, 2019) and does not reach 0. Values in [-1, 1] are
    brought to [0, 1]; probabilities keep 1e-6 from the ends, where a tanh arrives in float32.

    Returns
    -------
    Tensor
        Summed over the values of a picture, averaged over pictures; at least 0.

    References
    ----------
    Kingma and Welling, ICLR 2014, appendix C.1, https://arxiv.org/abs/1312.6114; Loaiza-Ganem and
    Cunningham, NeurIPS 2019, https://arxiv.org/abs/1907.06845
    """
    probability = ((decoded + 1) / 2).clamp(1e-6, 1 - 1e-6)
    entropies = F.binary_cross_entropy(probability, (pictures + 1) / 2, reduction="none")
    return pictures[0].numel() * entropies.mean()


def gaussian_divergence(
    mean: Float[Tensor, "batch noise"], log_variance: Float[Tensor, "batch noise"]
) -> Float[Tensor, ""]:
    """Kullback-Leibler divergence of independent normal laws from the standard one.

    1/2 sum(mean^2 + variance - log variance - 1), summed over the noise values and averaged over
    pictures: what z says about a picture beyond f, in nats, at least 0.

    References
    ----------
    Kingma and Welling, ICLR 2014, appendix B, https://arxiv.org/abs/1312.6114
    """
    return (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2
