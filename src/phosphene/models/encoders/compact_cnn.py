"""A compact convolutional encoder for evoked responses, in the manner of EEGNet."""

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.layers import check_columns


class CompactCNN(nn.Module):
    """Filter in space and time, pool, filter again, and map linearly to the features.

    EEGNet filters each electrode in time and then mixes electrodes per filter. Both maps are linear
    with nothing but a batch norm in between, so they commute: here electrodes are mixed first,
    which is one matrix product, and each mixture is filtered in time once. This does the same for
    `n_chans / depth` times less work. The temporal filter is applied as a product with its
    band matrix, which on a CPU is several times faster than a depthwise convolution.

    Other differences from EEGNet: one batch norm less (between the two linear maps), no norm
    constraints on the weights (use weight decay), and a linear map to `n_features` at the end, so
    that a classifier can sit on top.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_times
        Samples per trial.
    n_features
        Length of the embedding.
    sfreq
        Samples per second; the first filters span half a second, the second ones too.
    n_filters
        Temporal filters (EEGNet's F1).
    depth
        Spatial mixtures per temporal filter (EEGNet's D).
    n_maps
        Maps after the second block (EEGNet's F2).
    dropout
        Share of values dropped after each block.

    References
    ----------
    Lawhern et al., J. Neural Eng. 2018, https://arxiv.org/abs/1611.08024
    """

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        *,
        n_features: int = 64,
        sfreq: float = 128.0,
        n_filters: int = 8,
        depth: int = 2,
        n_maps: int = 16,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        pools = (max(1, round(sfreq / 32)), 4)
        n_last = n_times // pools[0] // pools[1]
        if n_last < 1:
            raise ValueError(
                f"`n_times` must be at least {pools[0] * pools[1]} samples at {sfreq:g} Hz, what "
                f"pooling leaves one value of; got {n_times}. Cut longer trials."
            )
        self.n_chans, self.n_times, self.n_features = n_chans, n_times, n_features
        self.n_filters, self.depth, self.pools = n_filters, depth, pools
        n_mixed = n_filters * depth
        n_taps = min(int(sfreq / 2), n_times) // 2 * 2 + 1
        n_taps_pooled = min(int(sfreq / pools[0] / 2), n_times // pools[0]) // 2 * 2 + 1
        self.spatial = nn.Parameter(torch.empty(n_mixed, n_chans))
        self.temporal = nn.Parameter(torch.empty(n_filters, n_taps))
        nn.init.xavier_uniform_(self.spatial)
        nn.init.xavier_uniform_(self.temporal)
        self.norm1 = nn.BatchNorm1d(n_mixed)
        self.depthwise = nn.Conv1d(
            n_mixed, n_mixed, n_taps_pooled, padding="same", groups=n_mixed, bias=False
        )
        self.pointwise = nn.Conv1d(n_mixed, n_maps, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(n_maps)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_maps * n_last, n_features)

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials that were brought to unit scale."""
        check_columns("eeg", eeg, self.n_chans, "channels")
        check_columns("eeg", eeg, self.n_times, "samples", axis=2)
        mixed = self._filter_in_time(self.spatial @ eeg)
        mixed = F.avg_pool1d(F.elu(self.norm1(mixed)), self.pools[0])
        mixed = self.pointwise(self.depthwise(self.dropout(mixed)))
        mixed = F.avg_pool1d(F.elu(self.norm2(mixed)), self.pools[1])
        return self.head(self.dropout(mixed).flatten(1))

    def _filter_in_time(
        self, mixed: Float[Tensor, "batch mixture time"]
    ) -> Float[Tensor, "batch mixture time"]:
        """Convolve each mixture with its filter, zero beyond the trial."""
        batch, n_mixed, n_times = mixed.shape
        half = self.temporal.shape[1] // 2
        # With time reversed, the band matrix of a filter is a sliding view of it: no copies.
        sides = n_times - 1 - half
        bands = F.pad(self.temporal, (sides, sides)).unfold(1, n_times, 1)  # (filter, time, time)
        rows = mixed.flip(2).view(batch, self.n_filters, self.depth, n_times)
        rows = rows.transpose(0, 1).reshape(self.n_filters, batch * self.depth, n_times)
        filtered = (rows @ bands).view(self.n_filters, batch, self.depth, n_times)
        return filtered.transpose(0, 1).reshape(batch, n_mixed, n_times)
