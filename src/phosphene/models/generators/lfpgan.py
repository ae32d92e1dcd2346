"""The generator of the LFPGAN thesis: noise and a picture become an LFP window."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.autoencoders.lfp_signal import N_LATENT_CHANS, SHORTENED, check_length
from phosphene.models.layer_table import Row, stack_rows
from phosphene.models.layers import check_columns

N_NOISE_CHANS = 3
ROWS = (
    Row(4, (10,), padding=(3,)),
    Row(5, (40,), padding=(3,)),
    Row(4, (25,), padding=(4,)),
    Row(3, (70,)),
    Row(5, (24,)),
    Row(6, (5,)),
    Row(5, (13,)),
    Row(7, (20,)),
    Row(10, (20,)),
)
"""Table 4.3, with the kernel of layer 2 corrected from 30 to 40."""


class RandomInput(nn.Module):
    """Turn noise into a code for the signal decoder.

    Nine convolutions, each with ReLU and then batch norm. Table 4.3 prints a kernel of 30 in layer
    2, which would give 287 samples and 125 at the end; 40 gives the 277 and 115 that it declares,
    and is the signal encoder's. The table's last layer has 10 channels: as many as the decoder
    takes, so there is no room for the 2 of a picture. With a picture this layer gets 8 (`n_out`),
    and the pre-trained decoder keeps all of its layers; the thesis does not say what it does.

    Parameters
    ----------
    n_times
        Samples of the noise and of the window to be made, at least 199.
    n_out
        Channels of the last layer: 10, or 8 beside a picture's code.

    Raises
    ------
    ValueError
        For windows too short.

    References
    ----------
    LFPGAN thesis, section 4.4 and table 4.3, https://github.com/maraspr/LFPGAN
    """

    def __init__(self, n_times: int = 313, *, n_out: int = N_LATENT_CHANS) -> None:
        super().__init__()
        check_length(n_times)
        check_positive("n_out", n_out)
        self.n_times, self.n_out = n_times, n_out
        self.n_latent = n_times - SHORTENED
        self.layers = stack_rows(N_NOISE_CHANS, (*ROWS[:-1], ROWS[-1]._replace(n_out=n_out)))

    def forward(
        self, noise: Float[Tensor, "batch noise_chan time"]
    ) -> Float[Tensor, "batch latent_chan latent_time"]:
        """Return codes."""
        check_columns("noise", noise, N_NOISE_CHANS, "channels")
        check_columns("noise", noise, self.n_times, "samples", axis=2)
        return self.layers(noise)


class LFPGenerator(nn.Module):
    """Make z-scored LFP windows from noise, for pictures if there is an encoder of them.

    The codes of noise and picture stand side by side (noise first) and the decoder of the signal
    autoencoder, pre-trained or not, makes a window of them (figure 4.1, left). The law of the noise
    is not published; ours is standard normal.

    Parameters
    ----------
    decoder
        `SignalDecoder` or another network from such codes to windows, with `n_chans`, `n_times`
        and `n_latent`.
    random_input
        Network from noise to codes, with `n_out` and `n_latent`.
    picture_encoder
        Network from pictures to codes of 2 channels; None for a generator without pictures.

    Raises
    ------
    ValueError
        When the codes do not fit one another or the decoder.

    References
    ----------
    LFPGAN thesis, section 4.4, https://github.com/maraspr/LFPGAN
    """

    def __init__(
        self, decoder: nn.Module, random_input: nn.Module, picture_encoder: nn.Module | None = None
    ) -> None:
        super().__init__()
        n_codes = int(random_input.n_out) + (2 if picture_encoder is not None else 0)  # pyright: ignore
        if n_codes != N_LATENT_CHANS:
            raise ValueError(
                f"the decoder takes codes of {N_LATENT_CHANS} channels; noise and picture give "
                f"{n_codes}. Set `n_out` of the random input to 8 with a picture encoder, to 10 "
                "without."
            )
        lengths = [int(decoder.n_latent), int(random_input.n_latent)]  # pyright: ignore
        lengths += [115] if picture_encoder is not None else []
        if len(set(lengths)) != 1:
            raise ValueError(
                f"all codes must be equally long; decoder, noise and picture have {lengths} "
                "samples. Build the parts for the same `n_times`, 313 with pictures."
            )
        self.decoder, self.random_input = decoder, random_input
        self.picture_encoder = picture_encoder
        self.noise_shape = (N_NOISE_CHANS, int(decoder.n_times))  # pyright: ignore

    def forward(
        self,
        noise: Float[Tensor, "batch noise_chan time"],
        pictures: Float[Tensor, "picture color height width"] | None = None,
        index: Int64[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch chan time"]:
        """Return windows.

        Parameters
        ----------
        noise
            One draw for each window, of the shape `noise_shape`.
        pictures
            One for each window; or, with `index`, each different one once, as its encoder is the
            dearest part. In training its batch norms then count each picture once.
        index
            Row of `pictures` for each window.
        """
        code = self.random_input(noise)
        check_pictures(pictures, self.picture_encoder)
        if self.picture_encoder is not None:
            seen = self.picture_encoder(pictures)
            code = torch.cat([code, seen if index is None else seen[index]], 1)
        return self.decoder(code)


def check_pictures(pictures: Tensor | None, encoder: nn.Module | None) -> None:
    """Refuse pictures without a network for them, and the other way round."""
    if (pictures is None) != (encoder is None):
        got = "none" if pictures is None else f"some of the shape {tuple(pictures.shape)}"
        remedy = "Pass them" if pictures is None else "Leave them out"
        wants = "no pictures" if encoder is None else "pictures"
        raise ValueError(
            f"a network takes pictures if it was built with a picture encoder; this one wants "
            f"{wants} and got {got}. {remedy}, or build the other network."
        )
