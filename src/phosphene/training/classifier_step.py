"""Training of picture classifiers."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_positive
from phosphene.augment.diff_augment import diff_augment
from phosphene.augment.picture import jitter_pictures
from phosphene.training.devices import ALONE, Devices
from phosphene.training.schedule import make_schedule


class ClassifierStep:
    """Update a classifier by cross-entropy on a batch of (pictures or windows, labels).

    Parameters
    ----------
    network
        From pictures in [-1, 1], or z-scored windows, to logits.
    rng
        Source of all draws.
    lr
        AdamW step.
    weight_decay
        Decoupled decay.
    schedule, n_steps, n_warmup
        Course of the learning rate, see `make_schedule`.
    label_smoothing
        Share of the target spread over all classes.
    max_shift, contrast, noise
        Light augmentation of pictures, see `jitter_pictures`; all 0 is none.
    policy
        Steps of `diff_augment` on top, for a network that is to see pictures so augmented.
    devices
        Processes that train together.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        rng: torch.Generator,
        lr: float = 2e-3,
        weight_decay: float = 1e-2,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        label_smoothing: float = 0.0,
        max_shift: int = 0,
        contrast: float = 0.0,
        noise: float = 0.0,
        policy: Sequence[str] = (),
        devices: Devices = ALONE,
    ) -> None:
        check_positive("lr", lr)
        self.network, self.rng, self.devices = network, rng, devices
        self.device = next(network.parameters()).device
        self.label_smoothing = label_smoothing
        self.max_shift, self.contrast, self.noise = max_shift, contrast, noise
        self.policy = tuple(policy)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=lr, weight_decay=weight_decay, fused=True
        )
        self.schedule = make_schedule(
            self.optimizer, kind=schedule, n_steps=n_steps, n_warmup=n_warmup
        )
        self.parts: dict[str, Any] = {
            "network": network,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "rng": rng,
        }

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update on (pictures, labels)."""
        images, labels = (tensor.to(self.device) for tensor in batch)
        if self.max_shift or self.contrast or self.noise:
            images = jitter_pictures(
                images,
                max_shift=self.max_shift,
                contrast=self.contrast,
                noise=self.noise,
                generator=self.rng,
            )
        if self.policy:
            images = diff_augment(images, policy=self.policy, generator=self.rng)
        images, labels = self.devices.rows(images), self.devices.rows(labels)
        self.network.train()
        logits = self.network(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.devices.average_gradients(self.network.parameters())
        self.optimizer.step()
        self.schedule.step()
        accuracy = (logits.argmax(1) == labels).float().mean()
        return {"loss": loss.detach(), "accuracy": accuracy}

    @torch.no_grad()
    def probabilities(
        self, images: Float[Tensor, "batch color height width"], *, batch_size: int = 256
    ) -> Float[Tensor, "batch classes"]:
        """Return class probabilities in evaluation mode."""
        self.network.eval()
        parts = [self.network(part.to(self.device)) for part in images.split(batch_size)]
        return torch.cat(parts).softmax(1).cpu()
