"""A small picture classifier: the judge of generated pictures and the extractor of scores."""

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene.models.layers import check_columns


class PictureCNN(nn.Module):
    """Classify small pictures; trains in seconds on a thousand of them.

    Convolutions of stride 2 with batch norm and ReLU halve the picture down to 4 pixels, the mean
    over those is the feature vector. Its 128 values are not negative.

    Parameters
    ----------
    n_classes
        Classes to tell apart.
    size
        Height and width of the pictures, at least 8.
    color
        Planes of the picture.
    width
        Planes after the first convolution; doubled by each further one up to 128.
    """

    n_features = 128

    def __init__(self, n_classes: int, *, size: int, color: int, width: int = 32) -> None:
        super().__init__()
        if size < 8:
            raise ValueError(f"`size` must be at least 8 pixels; got {size}. Enlarge the pictures.")
        self.n_classes, self.size, self.color = n_classes, size, color
        layers: list[nn.Module] = []
        n_in, n_out = color, min(width, self.n_features)
        while True:
            last = size <= 8
            n_out = self.n_features if last else n_out
            layers += [nn.Conv2d(n_in, n_out, 3, 2, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(n_out), nn.ReLU()]
            if last:
                break
            size, n_in, n_out = (size + 1) // 2, n_out, min(2 * n_out, self.n_features)
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(self.n_features, n_classes)

    def features(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch feature"]:
        """Return the values before the last linear map, for distances between pictures."""
        check_columns("images", images, self.color, "colour planes")
        check_columns("images", images, self.size, "rows", axis=2)
        maps = self.body(images.contiguous(memory_format=torch.channels_last))
        return F.adaptive_avg_pool2d(maps, 1).flatten(1)

    def forward(
        self, images: Float[Tensor, "batch color height width"]
    ) -> Float[Tensor, "batch classes"]:
        """Return logits for pictures in [-1, 1]."""
        return self.head(self.features(images))
