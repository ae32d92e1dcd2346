"""The Gaussian layer of DeLiGAN, as ThoughtViz has it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class GaussianLayer(nn.Module):
    """Move and stretch each noise value by a mean and a scale of its own: y = x * s + m.

    DeLiGAN draws one of many such Gaussians for every picture. The released code of ThoughtViz
    calls its layer a mixture too, but has a single Gaussian per dimension and nothing to draw; so
    has this one. Start values: s uniform in (-0.2, 0.2), m uniform in (-1, 1).

    Parameters
    ----------
    n_values
        Length of the noise.
    decay
        Weight of `penalty` (released code: 0.01).

    References
    ----------
    Gurumurthy et al., DeLiGAN, CVPR 2017, https://arxiv.org/abs/1706.02071
    Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641
    """

    def __init__(self, n_values: int, *, decay: float = 0.01) -> None:
        super().__init__()
        self.decay = decay
        self.scale = nn.Parameter(torch.empty(n_values).uniform_(-0.2, 0.2))
        self.mean = nn.Parameter(torch.empty(n_values).uniform_(-1, 1))

    def forward(self, z: Float[Tensor, "batch noise"]) -> Float[Tensor, "batch noise"]:
        """Return the noise under the learned means and scales."""
        return torch.addcmul(self.mean, z, self.scale)

    def penalty(self) -> Float[Tensor, ""]:
        """Return the weighted sum of squared scales, to be added to the generator's loss."""
        return self.decay * self.scale.square().sum()
