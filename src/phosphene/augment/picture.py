"""Light augmentation of pictures for classifiers."""

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor


def jitter_pictures(
    images: Float[Tensor, "batch color height width"],
    *,
    max_shift: int = 0,
    contrast: float = 0.0,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch color height width"]:
    """Shift, stretch and blur pictures with noise, each by its own draws.

    Parameters
    ----------
    images
        Pictures in [-1, 1].
    max_shift
        Largest shift along each axis in pixels; border pixels repeat.
    contrast
        Largest relative change of the distance to the picture's mean.
    noise
        Standard deviation of white noise.
    generator
        Source of the draws (on the CPU).
    """
    n_pictures, color, height, width = images.shape
    if max_shift:
        padded = F.pad(images, (max_shift,) * 4, mode="replicate")
        starts = torch.randint(2 * max_shift + 1, (2, n_pictures, 1), generator=generator)
        starts = starts.to(images.device)
        rows = starts[0] + torch.arange(height, device=images.device)
        columns = starts[1] + torch.arange(width, device=images.device)
        picture = torch.arange(n_pictures, device=images.device)[:, None, None, None]
        plane = torch.arange(color, device=images.device)[:, None, None]
        images = padded[picture, plane, rows[:, None, :, None], columns[:, None, None, :]]
    if contrast:
        mean = images.mean((1, 2, 3), keepdim=True)
        factor = 1 + contrast * (2 * torch.rand(n_pictures, 1, 1, 1, generator=generator) - 1)
        images = (images - mean) * factor.to(images) + mean
    if noise:
        images = images + noise * torch.randn(images.shape, generator=generator).to(images)
    return images
