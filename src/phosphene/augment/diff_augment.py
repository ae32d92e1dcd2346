"""Differentiable augmentation of pictures for training GANs on few of them."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from phosphene._checks import check_option


def diff_augment(
    images: Float[Tensor, "batch color height width"],
    *,
    policy: Sequence[str] = ("color", "translation"),
    generator: torch.Generator | None = None,
    part: tuple[int, int] = (0, 1),
) -> Float[Tensor, "batch color height width"]:
    """Change each picture at random in ways that gradients pass through.

    Parameters
    ----------
    images
        Pictures in [-1, 1]; the result may leave that range.
    policy
        Steps in order: "color" (brightness by up to 0.5, saturation by 0 to 2, contrast by 0.5 to
        1.5), "translation" (by up to an eighth of the size, zero fill), "cutout" (a square of half
        the size set to zero). The paper uses the first two.
    generator
        Source of the draws, independent per picture.
    part
        (k, n): the pictures are the k-th of n equal parts of a batch. Draws are made for all of it,
        so that the parts together change as the batch would.

    References
    ----------
    Zhao et al., NeurIPS 2020, https://arxiv.org/abs/2006.10738
    """
    draws = _Draws(generator, *part)
    for name in policy:
        check_option("policy", name, _STEPS)
        images = _STEPS[name](images, draws)
    return images


class _Draws:
    """Random numbers for pictures that are one of several parts of a batch."""

    def __init__(self, generator: torch.Generator | None, index: int, n_parts: int) -> None:
        self.generator, self.index, self.n_parts = generator, index, n_parts

    def uniform(self, images: Tensor) -> Tensor:
        shape = (self.n_parts * len(images), 1, 1, 1)
        draws = torch.rand(shape, generator=self.generator, device=self._device(images))
        return draws.chunk(self.n_parts)[self.index].to(images)

    def integers(self, high: int, images: Tensor) -> Tensor:
        shape = (self.n_parts * len(images), 1)
        draws = torch.randint(high, shape, generator=self.generator, device=self._device(images))
        return draws.chunk(self.n_parts)[self.index].to(images.device)

    def _device(self, images: Tensor) -> torch.device:
        return images.device if self.generator is None else self.generator.device


def _color(images: Tensor, draws: _Draws) -> Tensor:
    images = images + (draws.uniform(images) - 0.5)
    grey = images.mean(1, keepdim=True)
    images = (images - grey) * (draws.uniform(images) * 2) + grey
    mean = images.mean((1, 2, 3), keepdim=True)
    return (images - mean) * (draws.uniform(images) + 0.5) + mean


def _translation(images: Tensor, draws: _Draws) -> Tensor:
    rows, row_inside = _shifted(images, images.shape[2], draws)
    columns, column_inside = _shifted(images, images.shape[3], draws)
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]]
    inside = row_inside[:, :, None] & column_inside[:, None, :]
    return (moved * inside.unsqueeze(3)).permute(0, 3, 1, 2)


def _shifted(images: Tensor, length: int, draws: _Draws) -> tuple[Tensor, Tensor]:
    """Return the source index of each row after a random shift, and whether it exists."""
    reach = int(length * 0.125 + 0.5)
    shift = draws.integers(2 * reach + 1, images) - reach
    source = torch.arange(length, device=images.device) + shift  # (batch, length)
    inside = (source >= 0) & (source < length)
    return source.clamp(0, length - 1), inside


def _cutout(images: Tensor, draws: _Draws) -> Tensor:
    rows = _hole(images, images.shape[2], draws)
    columns = _hole(images, images.shape[3], draws)
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _hole(images: Tensor, length: int, draws: _Draws) -> Tensor:
    """Mark half a length around a random centre; holes may reach over the border."""
    size = int(length * 0.5 + 0.5)
    start = draws.integers(length + (1 - size % 2), images) - size // 2
    place = torch.arange(length, device=images.device)
    return (place >= start) & (place < start + size)


_STEPS: dict[str, Callable[[Tensor, _Draws], Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}
