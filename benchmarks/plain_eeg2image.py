"""EEG2Image ported to torch line by line, without any thought of speed: what we are compared with.

The condition is tiled to planes and joined to the picture, tensors are contiguous (batch, color,
height, width), every sub-step makes its own pictures, Adam is torch's default, and the triplet loss
compares all triplets by masks of batch x batch x batch, as tensorflow-addons does, without a copy
or a gradient more than that takes. Gradients are
taken for the updated network alone, as under a GradientTape. `take_weights` copies the weights of
our networks, so that both can be asked for the same answers.
"""

import re
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from phosphene.models.discriminators.dcgan import DCGANDiscriminator
from phosphene.models.encoders.lstm import LSTMEncoder
from phosphene.models.generators.dcgan import DCGANGenerator


class PlainGenerator(nn.Module):
    """Transposed convolutions with TensorFlow's padding: full size, last row and column cut off."""

    def __init__(self, *, n_inputs: int, size: int, color: int, widths: list[int]) -> None:
        super().__init__()
        self.first = nn.ConvTranspose2d(n_inputs, widths[0], 3, 4, output_padding=1, bias=False)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(n_in, n_out, 3, 2, bias=False) for n_in, n_out in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3, momentum=0.01) for n in widths[1:])
        self.last = nn.Conv2d(widths[-1], color, 3, padding=1, bias=False)

    def forward(self, z: Tensor, f: Tensor) -> Tensor:
        """Return pictures in [-1, 1]."""
        maps = F.leaky_relu(self.first(torch.cat([z, f], 1)[:, :, None, None]), 0.3)
        for grow, norm in zip(self.grow, self.norms, strict=True):
            maps = F.leaky_relu(norm(grow(maps)[:, :, :-1, :-1]), 0.3)
        return torch.tanh(self.last(maps))

    @classmethod
    def take_weights(cls, ours: DCGANGenerator) -> "PlainGenerator":
        """Return a plain generator with the weights of ours, which holds maps turned around."""
        layers: list[Any] = [ours.first, *ours.grow]
        plain = cls(
            n_inputs=ours.n_noise + ours.n_features,
            size=ours.size,
            color=ours.color,
            widths=[layer.out_channels for layer in layers],
        )
        plain.load_state_dict(_turned(ours.state_dict()))
        return plain


class PlainDiscriminator(nn.Module):
    """Convolutions of the picture joined by one constant plane per feature."""

    def __init__(self, *, n_inputs: int, widths: list[int], strides: list[int], n_map: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 3, stride, bias=False)
            for n_in, n_out, stride in zip([n_inputs, *widths], widths, strides, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3, momentum=0.01) for n in widths)
        self.head = nn.Linear(n_map, 1)

    def forward(self, images: Tensor, f: Tensor) -> Tensor:
        """Return one logit per picture."""
        planes = f[:, :, None, None].repeat(1, 1, *images.shape[2:])
        maps = torch.cat([images, planes], 1)
        for stage, norm in zip(self.stages, self.norms, strict=True):
            maps = F.pad(maps, (0, 1, 0, 1) if stage.stride == (2, 2) else (1, 1, 1, 1))
            maps = F.leaky_relu(norm(stage(maps)), 0.2)
        return self.head(maps.flatten(1)).squeeze(1)

    @classmethod
    def take_weights(cls, ours: DCGANDiscriminator) -> "PlainDiscriminator":
        """Return a plain discriminator with the weights of ours."""
        layers: list[Any] = [ours.first, *ours.stages]
        state = {
            re.sub(r"^stages\.(\d)", lambda found: f"stages.{int(found[1]) + 1}", name).replace(
                "first.", "stages.0."
            ): value
            for name, value in _turned(ours.state_dict()).items()
        }
        side = int(ours.head.in_features**0.5)
        state["head.weight"] = state["head.weight"].view(1, side, side).flip(1, 2).flatten(1)
        plain = cls(
            n_inputs=ours.color + ours.n_features,
            widths=[layer.weight.shape[0] for layer in layers],
            strides=[
                layer.stride if isinstance(layer.stride, int) else layer.stride[0]
                for layer in layers
            ],
            n_map=side**2,
        )
        plain.load_state_dict(state)
        return plain


