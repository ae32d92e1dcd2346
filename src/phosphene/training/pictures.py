"""Pictures between their two forms: bytes at the edges, floats in [-1, 1] inside."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def tensor_from_pixels(
    pixels: UInt8[np.ndarray, "batch height width color"],
) -> Float[Tensor, "batch color height width"]:
    """Map bytes 0..255 to floats -1..1 and put colour first."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return tensor.float() / 127.5 - 1


def pixels_from_tensor(
    images: Float[Tensor, "batch color height width"],
) -> UInt8[np.ndarray, "batch height width color"]:
    """Map floats to the nearest bytes, values beyond -1 and 1 to 0 and 255, and put colour last."""
    scaled = ((images.detach() + 1) * 127.5).round().clamp(0, 255)
    return scaled.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
