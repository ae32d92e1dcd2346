"""A trained restorer of pictures: what a run scores is what a bundle holds."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_finite
from phosphene.augment.corruption import parse_corruption

MAX_VALUES = 1 << 20
"""Values of the pictures that are restored at a time."""


def network_sizes(network: nn.Module) -> tuple[tuple[int, int], int]:
    """Return rows and columns of the pictures that a restorer was built for, and its channels.

    Raises
    ------
    ValueError
        For a network that says nothing of them: it restores no pictures.
    """
    size, color = (getattr(network, name, None) for name in ("size", "color"))
    is_size = isinstance(size, tuple) and len(size) == 2 and all(isinstance(s, int) for s in size)
    if not is_size or not isinstance(color, int):
        raise ValueError(
            "a network that restores pictures has `size` (rows, columns) and `color` (channels); "
            f"{type(network).__name__} has not. Take another network."
        )
    return size, color  # pyright: ignore[reportReturnType]


class PictureToPicture:
    """A network that restores pictures, with what it expects of them.

    Weights stay as they were passed; restoring puts the network into evaluation mode.

    Parameters
    ----------
    network
        Called with pictures ``(picture, color, height, width)`` in [0, 1]; returns such.
    size
        Rows and columns of its pictures.
    color
        Their channels: 1 (grey) or 3 (RGB).
    corruption
        What the network was trained to undo, as `parse_corruption` reads it.

    Raises
    ------
    ValueError
        When the network was built for other pictures, or the corruption cannot be read.
    """

    def __init__(
        self, network: nn.Module, *, size: tuple[int, int], color: int, corruption: str
    ) -> None:
        found = network_sizes(network)
        pairs = {"size": (tuple(size), found[0]), "channels": (color, found[1])}
        for what, (wanted, built) in pairs.items():
            if wanted != built:
                raise ValueError(
                    f"network and specification must agree in the {what} of pictures; the network "
                    f"was built for {built}, not {wanted}. Export the run again."
                )
        parse_corruption(corruption)
        self.network = network
        self.size, self.color, self.corruption = (size[0], size[1]), color, corruption

    def restore(
        self, pictures: Float[np.ndarray, "picture color height width"]
    ) -> Float[np.ndarray, "picture color height width"]:
        """Restore corrupted pictures.

        Parameters
        ----------
        pictures
            float32 in [0, 1], of `size` and `color`.

        Returns
        -------
        np.ndarray
            float32 in [0, 1], of the same shape.

        Raises
        ------
        ValueError
            For pictures of another size, number of channels or range, and weights that give no
            finite pictures.
        """
        restored = np.empty(pictures.shape, np.float32)
        for rows, part in self.restore_parts(pictures):
            restored[rows] = part
        return restored

    def restore_parts(
        self, pictures: Float[np.ndarray, "picture color height width"]
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Restore as `restore` does, in parts that need little memory.

        Yields
        ------
        tuple
            Which pictures, and what became of them.
        """
        height, width = self.size
        shape = (self.color, height, width)
        if pictures.ndim != 4 or pictures.shape[1:] != shape:
            raise ValueError(
                "pictures must have the channels and the size of those of the training, (picture, "
                f"{self.color}, {height}, {width}); got {pictures.shape}. Resize them."
            )
        check_finite("pictures", pictures)
        if pictures.size and not 0 <= pictures.min() <= pictures.max() <= 1:
            raise ValueError(
                f"pictures must lie in [0, 1]; got {pictures.min():g} to {pictures.max():g}. "
                "Divide bytes by 255."
            )
        at_once = max(1, MAX_VALUES // (self.color * height * width))
        self.network.eval()
        for first in range(0, len(pictures), at_once):
            rows = slice(first, min(first + at_once, len(pictures)))
            part = torch.from_numpy(np.ascontiguousarray(pictures[rows], dtype=np.float32))
            yield rows, self._restore(part)

    @torch.no_grad()
    def _restore(self, part: Tensor) -> np.ndarray:
        restored = self.network(part).numpy()
        if restored.shape != tuple(part.shape) or not np.isfinite(restored).all():
            raise ValueError(
                f"a network must make finite pictures of the same shape {tuple(part.shape)}; the "
                f"weights of this one do not, or it made {restored.shape}. Export the run again."
            )
        return restored.clip(0, 1)
