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

    References
    ----------
    Zhao et al., NeurIPS 2020, https://arxiv.org/abs/2006.10738
    """
    for name in policy:
        check_option("policy", name, _STEPS)
        images = _STEPS[name](images, generator)
    return images


def _uniform(images: Tensor, generator: torch.Generator | None) -> Tensor:
    device = images.device if generator is None else generator.device
    draws = torch.rand(len(images), 1, 1, 1, generator=generator, device=device)
    return draws.to(images)


def _integers(high: int, images: Tensor, generator: torch.Generator | None) -> Tensor:
    device = images.device if generator is None else generator.device
    draws = torch.randint(high, (len(images), 1), generator=generator, device=device)
    return draws.to(images.device)


def _color(images: Tensor, generator: torch.Generator | None) -> Tensor:
    images = images + (_uniform(images, generator) - 0.5)
    grey = images.mean(1, keepdim=True)
    images = (images - grey) * (_uniform(images, generator) * 2) + grey
    mean = images.mean((1, 2, 3), keepdim=True)
    return (images - mean) * (_uniform(images, generator) + 0.5) + mean


def _translation(images: Tensor, generator: torch.Generator | None) -> Tensor:
    rows, row_inside = _shifted(images, images.shape[2], generator)
    columns, column_inside = _shifted(images, images.shape[3], generator)
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]]
    inside = row_inside[:, :, None] & column_inside[:, None, :]
    return (moved * inside.unsqueeze(3)).permute(0, 3, 1, 2)


def _shifted(
    images: Tensor, length: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Return the source index of each row after a random shift, and whether it exists."""
    reach = int(length * 0.125 + 0.5)
    shift = _integers(2 * reach + 1, images, generator) - reach
    source = torch.arange(length, device=images.device) + shift  # (batch, length)
    inside = (source >= 0) & (source < length)
    return source.clamp(0, length - 1), inside


def _cutout(images: Tensor, generator: torch.Generator | None) -> Tensor:
    rows = _hole(images, images.shape[2], generator)
    columns = _hole(images, images.shape[3], generator)
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _hole(images: Tensor, length: int, generator: torch.Generator | None) -> Tensor:
    """Mark half a length around a random centre; holes may reach over the border."""
    size = int(length * 0.5 + 0.5)
    start = _integers(length + (1 - size % 2), images, generator) - size // 2
    place = torch.arange(length, device=images.device)
    return (place >= start) & (place < start + size)


_STEPS: dict[str, Callable[[Tensor, torch.Generator | None], Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}
