"""Dropout whose masks are cheap to draw on a CPU."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class UniformDropout(nn.Dropout):
    """Drop what uniform draws leave below `p`, the law of `nn.Dropout`.

    torch's own asks for Bernoulli draws, which it makes one by one on a CPU; uniform ones are made
    by vector instructions. Like its own, draws are torch's global ones and follow the memory.
    """

    def forward(self, input: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims"]:
        """Return values of which those kept are divided by their share."""
        if not self.training or not self.p:
            return input
        kept = torch.rand_like(input).ge_(self.p)
        return input * kept.div_(1 - self.p)
