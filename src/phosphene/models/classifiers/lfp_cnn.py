"""A small classifier of LFP windows: the feature network of distances between sets of them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layers import check_columns

N_BINS = 4
"""Stretches of time that a window is averaged over before its features are taken."""


class LFPCNN(nn.Module):
    """Classify LFP windows; trains in seconds on a thousand of them.

    Three convolutions along time that mix all channels, with steps of 4, 2 and 2 samples, batch
    norm and ReLU, find waves and their course along the probe; means over four stretches of time
    keep roughly when they came; one linear map and ReLU makes 64 features that are not negative.
    The thesis proposes such a network as a standard of its field (section 7.1) and describes none:
    the layers are ours. Fréchet distances take the features of one trained on recorded windows.

    Parameters
    ----------
    n_classes
        Classes to tell apart.
    n_chans
        Channels of the probe.
    n_times
        Samples of a window, at least 16.
    width
        Channels after the first convolution; twice as many after the others.

    Raises
    ------
    ValueError
        For windows too short.

    References
    ----------
    LFPGAN thesis, section 7.1, https://github.com/maraspr/LFPGAN
    """

    n_features = 64

    def __init__(
        self, n_classes: int, *, n_chans: int = 22, n_times: int = 313, width: int = 32
    ) -> None:
        super().__init__()
        check_positive("n_classes", n_classes)
        check_positive("n_chans", n_chans)
        check_positive("width", width)
        if n_times < 16:
            raise ValueError(
                f"`n_times` must be at least 16 samples; got {n_times}. Cut longer windows."
            )
        self.n_classes, self.n_chans, self.n_times = n_classes, n_chans, n_times
        layers: list[nn.Module] = []
        n_in = n_chans
        for n_out, kernel, stride in ((width, 15, 4), (2 * width, 7, 2), (2 * width, 5, 2)):
            layers += [nn.Conv1d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False)]
            layers += [nn.BatchNorm1d(n_out), nn.ReLU()]
            n_in = n_out
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool1d(N_BINS))
        self.compress = nn.Linear(N_BINS * n_in, self.n_features)
        self.head = nn.Linear(self.n_features, n_classes)

    def features(self, signals: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Return the values before the last linear map, for distances between sets of windows."""
        check_columns("signals", signals, self.n_chans, "channels")
        check_columns("signals", signals, self.n_times, "samples", axis=2)
        return torch.relu(self.compress(self.body(signals).flatten(1)))

    def forward(self, signals: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch classes"]:
        """Return logits for z-scored windows."""
        return self.head(self.features(signals))
