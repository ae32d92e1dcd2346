"""EEGChannelNet: parallel filters in time, then over channels, then residual blocks."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.layers import ResidualBlock, check_columns

N_TAPS = 33
DILATIONS = (1, 2, 4, 8)
N_SPANS = 4
N_STAGES = 4


class EEGChannelNet(nn.Module):
    """Summarise a trial as an image of channels by time.

    Every unit is batch norm, ReLU, convolution with bias, dropout of whole maps. Four of them
    filter in time, at dilations 1, 2, 4 and 8; four mix all channels, halves, thirds and quarters
    of them; four stages of a residual block and a unit of stride 2 follow, then a unit that leaves
    few maps and a linear map with ReLU to the features. The published classifier is this and a
    linear map to the classes, which `training.encoder_step.EncoderStep` adds: with 128 channels,
    440 samples and 40 classes 5,490,978 values together.

    What fails or surprises as published, and what is done here:

    - The released script brings trials to ``(1, chan, time)`` only for a model called "model10",
      while the file is called EEGChannelNet: that combination ends in an error. Here the network
      takes ``(batch, chan, time)`` itself.
    - The first unit's batch norm and ReLU stand before any filter, so about half of all samples
      (those below the mean) are set to zero. Kept.
    - Kernels and strides fit 128 x 440 only. Here a stage uses at most what its input has: along an
      axis of fewer than 3 values it takes them all. Where an odd number of channels gives maps of
      unequal height, the taller ones lose their last row. At the published size nothing changes.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_times
        Samples per trial.
    n_features
        Length of the embedding (published: 1000).
    dropout
        Share of maps dropped in every unit (published: 0.2).

    References
    ----------
    Palazzo et al., TPAMI 2020, https://arxiv.org/abs/1810.10974; layers as in
    https://github.com/perceivelab/eeg_visual_classification, models/EEGChannelNet.py
    """

    def __init__(
        self, n_chans: int, n_times: int, *, n_features: int = 1000, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.n_chans, self.n_times, self.n_features = n_chans, n_times, n_features
        self.temporal = nn.ModuleList(
            _unit(
                *(1, 10, (1, N_TAPS)),
                stride=(1, 2),
                padding=(0, N_TAPS // 2 * dilation),
                dilation=(1, dilation),
                dropout=dropout,
            )
            for dilation in DILATIONS
        )
        spans = [max(1, n_chans // (number + 1)) for number in range(N_SPANS)]
        self.spatial = nn.ModuleList(
            _unit(
                *(10 * len(DILATIONS), 50, (span, 1)),
                stride=(2, 1),
                padding=((span - 1) // 2, 0),
                dropout=dropout,
            )
            for span in spans
        )
        n_maps = 50 * N_SPANS
        height = min((n_chans + 2 * ((span - 1) // 2) - span) // 2 + 1 for span in spans)
        size = (height, (n_times - 1) // 2 + 1)
        stages: list[nn.Module] = []
        for _ in range(N_STAGES):
            kernel = _kernel(size)
            stages += [
                ResidualBlock(n_maps),
                _unit(n_maps, n_maps, kernel, stride=(2, 2), dropout=dropout),
            ]
            size = ((size[0] - kernel[0]) // 2 + 1, (size[1] - kernel[1]) // 2 + 1)
        kernel = _kernel(size)
        stages.append(_unit(n_maps, 50, kernel, dropout=dropout))
        self.stages = nn.Sequential(*stages)
        n_last = 50 * (size[0] - kernel[0] + 1) * (size[1] - kernel[1] + 1)
        self.output = nn.Linear(n_last, n_features)

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials that were brought to unit scale."""
        check_columns("eeg", eeg, self.n_chans, "channels")
        check_columns("eeg", eeg, self.n_times, "samples", axis=2)
        image = eeg.unsqueeze(1)  # (batch, 1, chan, time)
        maps = torch.cat([filters(image) for filters in self.temporal], dim=1)
        mixed = [filters(maps) for filters in self.spatial]
        height = min(part.shape[2] for part in mixed)
        maps = torch.cat([part[:, :, :height] for part in mixed], dim=1)
        return self.output(self.stages(maps).flatten(1)).relu()


def _unit(
    n_in: int,
    n_out: int,
    kernel: tuple[int, int],
    *,
    dropout: float,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(n_in),
        nn.ReLU(),
        nn.Conv2d(n_in, n_out, kernel, stride, padding, dilation),
        nn.Dropout2d(dropout),
    )


def _kernel(size: tuple[int, int]) -> tuple[int, int]:
    """Return 3 x 3, less where an axis is shorter."""
    return min(3, size[0]), min(3, size[1])
