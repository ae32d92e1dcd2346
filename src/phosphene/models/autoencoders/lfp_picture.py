"""The autoencoder of grey pictures in the LFPGAN thesis, and a small one for shrunk pictures."""

from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.layer_table import Row, stack_rows
from phosphene.models.layers import check_columns

N_CODE_CHANS = 2
CODE_SIZE = (5, 23)
"""Rows and columns of the code: 115 values, as long as the code of a signal."""
FULL_SIZE = (918, 1174)
SMALL_SIZE = (54, 69)

ENCODER_ROWS = {
    FULL_SIZE: (
        Row(4, (30, 30), (2, 2), (30, 30)),
        Row(2, (20, 20), (2, 2)),
        Row(4, (30, 30)),
        Row(5, (70, 70)),
        Row(3, (16, 30)),
        Row(2, (30, 30)),
        Row(3, (15, 15)),
        Row(6, (5, 5), (2, 2)),
        Row(5, (20, 20)),
        Row(4, (10, 10)),
        Row(2, (2, 9)),
    ),
    SMALL_SIZE: (
        Row(8, (4, 5), (2, 1), (1, 2)),
        Row(16, (3, 3), (2, 3)),
        Row(16, (3, 5), (2, 1), (0, 2)),
        Row(8, (2, 5), (1, 1), (0, 2)),
        Row(2, (3, 9), (1, 1), (1, 4)),
    ),
}
"""Layers for each size of picture: table 4.2 as printed, and ours."""

_OUTPUT_PADDING = {FULL_SIZE: {4: (1, 1), 10: (1, 1)}, SMALL_SIZE: {}}


def decoder_rows(size: tuple[int, int] = FULL_SIZE) -> tuple[Row, ...]:
    """Return the rows of the encoder turned around, with the paddings that restore its sizes."""
    rows = ENCODER_ROWS[size]
    widths = [row.n_out for row in rows[-2::-1]] + [1]
    extra = _OUTPUT_PADDING[size]
    return tuple(
        row._replace(n_out=n, output_padding=extra.get(number, ()))
        for number, (row, n) in enumerate(zip(reversed(rows), widths, strict=True), 1)
    )


def check_lfp_picture_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return a picture size that there are layers for."""
    size = (int(size[0]), int(size[1])) if len(size) == 2 else tuple(size)
    if size not in ENCODER_ROWS:
        raise ValueError(
            f"`size` must be one of {', '.join(map(str, ENCODER_ROWS))}, rows and columns; got "
            f"{size}. Shrink the pictures to {SMALL_SIZE}."
        )
    return size


class LFPPictureEncoder(nn.Module):
    """Compress a grey picture to 2 channels of 115 values, to stand beside the code of a signal.

    At 918 x 1174 pixels the eleven convolutions of table 4.2, each with ReLU and then batch norm.
    What the table and its text print wrong: layer 3 gives 199 x 263, not 119 x 263 (one digit; all
    sizes after it follow from 199); the last layer gives 5 x 23 = 115, not the 3 x 23 of section
    4.3, which is 69. The code is flattened row by row.

    At 54 x 69 pixels, the pictures shrunk by 17, five layers of ours: section 7.1 suggests to
    downscale. Rows are halved three times and columns divided by three once, down to the same
    5 x 23, and the last kernel spans 3 x 9 values; a picture takes 1.4 million multiplications
    instead of 4,300 million.

    Parameters
    ----------
    size
        Rows and columns of the pictures, (918, 1174) or (54, 69).

    Raises
    ------
    ValueError
        For any other size.

    References
    ----------
    LFPGAN thesis, section 4.3 and table 4.2, https://github.com/maraspr/LFPGAN
    """

    def __init__(self, size: tuple[int, int] = FULL_SIZE) -> None:
        super().__init__()
        self.size = check_lfp_picture_size(size)
        self.layers = stack_rows(1, ENCODER_ROWS[self.size])

    def forward(
        self, pictures: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch code_chan code"]:
        """Encode pictures in [-1, 1]."""
        check_columns("pictures", pictures, 1, "colour planes")
        check_columns("pictures", pictures, self.size[0], "rows", axis=2)
        check_columns("pictures", pictures, self.size[1], "columns", axis=3)
        return self.layers(pictures).flatten(2)


class LFPPictureDecoder(nn.Module):
    """Make a picture from its code: the encoder with transposed convolutions, turned around.

    What table 4.2 prints wrong: layers 4 and 10 of stride 2 need an output padding of 1 to reach
    the 72 x 122 and 475 x 603 that it declares (without, pictures would be 912 x 1168); layer 8
    gives 199 x 263, not 119 x 263; the last row, missing from our copy, undoes the first layer of
    the encoder and gives 918 x 1174. That layer is linear and its values are not bounded, the
    activation being unknown too.

    Parameters
    ----------
    size
        Rows and columns of the pictures, (918, 1174) or (54, 69).

    Raises
    ------
    ValueError
        For any other size.

    References
    ----------
    LFPGAN thesis, section 4.3 and table 4.2, https://github.com/maraspr/LFPGAN
    """

    def __init__(self, size: tuple[int, int] = FULL_SIZE) -> None:
        super().__init__()
        self.size = check_lfp_picture_size(size)
        rows = decoder_rows(self.size)
        self.layers = stack_rows(N_CODE_CHANS, rows, transposed=True, plain_end=True)

    def forward(
        self, code: Float[Tensor, "batch code_chan code"]
    ) -> Float[Tensor, "batch color height width"]:
        """Decode to pictures, trained to lie in [-1, 1]."""
        check_columns("code", code, N_CODE_CHANS, "channels")
        check_columns("code", code, CODE_SIZE[0] * CODE_SIZE[1], "values", axis=2)
        return self.layers(code.unflatten(2, CODE_SIZE))


class LFPPictureAutoencoder(nn.Module):
    """`LFPPictureEncoder` and `LFPPictureDecoder` in a row, to be trained by mean squared error.

    Parameters
    ----------
    size
        Rows and columns of the pictures, (918, 1174) or (54, 69).

    References
    ----------
    LFPGAN thesis, section 4.3, https://github.com/maraspr/LFPGAN
    """

    def __init__(self, size: tuple[int, int] = FULL_SIZE) -> None:
        super().__init__()
        self.encoder = LFPPictureEncoder(size)
        self.decoder = LFPPictureDecoder(size)

    def forward(
        self, pictures: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch color height width"]:
        """Return pictures as they come back from their codes."""
        return self.decoder(self.encoder(pictures))