def _turned(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn all kernels by 180 degrees."""
    return {k: (w.flip(2, 3) if w.ndim == 4 else w).clone() for k, w in state.items()}


class PlainGANStep:
    """One discriminator update, then one generator update, as the released code orders them."""

    def __init__(
        self,
        generator: PlainGenerator,
        discriminator: PlainDiscriminator,
        *,
        n_noise: int,
        rng: torch.Generator,
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.n_noise, self.rng = n_noise, rng
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=3e-4, betas=(0.2, 0.5), eps=1e-7)
            for network in (discriminator, generator)
        ]

    def __call__(self, real: Tensor, f: Tensor) -> dict[str, Tensor]:
        """Update both networks; return both losses."""
        z1 = 2 * torch.rand(len(f), self.n_noise, generator=self.rng) - 1
        fake = self.generator(z1, f).detach()
        real_logits = self.discriminator(self._augment(real), f)
        fake_logits = self.discriminator(self._augment(fake), f)
        loss_d = (F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()) / 2
        self.optimizers[0].zero_grad()
        loss_d.backward()
        self.optimizers[0].step()

        self.discriminator.requires_grad_(False)
        fake1 = self.generator(z1, f)
        loss_g = -self.discriminator(self._augment(fake1), f).mean()
        z2 = 2 * torch.rand(len(f), self.n_noise, generator=self.rng) - 1
        fake2 = self.generator(z2, f)
        loss_g = loss_g - self.discriminator(self._augment(fake2), f).mean()
        noises = torch.cat([z1, f], 1), torch.cat([z2, f], 1)
        ratio = (fake2 - fake1).abs().mean() / (noises[1] - noises[0]).abs().mean()
        loss_g = loss_g + 1 / (ratio + 1e-5)
        self.optimizers[1].zero_grad()
        loss_g.backward()
        self.optimizers[1].step()
        self.discriminator.requires_grad_(True)
        return {"loss_discriminator": loss_d.detach(), "loss": loss_g.detach()}

    def _augment(self, images: Tensor) -> Tensor:
        n, rng = len(images), self.rng
        images = images + (torch.rand(n, 1, 1, 1, generator=rng) - 0.5)
        mean = images.mean(1, keepdim=True)
        images = (images - mean) * (torch.rand(n, 1, 1, 1, generator=rng) * 2) + mean
        mean = images.mean((1, 2, 3), keepdim=True)
        images = (images - mean) * (torch.rand(n, 1, 1, 1, generator=rng) + 0.5) + mean
        height, width = images.shape[2:]
        reach = int(height * 0.125 + 0.5), int(width * 0.125 + 0.5)
        moves = [torch.randint(-r, r + 1, (n, 1, 1), generator=rng) for r in reach]
        batch, rows, columns = torch.meshgrid(
            torch.arange(n), torch.arange(height), torch.arange(width), indexing="ij"
        )
        rows = (rows + moves[0] + 1).clamp(0, height + 1)
        columns = (columns + moves[1] + 1).clamp(0, width + 1)
        padded = F.pad(images, (1, 1, 1, 1)).permute(0, 2, 3, 1).contiguous()
        return padded[batch, rows, columns].permute(0, 3, 1, 2).contiguous()


def plain_triplet_loss(features: Tensor, labels: Tensor, *, margin: float = 1.0) -> Tensor:
    """Return tensorflow-addons' semi-hard triplet loss, with its masks over all triplets.

    Masks only choose: gradients flow through the chosen distances, not through batch**3 numbers.
    """
    lengths = features.square().sum(1)
    gaps = (lengths[:, None] + lengths[None, :] - 2 * features @ features.T).clamp(min=0)
    zero = gaps <= 0
    itself = torch.eye(len(labels), dtype=torch.bool)
    distances = (gaps + zero * 1e-16).sqrt().masked_fill(zero | itself, 0)
    same = labels[:, None] == labels[None, :]
    negative = _negatives_by_masks(distances.detach(), same)
    hinge = (margin + distances - distances.gather(1, negative)).clamp(min=0)
    positive = same & ~itself
    return (hinge * positive).sum() / positive.sum()


@torch.no_grad()
def _negatives_by_masks(distances: Tensor, same: Tensor) -> Tensor:
    """Compare every (anchor, positive) with every candidate: (batch, batch, batch)."""
    strangers = distances.masked_fill(same, torch.inf)
    farther = strangers[:, None, :] > distances[:, :, None]
    nearest, outside = torch.where(farther, strangers[:, None, :], torch.inf).min(2)
    inside = distances.masked_fill(same, -torch.inf).argmax(1, keepdim=True)
    return torch.where(nearest.isinf(), inside, outside)


class PlainEncoderStep:
    """The encoder's update with the triplet loss by masks."""

    def __init__(self, n_chans: int, *, ours: LSTMEncoder) -> None:
        sizes = [n_chans, *(layer.hidden_size for layer in ours.layers)]  # pyright: ignore
        self.layers = nn.ModuleList(
            nn.LSTM(n_in, n_out, batch_first=True) for n_in, n_out in pairwise(sizes)
        )
        self.layers.load_state_dict(ours.layers.state_dict())
        self.optimizer = torch.optim.Adam(self.layers.parameters(), lr=3e-4, eps=1e-7)

    def features(self, signals: Tensor) -> Tensor:
        """Encode (batch, chan, time)."""
        hidden = signals.transpose(1, 2)
        for layer in self.layers:
            hidden, _ = layer(hidden)
        return hidden[:, -1]

    def __call__(self, signals: Tensor, labels: Tensor) -> Tensor:
        """Update the encoder; return the loss."""
        loss = plain_triplet_loss(F.normalize(self.features(signals)), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()
