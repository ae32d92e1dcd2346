"""The critic of the LFPGAN thesis: how real an LFP window is, beside the picture shown."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.models.autoencoders.lfp_signal import N_LATENT_CHANS
from phosphene.models.generators.lfpgan import check_pictures
from phosphene.models.layer_table import Row, output_size, stack_rows
from phosphene.models.layers import check_columns

ROWS = (
    Row(10, (15,)),
    Row(8, (26,)),
    Row(6, (30,)),
    Row(5, (2,)),
    Row(6, (5,)),
    Row(4, (4,)),
    Row(2, (2,)),
    Row(1, (15,)),
)
"""Table 4.4, layers 1 to 8, as printed; the ninth is linear."""


class Combination(nn.Module):
    """Judge the codes of a window and of its picture by one number.

    Eight convolutions, each with ReLU, dropout and batch norm in this order, then one linear map of
    the 24 values that are left (table 4.4). The table's first layer takes 10 channels, which are
    the signal encoder's alone: with the 2 of the picture there are 12, and the first layer takes
    them all (`n_in`). The share of dropout is not published; ours is 0.1, as the last layers are
    so narrow (2 channels, then 1) that a larger share drowns what they say.

    Parameters
    ----------
    n_in
        Channels of the code: 10, or 12 with a picture.
    n_latent
        Samples of the code, at least 92.
    dropout
        Share of values dropped after each convolution.
    norm
        "batch" as published, "layer" or "none", see `SignalEncoder`.

    Raises
    ------
    ValueError
        For codes too short, or an unknown norm.

    References
    ----------
    LFPGAN thesis, section 4.4 and table 4.4, https://github.com/maraspr/LFPGAN
    """

    def __init__(
        self, n_in: int = 10, *, n_latent: int = 115, dropout: float = 0.1, norm: str = "batch"
    ) -> None:
        super().__init__()
        check_positive("n_in", n_in)
        (n_left,) = output_size((n_latent,), ROWS)
        if n_left < 1:
            raise ValueError(
                f"`n_latent` must be at least {n_latent - n_left + 1}, as the layers shorten codes "
                f"by {n_latent - n_left} samples; got {n_latent}. Cut longer windows."
            )
        self.n_in, self.n_latent = n_in, n_latent
        self.layers = stack_rows(n_in, ROWS, norm=norm, dropout=dropout)
        self.head = nn.Linear(n_left, 1)

    def forward(
        self, code: Float[Tensor, "batch latent_chan latent_time"]
    ) -> Float[Tensor, " batch"]:
        """Return one number for each code, high for real windows."""
        check_columns("code", code, self.n_in, "channels")
        check_columns("code", code, self.n_latent, "samples", axis=2)
        return self.head(self.layers(code).squeeze(1)).squeeze(1)


class LFPCritic(nn.Module):
    """Say how real LFP windows are, beside the pictures shown if there is an encoder of them.

    The codes of window and picture stand side by side (window first) and `Combination` judges both
    (figure 4.1, right). The thesis' network returns the mean over the batch; this one returns a
    number for each window, and the losses take the mean.

    As published the critic has batch norm. Then the slope that a gradient penalty bounds at one
    window is that of the whole batch's sum, in which each window moves the statistics of all:
    Gulrajani et al. (section 4) advise against it. It is kept as the published system; the parts
    take `norm="layer"` or `"none"` for others.

    Parameters
    ----------
    encoder
        `SignalEncoder` or another network from windows to such codes, with `n_latent`.
    combination
        Network from codes to numbers, with `n_in` and `n_latent`.
    picture_encoder
        Network from pictures to codes of 2 channels; None for a critic without pictures.

    Raises
    ------
    ValueError
        When the codes do not fit one another.

    References
    ----------
    LFPGAN thesis, section 4.4, https://github.com/maraspr/LFPGAN; Gulrajani et al., NeurIPS 2017,
    https://arxiv.org/abs/1704.00028
    """

    def __init__(
        self, encoder: nn.Module, combination: nn.Module, picture_encoder: nn.Module | None = None
    ) -> None:
        super().__init__()
        n_codes = N_LATENT_CHANS + (2 if picture_encoder is not None else 0)
        if int(combination.n_in) != n_codes:  # pyright: ignore
            raise ValueError(
                f"window and picture give codes of {n_codes} channels; the combination takes "
                f"{combination.n_in}. Set its `n_in` to 12 with a picture encoder, to 10 without."
            )
        lengths = [int(encoder.n_latent), int(combination.n_latent)]  # pyright: ignore
        lengths += [115] if picture_encoder is not None else []
        if len(set(lengths)) != 1:
            raise ValueError(
                f"all codes must be equally long; encoder, combination and picture have {lengths} "
                "samples. Build the parts for the same `n_times`, 313 with pictures."
            )
        self.encoder, self.combination = encoder, combination
        self.picture_encoder = picture_encoder

    def forward(
        self,
        signals: Float[Tensor, "batch chan time"],
        pictures: Float[Tensor, "picture color height width"] | None = None,
        index: Int64[Tensor, " batch"] | None = None,
        codes: Float[Tensor, "picture code_chan code"] | None = None,
    ) -> Float[Tensor, " batch"]:
        """Return one number for each window, high for real ones.

        Parameters
        ----------
        signals
            Z-scored windows.
        pictures
            One for each window; or, with `index`, each different one once.
        index
            Row of `pictures` (or `codes`) for each window.
        codes
            Of the pictures, where `picture_encoder` has made them already: several passes with the
            same pictures then encode them once.
        """
        code = self.encoder(signals)
        if codes is None:
            check_pictures(pictures, self.picture_encoder)
            codes = None if self.picture_encoder is None else self.picture_encoder(pictures)
        if codes is not None:
            code = torch.cat([code, codes if index is None else codes[index]], 1)
        return self.combination(code)
