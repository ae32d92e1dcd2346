"""The published EEG encoder of EEG2Image."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.layers import check_columns


class LSTMEncoder(nn.Module):
    """Summarise a trial by the last hidden state of stacked LSTMs.

    The paper describes one LSTM of 128 units; the released code stacks two, of 32 and 128. Start
    values are those of Keras: Glorot kernels, orthogonal recurrent kernels, forget bias 1, all
    other biases 0. torch keeps two bias vectors per LSTM where Keras has one; the second stays zero
    and is not trained, so the effective bias learns at Keras' pace. With 14 channels the two-layer
    form has 89,088 values, 88,448 of them trained. The output is signed, in (-1, 1), and not
    normalised.

    Parameters
    ----------
    n_chans
        Electrodes per trial.
    n_features
        Length of the embedding, the units of the last LSTM.
    hidden
        Units of the LSTMs before the last: `(32,)` as in the code, `()` as in the paper.

    References
    ----------
    Singh et al., ICASSP 2023, section 4, https://arxiv.org/abs/2302.10121
    """

    def __init__(
        self, n_chans: int, *, n_features: int = 128, hidden: tuple[int, ...] = (32,)
    ) -> None:
        super().__init__()
        self.n_chans, self.n_features = n_chans, n_features
        sizes = (n_chans, *hidden, n_features)
        self.layers = nn.ModuleList(
            nn.LSTM(n_in, n_out, batch_first=True) for n_in, n_out in pairwise(sizes)
        )
        for layer in self.layers:
            _start_as_keras(layer)

    def forward(self, eeg: Float[Tensor, "batch chan time"]) -> Float[Tensor, "batch feature"]:
        """Encode trials of any length that were brought to unit scale."""
        check_columns("eeg", eeg, self.n_chans, "channels")
        hidden = eeg.transpose(1, 2)  # (batch, time, chan)
        for layer in self.layers:
            hidden, _ = layer(hidden)
        return hidden[:, -1]


def _start_as_keras(layer: nn.Module) -> None:
    for name, values in layer.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(values)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(values)
        else:
            nn.init.zeros_(values)
        if name.startswith("bias_ih"):
            _, forget, _, _ = values.detach().chunk(4)  # gates are i, f, g, o
            forget.fill_(1)
        if name.startswith("bias_hh"):
            values.requires_grad_(False)
