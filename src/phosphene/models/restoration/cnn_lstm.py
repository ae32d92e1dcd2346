"""The CNN-LSTM that restores corrupted pictures."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.restoration.conv_encoder import ConvEncoder
from phosphene.models.restoration.row_decoder import RowDecoder

DARKEST = 0.01
"""Least mean brightness, and least distance from 1, that a start value of a bias stands for."""


def bias_of(brightness: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims"]:
    """Return what a sigmoid turns into a brightness, kept 0.01 away from black and white."""
    return torch.logit(brightness, eps=DARKEST)


class CNNLSTM(nn.Module):
    """Restore a picture: a convolutional encoder, and an LSTM that redraws it row by row.

    The encoder makes a thought vector of the whole corrupted picture; the decoder reads it at every
    row beside the corrupted row itself (the paper's "direct attention") and what it drew last. See
    `ConvEncoder` and `RowDecoder` for what the paper leaves open and where we differ. Of colour
    pictures a row holds all planes.

    Parameters in all, at 28 x 28 grey values (with one bias per gate, as the equations of the paper
    have it, 4 x 5 x `hidden` less):

    ====== ========== =============
    hidden torch's    with one bias
    ====== ========== =============
    28     413,424    412,864
    64     557,568    556,288
    100    795,024    793,024
    128    1,044,224  1,041,664
    256    2,902,272  2,897,152
    512    10,157,312 10,147,072
    ====== ========== =============

    Parameters
    ----------
    size
        Rows and columns of the pictures.
    color
        Their planes.
    n_code
        Length of the thought vector (table 1).
    hidden
        Length of the LSTM's states; the paper does not give it.
    n_layers
        Its layers (section 5.2).
    dropout
        Of the encoder; the paper names 25 % and no place.

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141
    """

    def __init__(
        self,
        size: tuple[int, int] = (28, 28),
        color: int = 1,
        *,
        n_code: int = 100,
        hidden: int = 128,
        n_layers: int = 5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = ConvEncoder(size, color, n_code=n_code, dropout=dropout)
        self.decoder = RowDecoder(color * size[1], n_code, hidden=hidden, n_layers=n_layers)
        self.size, self.color = self.encoder.size, color

    @torch.no_grad()
    def start_bias(self, mean_picture: Float[Tensor, "color height width"]) -> None:
        """Let the untrained network draw the mean training picture, averaged over its rows.

        All rows share one output bias. From zero the first updates would only darken everything,
        and the error has a plateau where all is black.
        """
        self.decoder.output.bias.copy_(bias_of(mean_picture.mean(1).flatten()))

    def logits(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch color height width"]:
        """Return restored pictures before the sigmoid."""
        code = self.encoder(images)
        rows = images.transpose(1, 2).flatten(2)  # (batch, row, colour and column)
        drawn = self.decoder(rows, code)
        return drawn.unflatten(2, (self.color, self.size[1])).transpose(1, 2)

    def forward(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch color height width"]:
        """Restore pictures in [0, 1]."""
        return torch.sigmoid(self.logits(images))
