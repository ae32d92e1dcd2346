"""What visual neuroscience takes of a picture: energies of oriented filters in a field of view."""

from math import ceil, pi

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_positive

FLOOR = 1e-3
"""Energy below which a filter counts as silent: pixels go from -1 to 1, filters have length 1."""
REACH = 2.5
"""Standard deviations after which a filter ends."""
RELATIVE_SD = 0.5
"""Standard deviation of a filter's envelope in wavelengths: an octave and a half of bandwidth."""


class GaborEnergies(nn.Module):
    """Logarithms of the Gabor energies of a picture in a receptive field, and its brightness there.

    The energy of a place, a wavelength and an orientation is the sum of the squares of two Gabor
    filters a quarter of a wave apart, so that it does not change when a grating is shifted: the
    model of complex cells of Adelson and Bergen (1985), and the features from which Kay et al.
    (2008) told natural pictures apart by brain activity. They are averaged under a Gaussian that is
    the same for all of them, the feature-weighted receptive field of St-Yves and Naselaris (2018):
    the electrodes of a probe look at one place.

    Features in order: energies (wavelength, orientation), then brightness. Nothing here is learned
    step by step; whoever knows better sets `field`.

    Parameters
    ----------
    size
        Rows and columns of the pictures.
    wavelengths
        In pixels, at least 3.
    n_orientations
        Evenly spaced over half a turn.

    Raises
    ------
    ValueError
        For filters that pixels cannot hold.

    References
    ----------
    Adelson and Bergen, JOSA A 1985, https://doi.org/10.1364/JOSAA.2.000284; Kay et al., Nature
    2008, https://doi.org/10.1038/nature06713; St-Yves and Naselaris, NeuroImage 2018,
    https://doi.org/10.1016/j.neuroimage.2017.06.035
    """

    field: Float[Tensor, "3"]
    """Row and column of the centre and standard deviation, as shares of the picture's height; rows
    and columns count from its middle. It begins in the middle of the picture."""

    def __init__(
        self,
        size: tuple[int, int] = (54, 69),
        *,
        wavelengths: tuple[int, ...] = (3, 5, 8, 13, 21),
        n_orientations: int = 6,
    ) -> None:
        super().__init__()
        check_grid(size, (1, 1))
        check_at_least("n_orientations", n_orientations, 2)
        if not wavelengths or min(wavelengths) < 3:
            raise ValueError(
                f"a wavelength must span 3 pixels at least; got {wavelengths}. Leave out shorter "
                "ones."
            )
        self.size = (size[0], size[1])
        self.wavelengths, self.n_orientations = tuple(wavelengths), n_orientations
        for number, wavelength in enumerate(wavelengths):
            filters = gabor_filters(wavelength, n_orientations=n_orientations)
            self.register_buffer(f"filters_{number}", filters)
        self.register_buffer("field", torch.tensor([0.0, 0.0, 0.25]))
        self.n_features = len(wavelengths) * n_orientations + 1

    @torch.no_grad()
    def forward(
        self, pictures: Float[Tensor, "picture 1 height width"]
    ) -> Float[Tensor, "picture feature"]:
        """Describe pictures in [-1, 1]."""
        return self.pool(self.maps(pictures))

    @torch.no_grad()
    def maps(self, pictures: Float[Tensor, "picture 1 height width"]) -> list[Tensor]:
        """Return the energies (picture, orientation, row, column) of each wavelength, then pixels.

        Long waves are looked at in steps of about a third of their length, from the first pixel on.
        """
        check_size(pictures, self.size)
        found = []
        for number in range(len(self.wavelengths)):
            filters = self.get_buffer(f"filters_{number}")
            reach = filters.shape[-1] // 2
            padded = F.pad(pictures, (reach,) * 4, mode="replicate")
            answers = F.conv2d(padded, filters, stride=self._stride(number))
            found.append(answers.unflatten(1, (self.n_orientations, 2)).square().sum(2))
        return [*found, pictures]

    @torch.no_grad()
    def pool(self, maps: list[Tensor]) -> Float[Tensor, "picture feature"]:
        """Return features of what `maps` returned, under the `field` as it is now."""
        strides = [self._stride(number) for number in range(len(self.wavelengths))]
        pooled = [
            (each * self._weights(each.shape[2:], stride)).sum((2, 3))
            for each, stride in zip(maps, [*strides, 1], strict=True)
        ]
        return torch.cat([*((energy + FLOOR).log() for energy in pooled[:-1]), pooled[-1]], 1)

    def _stride(self, number: int) -> int:
        return max(1, round(self.wavelengths[number] / 3))

    def _weights(self, shape: torch.Size, stride: int) -> Float[Tensor, "row column"]:
        """Return the receptive field where a map was sampled; weights sum to 1."""
        height = self.size[0]
        away = 0.0
        for axis, n in enumerate(shape):
            place = torch.arange(n, device=self.field.device) * stride - (self.size[axis] - 1) / 2
            squares = (place / height - self.field[axis]) ** 2
            away = away + (squares[:, None] if axis == 0 else squares)
        # no weight is 0 everywhere, however far from the picture the field is
        return (-away / (2 * self.field[2] ** 2)).flatten().softmax(0).reshape(shape)  # pyright: ignore


