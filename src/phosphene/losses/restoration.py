"""How far restored pictures are from the whole ones, and how large weights are."""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor

TINY = 1e-12
"""Mean square below which the root's slope no longer rises."""


def mse_loss(
    restored: Float[Tensor, "batch color height width"],
    pictures: Float[Tensor, "batch color height width"],
    *,
    mean: Callable[[Tensor], Tensor] = torch.mean,
) -> Float[Tensor, ""]:
    """Mean squared error: what the paper calls its loss in words (section 4.2.3).

    What minimises it is the mean of all pictures that may lie behind a corrupted one.

    Parameters
    ----------
    restored, pictures
        In [0, 1].
    mean
        Averages squared errors, over more than these pictures where a batch is spread over
        processes.

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141, section 4.2.3
    """
    return mean((restored - pictures).square())


def rmse_loss(
    restored: Float[Tensor, "batch color height width"],
    pictures: Float[Tensor, "batch color height width"],
    *,
    mean: Callable[[Tensor], Tensor] = torch.mean,
) -> Float[Tensor, ""]:
    """Root of the mean squared error over all values of a batch.

    Equation 15 prints the root of the mean difference, without the square: positive and negative
    errors would cancel, and the root of a negative mean does not exist. The text speaks of RMSE
    (section 6), so the square is put back. 1e-12 is added under the root, whose slope at 0 has no
    end.

    Parameters
    ----------
    restored, pictures
        In [0, 1].
    mean
        Averages squared errors, as in `mse_loss`.

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141, equation 15
    """
    return (mse_loss(restored, pictures, mean=mean) + TINY).sqrt()


def cross_entropy_loss(
    restored: Float[Tensor, "batch color height width"],
    pictures: Float[Tensor, "batch color height width"],
    *,
    mean: Callable[[Tensor], Tensor] = torch.mean,
) -> Float[Tensor, ""]:
    """Cross-entropy of brightness, taken as the probability of white.

    As for the squared error, what minimises it is the mean of all pictures that may lie behind a
    corrupted one, for values between black and white too (Banerjee et al., 2005); but its slope
    does not vanish where a sigmoid is sure and wrong. It is not 0 at the picture itself.

    Parameters
    ----------
    restored, pictures
        In [0, 1]; restored values keep 1e-6 from the ends.
    mean
        Averages over values, as in `mse_loss`.

    References
    ----------
    Banerjee et al., JMLR 6, 2005, theorem 1, https://www.jmlr.org/papers/v6/banerjee05b.html
    """
    white = restored.clamp(1e-6, 1 - 1e-6)
    return mean(F.binary_cross_entropy(white, pictures, reduction="none"))


def l2_penalty(parameters: Iterable[Tensor]) -> Float[Tensor, ""]:
    """Sum of the squares of all weights; biases and other lists of numbers do not count.

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141, equation 17 without its factor
    """
    squares = [value.square().sum() for value in parameters if value.ndim > 1]
    return torch.stack(squares).sum() if squares else torch.zeros(())
