"""The convolutional encoder-decoder that the restoration paper compares with."""

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.restoration.cnn_lstm import bias_of
from phosphene.models.restoration.conv_encoder import KERNEL, WIDTHS, ConvEncoder, code_size
from phosphene.models.start_values import glorot_uniform_


class CNNCNN(nn.Module):
    """Restore a picture by convolutions and "symmetric" deconvolutions (section 5.2).

    The encoder is that of the CNN-LSTM. Each of its stages, a convolution and a halving, is turned
    around by one transposed convolution of stride 2: to 32 planes with ReLU, to the picture with a
    sigmoid. The paper does not say whether a thought vector lies between them, and the answer
    changes what the model can do: a vector sees the whole picture, while without one a pixel sees
    some 20 rows around it. Both are built.

    Parameters
    ----------
    size
        Rows and columns of the pictures.
    color
        Their planes.
    n_code
        Length of the thought vector, a linear map with ReLU behind it; None leaves both out.
    dropout
        Of the encoder, as in the CNN-LSTM.

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141, section 5.2
    """

    def __init__(
        self,
        size: tuple[int, int] = (28, 28),
        color: int = 1,
        *,
        n_code: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = ConvEncoder(size, color, n_code=n_code, dropout=dropout)
        self.size, self.color = self.encoder.size, color
        self._maps = (WIDTHS[1], *code_size(size))
        n_values = self._maps[0] * self._maps[1] * self._maps[2]
        self.spread = None if n_code is None else nn.Linear(n_code, n_values)
        self.first, self.second = (
            nn.ConvTranspose2d(n_in, n_out, KERNEL, 2, padding=KERNEL // 2, output_padding=1)
            for n_in, n_out in ((WIDTHS[1], WIDTHS[0]), (WIDTHS[0], color))
        )
        for part in (self.spread, self.first, self.second):
            if part is not None:
                glorot_uniform_(part)

    @torch.no_grad()
    def start_bias(self, mean_picture: Float[Tensor, "color height width"]) -> None:
        """Let the untrained network draw the mean brightness of each plane of training pictures."""
        self.second.bias.copy_(bias_of(mean_picture.mean((1, 2))))  # pyright: ignore

    def logits(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch color height width"]:
        """Return restored pictures before the sigmoid."""
        maps = self.encoder(images)
        if self.spread is not None:
            maps = F.relu(self.spread(maps)).unflatten(1, self._maps)
            maps = maps.contiguous(memory_format=torch.channels_last)
        rows, columns = (-(-side // 2) for side in self.size)  # after the encoder's first pooling
        maps = F.relu(self.first(maps)[:, :, :rows, :columns])
        return self.second(maps)[:, :, : self.size[0], : self.size[1]]

    def forward(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch color height width"]:
        """Restore pictures in [0, 1]."""
        return torch.sigmoid(self.logits(images))
