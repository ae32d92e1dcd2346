"""The LSTM of the first classifiers of EEG by the picture that was looked at."""

from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.layers import check_columns


class HumanMindLSTM(nn.Module):
    """Map the last hidden state of a one-layer LSTM to features, with a ReLU at the end.

    The published classifier is this and a linear map to the classes, which
    `training.encoder_step.EncoderStep` adds: with 128 channels and 40 classes 153,768 values
    together. Start values are torch's, the first state is zero. The released code fails in current
    torch, which has no `Variable(..., volatile=...)` any more; nothing else of it is changed.
    Features are not negative.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_features
        Length of the embedding (published: 128).
    n_hidden
        Units of the LSTM (published: 128).

    References
    ----------
    Spampinato et al., CVPR 2017, https://arxiv.org/abs/1609.00344; layers as in
    https://github.com/perceivelab/eeg_visual_classification, models/lstm.py
    """

    def __init__(self, n_chans: int, *, n_features: int = 128, n_hidden: int = 128) -> None:
        super().__init__()
        self.n_chans, self.n_features = n_chans, n_features
        self.rnn = nn.LSTM(n_chans, n_hidden, batch_first=True)
        self.output = nn.Linear(n_hidden, n_features)

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials of any length that were brought to unit scale."""
        check_columns("eeg", eeg, self.n_chans, "channels")
        hidden, _ = self.rnn(eeg.transpose(1, 2))  # (batch, time, hidden)
        return self.output(hidden[:, -1]).relu()
