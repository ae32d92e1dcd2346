"""The convolutional EEG classifier of ThoughtViz, whose last hidden layer is the EEG feature."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.layers import check_columns
from phosphene.models.start_values import glorot_uniform_

EPS = 1e-3  # Keras' batch norm
N_TAPS = 4
POOL = 3


class ThoughtVizCNN(nn.Module):
    """Filter in time, mix all electrodes, filter and pool twice, and map to features by a ReLU.

    This is the published network up to its last hidden layer, whose values are the EEG feature;
    they are not negative. `thoughtviz_head` is what follows. For 14 electrodes, 32 samples and 10
    classes both have 38,047 trained values together.

    The released network reads the maps of its third convolution with two axes exchanged
    (`channels_first`) and its fourth one over the maps of the third as if they were rows. Both are
    plain convolutions over time, which is how they are written here: same sums, same weights.

    Kernels and pools of the released code fit 32 samples only. Elsewhere a kernel of 4 or a pool of
    3 takes what there is where less is left, and the last kernel spans all samples that remain (2
    as published), so that 100 values follow at any length. The second kernel spans all electrodes,
    14 as published. At 14 x 32 nothing changes.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_times
        Samples per trial.
    n_features
        Length of the embedding (published: 100).
    norm_momentum
        Weight of a batch in the running statistics of the batch norms (Keras: 0.01); short
        trainings need more.

    References
    ----------
    Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641;
    layers as in the released code
    """

    def __init__(
        self, n_chans: int, n_times: int, *, n_features: int = 100, norm_momentum: float = 0.01
    ) -> None:
        super().__init__()
        self.n_chans, self.n_times, self.n_features = n_chans, n_times, n_features
        taps = min(N_TAPS, n_times)
        n_left = n_times - taps + 1
        self.norm = nn.BatchNorm2d(1, eps=EPS, momentum=norm_momentum)
        self.temporal = nn.Conv2d(1, 32, (1, taps))
        self.spatial = nn.Conv2d(32, 25, (n_chans, 1))
        pool = min(POOL, n_left)
        self.pool1 = nn.MaxPool1d(pool)
        n_left //= pool
        taps = min(N_TAPS, n_left)
        n_left = n_left - taps + 1
        self.filter1 = nn.Conv1d(25, 50, taps)
        pool = min(POOL, n_left)
        self.pool2 = nn.MaxPool1d(pool)
        n_left //= pool
        self.filter2 = nn.Conv1d(50, 100, n_left)
        self.norm_hidden = nn.BatchNorm1d(100, eps=EPS, momentum=norm_momentum)
        self.output = nn.Linear(100, n_features)
        glorot_uniform_(self)

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials in any unit: the first layer brings them to the scale of the batch."""
        check_columns("eeg", eeg, self.n_chans, "channels")
        check_columns("eeg", eeg, self.n_times, "samples", axis=2)
        image = self.norm(eeg.unsqueeze(1))  # (batch, 1, chan, time)
        maps = self.spatial(self.temporal(image).relu()).relu().squeeze(2)  # (batch, map, time)
        maps = self.filter1(self.pool1(maps)).relu()
        maps = self.filter2(self.pool2(maps)).relu()
        return self.output(self.norm_hidden(maps.flatten(1))).relu()


def thoughtviz_head(
    n_features: int, *, n_classes: int, norm_momentum: float = 0.01
) -> nn.Sequential:
    """Return what follows the feature in the released code: batch norm and a linear map.

    Start values are torch's global draws. The softmax is left to the loss.
    """
    head = nn.Sequential(
        nn.BatchNorm1d(n_features, eps=EPS, momentum=norm_momentum),
        nn.Linear(n_features, n_classes),
    )
    glorot_uniform_(head)
    return head


def fold_head(head: nn.Module) -> nn.Linear:
    """Return one linear map that equals a classifier head in evaluation mode.

    Parameters
    ----------
    head
        A linear map, or batch norm and a linear map, as of `thoughtviz_head`.

    Raises
    ------
    ValueError
        For a head of other parts, which no single linear map equals.
    """
    parts = list(head) if isinstance(head, nn.Sequential) else [head]
    *before, last = parts or [head]
    if not isinstance(last, nn.Linear) or not all(_is_affine(part) for part in before):
        names = ", ".join(type(part).__name__ for part in parts)
        raise ValueError(
            f"a head to fold must be batch norms and then a linear map; got {names}. "
            "Fit a linear probe on the features instead."
        )
    with torch.no_grad():
        weight = last.weight.double()
        bias = weight.new_zeros(len(weight)) if last.bias is None else last.bias.double()
        for norm in reversed(before):
            scale, shift = _scale_and_shift(norm)
            bias = bias + weight @ shift
            weight = weight * scale
        folded = nn.Linear(last.in_features, last.out_features).to(last.weight)
        folded.weight.copy_(weight)
        folded.bias.copy_(bias)
    return folded


def _is_affine(part: nn.Module) -> bool:
    return isinstance(part, nn.BatchNorm1d) and part.running_mean is not None


def _scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return s and t of x * s + t, what batch norm does by its running statistics."""
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is None:
        return scale, -norm.running_mean.double() * scale
    scale = scale * norm.weight.double()
    return scale, norm.bias.double() - norm.running_mean.double() * scale