class PictureGrid(nn.Module):
    """Mean brightness of the places of a grid: what a picture is without any filters.

    Parameters
    ----------
    size
        Rows and columns of the pictures.
    grid
        Rows and columns of places.
    """

    def __init__(
        self, size: tuple[int, int] = (54, 69), *, grid: tuple[int, int] = (18, 23)
    ) -> None:
        super().__init__()
        check_grid(size, grid)
        self.size, self.grid = (size[0], size[1]), (grid[0], grid[1])
        self.n_features = grid[0] * grid[1]

    @torch.no_grad()
    def forward(
        self, pictures: Float[Tensor, "picture 1 height width"]
    ) -> Float[Tensor, "picture feature"]:
        """Describe pictures in [-1, 1]."""
        check_size(pictures, self.size)
        return F.adaptive_avg_pool2d(pictures, self.grid).flatten(1)


def gabor_filters(wavelength: int, *, n_orientations: int) -> Float[Tensor, "filter 1 row column"]:
    """Return pairs of filters, even then odd, of each orientation; length 1, blind to brightness.

    Orientation k prefers waves that go on in the direction of k / `n_orientations` half turns,
    counted from the columns' axis towards the rows'.
    """
    check_positive("wavelength", wavelength)
    sd = RELATIVE_SD * wavelength
    reach = ceil(REACH * sd)
    axis = torch.arange(-reach, reach + 1, dtype=torch.float64)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    envelope = (-(rows**2 + columns**2) / (2 * sd**2)).exp()
    filters = []
    for angle in torch.arange(n_orientations, dtype=torch.float64) * pi / n_orientations:
        phase = 2 * pi / wavelength * (columns * angle.cos() + rows * angle.sin())
        even = envelope * phase.cos()
        even = even - envelope * (even.sum() / envelope.sum())
        odd = envelope * phase.sin()
        filters += [even / even.norm(), odd / odd.norm()]
    return torch.stack(filters)[:, None].float()


def check_grid(size: tuple[int, int], grid: tuple[int, int]) -> None:
    """Refuse a grid without places, or with more than the picture has pixels."""
    if min(*grid, *size) < 1 or grid[0] > size[0] or grid[1] > size[1]:
        raise ValueError(
            f"a grid must have places of a pixel at least; got {tuple(grid)} on pictures of "
            f"{tuple(size)}. Take a coarser grid."
        )


def check_size(pictures: Tensor, size: tuple[int, ...]) -> None:
    """Refuse pictures of another size than the network was built for."""
    if tuple(pictures.shape[2:]) != tuple(size):
        raise ValueError(
            f"pictures must have the size {tuple(size)} that the network was built for; got "
            f"{tuple(pictures.shape[2:])}. Shrink them."
        )
