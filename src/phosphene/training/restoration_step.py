"""Training of a network that restores corrupted pictures."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_option, check_positive
from phosphene.losses.restoration import cross_entropy_loss, l2_penalty, mse_loss, rmse_loss
from phosphene.training.devices import ALONE, Devices
from phosphene.training.ema import EMA
from phosphene.training.schedule import make_schedule
from phosphene.training.seeding import draw_seed, seeded

LOSSES: dict[str, Callable[..., Tensor]] = {
    "rmse": rmse_loss,
    "mse": mse_loss,
    "cross_entropy": cross_entropy_loss,
}
OPTIMIZERS = ("adam", "adadelta")


class DrawnCorruption(Protocol):
    """Corrupted pictures, such as `phosphene.augment.corruption.Corrupted`."""

    @property
    def images(self) -> Float[Tensor, "batch color height width"]:
        """What the network is shown."""
        ...


class RestorationStep:
    """Update a network on a batch of (pictures,): corrupt them anew, restore them, compare.

    Parameters
    ----------
    network
        From corrupted pictures to restored ones, both in [0, 1].
    rng
        Source of all draws: corruptions and dropout.
    corruption
        Called with pictures and `generator=rng`, such as a `Corruption`.
    loss
        "rmse", "mse" or "cross_entropy", see `phosphene.losses.restoration`.
    optimizer
        "adam", or "adadelta" (the paper tried both and found Adam better).
    lr
        Its step. Adadelta sets its own, which this multiplies; 1 leaves it.
    l2
        Factor of the sum of squared weights that is added to the loss (equation 17; lambda is not
        given).
    clip
        Largest norm of all gradients together; None does not limit it.
    ema_decay
        Weight of the past in the averaged network; None keeps no average.
    schedule, n_steps, n_warmup
        Course of the learning rate, see `make_schedule`.
    devices
        Processes that train together.

    References
    ----------
    Haque, Yousuf and Rana, https://arxiv.org/abs/1801.05141, sections 4.2.3 to 5.3
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        rng: torch.Generator,
        corruption: Callable[..., DrawnCorruption],
        loss: str = "rmse",
        optimizer: str = "adam",
        lr: float = 1e-3,
        l2: float = 0.0,
        clip: float | None = None,
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_option("loss", loss, LOSSES)
        check_option("optimizer", optimizer, OPTIMIZERS)
        check_positive("lr", lr)
        check_at_least("l2", l2, 0)
        if clip is not None:
            check_positive("clip", clip)
        self.network, self.rng, self.corruption, self.devices = network, rng, corruption, devices
        self.device = next(network.parameters()).device
        self.loss, self.l2, self.clip = loss, l2, clip
        self.weights = list(network.parameters())
        self.optimizer: torch.optim.Optimizer = (
            torch.optim.Adam(self.weights, lr=lr, fused=True)
            if optimizer == "adam"
            else torch.optim.Adadelta(self.weights, lr=lr)
        )
        self.schedule = make_schedule(
            self.optimizer, kind=schedule, n_steps=n_steps, n_warmup=n_warmup
        )
        self.ema = EMA(network, decay=ema_decay) if ema_decay is not None else None
        self.parts: dict[str, Any] = {
            "network": network,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "rng": rng,
        }
        if self.ema is not None:
            self.parts["ema"] = self.ema

    @property
    def sampler(self) -> nn.Module:
        """The network to restore with, in evaluation mode: the average if one is kept."""
        return self.network.eval() if self.ema is None else self.ema.module

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update on (pictures,) in [0, 1]; labels, if the batch has them, are not used."""
        pictures = batch[0].to(self.device)
        corrupted = self.corruption(pictures, generator=self.rng).images
        pictures, corrupted = self.devices.rows(pictures), self.devices.rows(corrupted)
        self.network.train()
        with seeded(draw_seed(self.rng), device=self.device):  # dropout takes no generator
            restored = self.network(corrupted)
        error = LOSSES[self.loss](restored, pictures, mean=self._mean_of_batch)
        loss = error + self.l2 * l2_penalty(self.weights) if self.l2 else error
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.devices.average_gradients(self.weights)
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.weights, self.clip)
        self.optimizer.step()
        self.schedule.step()
        if self.ema is not None:
            self.ema.update(self.network)
        return {"loss": loss.detach(), "error": error.detach()}

    def _mean_of_batch(self, values: Tensor) -> Tensor:
        return self.devices.mean(values.mean())
