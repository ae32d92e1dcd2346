"""The autoencoder of LFP windows that the LFPGAN thesis trains its parts with."""

import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.layer_table import Row, output_size, stack_rows
from phosphene.models.layers import check_columns

ENCODER_ROWS = (
    Row(20, (10,), padding=(3,)),
    Row(18, (40,), padding=(3,)),
    Row(16, (25,), padding=(4,)),
    Row(15, (70,)),
    Row(14, (24,)),
    Row(13, (5,)),
    Row(12, (13,)),
    Row(11, (20,)),
    Row(10, (20,)),
)
"""Table 4.1, signal encoder; all of its rows are as printed."""
N_LATENT_CHANS = 10
SHORTENED = -output_size((0,), ENCODER_ROWS)[0]
"""Samples by which the encoder shortens a window: 198."""


def check_length(n_times: int, *, least: int = SHORTENED + 1) -> None:
    """Refuse windows of which the layers leave nothing."""
    if n_times < least:
        raise ValueError(
            f"`n_times` must be at least {least}, as the layers shorten windows by {least - 1} "
            f"samples; got {n_times}. Cut longer windows."
        )


class SignalEncoder(nn.Module):
    """Compress a z-scored window to 10 channels that are 198 samples shorter.

    Nine convolutions, each with ReLU and then batch norm (table 4.1). The published 22 x 313 values
    become 10 x 115, 17 %. Section 4.2 speaks of one more input channel with the standard deviation;
    the table has 22, and so has this network. Another number of channels changes the first layer
    alone, another length none.

    Parameters
    ----------
    n_chans
        Channels of the probe.
    n_times
        Samples of a window, at least 199.
    norm
        "batch" as published; "layer" or "none" for a critic whose gradient penalty is to look at
        one window at a time (batch norm makes the slope at a window depend on the others).

    Raises
    ------
    ValueError
        For windows too short, or an unknown norm.

    References
    ----------
    LFPGAN thesis, section 4.2 and table 4.1, https://github.com/maraspr/LFPGAN
    """

    def __init__(self, n_chans: int = 22, n_times: int = 313, *, norm: str = "batch") -> None:
        super().__init__()
        check_positive("n_chans", n_chans)
        check_length(n_times)
        self.n_chans, self.n_times = n_chans, n_times
        self.n_latent = n_times - SHORTENED
        self.layers = stack_rows(n_chans, ENCODER_ROWS, norm=norm)

    def forward(
        self, signals: Float[Tensor, "batch chan time"]
    ) -> Float[Tensor, "batch latent_chan latent_time"]:
        """Encode z-scored windows."""
        check_columns("signals", signals, self.n_chans, "channels")
        check_columns("signals", signals, self.n_times, "samples", axis=2)
        return self.layers(signals)


class SignalDecoder(nn.Module):
    """Make a z-scored window from a code: the encoder with transposed convolutions, turned around.

    The last layer is linear. Its output is brought to mean 0 and standard deviation 1 over all
    channels and samples of the window, as the recorded windows are (section 4.2); gradients flow
    through that. A constant output becomes 0, not NaN: 1e-8 is added to the variance.

    Parameters
    ----------
    n_chans
        Channels of the probe.
    n_times
        Samples of a window, at least 199.

    Raises
    ------
    ValueError
        For windows too short.

    References
    ----------
    LFPGAN thesis, section 4.2 and table 4.1, https://github.com/maraspr/LFPGAN
    """

    def __init__(self, n_chans: int = 22, n_times: int = 313) -> None:
        super().__init__()
        check_positive("n_chans", n_chans)
        check_length(n_times)
        self.n_chans, self.n_times = n_chans, n_times
        self.n_latent = n_times - SHORTENED
        self.layers = stack_rows(
            N_LATENT_CHANS, decoder_rows(n_chans), transposed=True, plain_end=True
        )

    def forward(
        self, code: Float[Tensor, "batch latent_chan latent_time"]
    ) -> Float[Tensor, "batch chan time"]:
        """Decode to z-scored windows."""
        check_columns("code", code, N_LATENT_CHANS, "channels")
        check_columns("code", code, self.n_latent, "samples", axis=2)
        return F.layer_norm(self.layers(code), (self.n_chans, self.n_times), eps=1e-8)


def decoder_rows(n_chans: int = 22) -> tuple[Row, ...]:
    """Return the rows of table 4.1, signal decoder: those of the encoder turned around."""
    widths = [row.n_out for row in ENCODER_ROWS[-2::-1]] + [n_chans]
    return tuple(
        row._replace(n_out=n) for row, n in zip(reversed(ENCODER_ROWS), widths, strict=True)
    )


class SignalAutoencoder(nn.Module):
    """`SignalEncoder` and `SignalDecoder` in a row, to be trained by the mean squared error.

    Parameters
    ----------
    n_chans
        Channels of the probe.
    n_times
        Samples of a window, at least 199.

    References
    ----------
    LFPGAN thesis, section 4.2, https://github.com/maraspr/LFPGAN
    """

    def __init__(self, n_chans: int = 22, n_times: int = 313) -> None:
        super().__init__()
        self.encoder = SignalEncoder(n_chans, n_times)
        self.decoder = SignalDecoder(n_chans, n_times)

    def forward(
        self, signals: Float[Tensor, "batch chan time"]
    ) -> Float[Tensor, "batch chan time"]:
        """Return z-scored windows as they come back from their codes."""
        return self.decoder(self.encoder(signals))
