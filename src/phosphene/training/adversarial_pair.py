"""Two networks that train against each other, with all that their train steps have in common."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_option, check_positive
from phosphene.augment.diff_augment import diff_augment
from phosphene.training.devices import ALONE, Devices
from phosphene.training.ema import EMA
from phosphene.training.schedule import make_schedule

NOISE_LAWS = ("normal", "uniform")


class AdversarialPair:
    """A generator and a discriminator with optimisers, course, average and source of draws.

    What is drawn, in which order, and what the losses are is left to the train step that holds it.

    Parameters
    ----------
    generator
        Network with an attribute `n_noise`.
    discriminator
        Its opponent.
    rng
        Source of all draws.
    lr_generator, lr_discriminator
        Adam steps.
    betas, eps
        Adam's averages and term under the fraction, for both networks.
    noise
        Law of z: "normal", or "uniform" in (-1, 1).
    policy
        Steps of `diff_augment`.
    ema_decay
        Weight of the past in the averaged generator; None keeps no average.
    schedule, n_steps, n_warmup
        Course of both learning rates, see `make_schedule`.
    devices
        Processes that train together.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        rng: torch.Generator,
        lr_generator: float,
        lr_discriminator: float,
        betas: tuple[float, float],
        eps: float,
        noise: str = "normal",
        policy: Sequence[str] = (),
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_option("noise", noise, NOISE_LAWS)
        check_positive("lr_generator", lr_generator)
        check_positive("lr_discriminator", lr_discriminator)
        self.generator, self.discriminator, self.rng = generator, discriminator, rng
        self.noise, self.policy, self.devices = noise, tuple(policy), devices
        self.device = next(generator.parameters()).device
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=lr, betas=betas, eps=eps, fused=True)
            for network, lr in ((discriminator, lr_discriminator), (generator, lr_generator))
        ]
        self.schedules = [
            make_schedule(optimizer, kind=schedule, n_steps=n_steps, n_warmup=n_warmup)
            for optimizer in self.optimizers
        ]
        self.ema = EMA(generator, decay=ema_decay) if ema_decay is not None else None
        self.parts: dict[str, Any] = {
            "generator": generator,
            "discriminator": discriminator,
            "optimizer_discriminator": self.optimizers[0],
            "optimizer_generator": self.optimizers[1],
            "schedule_discriminator": self.schedules[0],
            "schedule_generator": self.schedules[1],
            "rng": rng,
        }
        if self.ema is not None:
            self.parts["ema"] = self.ema

    @property
    def sampler(self) -> nn.Module:
        """The generator to make pictures with, in evaluation mode: the average if one is kept."""
        return self.generator.eval() if self.ema is None else self.ema.module

    @property
    def n_done(self) -> int:
        """How many steps are finished; the schedules count them."""
        return self.schedules[1].last_epoch

    def draw_noise(self, n: int) -> Float[Tensor, "batch noise"]:
        """Draw z for the n pictures of this process."""
        n_noise = int(self.generator.n_noise)  # pyright: ignore[reportArgumentType]
        shape = torch.Size((n * self.devices.n, n_noise))
        if self.noise == "normal":
            return self.devices.rows(self.draw_normal(shape))
        draws = torch.rand(shape, generator=self.rng, device=self.rng.device)
        return self.devices.rows((2 * draws - 1).to(self.device))

    def draw_normal(self, shape: torch.Size) -> Tensor:
        """Draw standard normal numbers, the same in every process."""
        return torch.randn(shape, generator=self.rng, device=self.rng.device).to(self.device)

    def augment(self, images: Float[Tensor, "*dims"]) -> Float[Tensor, "*dims"]:
        """Augment the pictures of this process, drawn anew at each call."""
        part = (self.devices.rank, self.devices.n)
        return diff_augment(images, policy=self.policy, generator=self.rng, part=part)

    def update_discriminator(self, loss: Float[Tensor, ""]) -> None:
        """Move the discriminator down the slope of its loss."""
        self._update(0, self.discriminator, loss)

    def update_generator(self, loss: Float[Tensor, ""]) -> None:
        """Move the generator down the slope of its loss."""
        self._update(1, self.generator, loss)

    def finish_step(self) -> None:
        """Go on to the next learning rates, and take the generator into its average."""
        for schedule in self.schedules:
            schedule.step()
        if self.ema is not None:
            self.ema.update(self.generator)

    def _update(self, place: int, network: nn.Module, loss: Tensor) -> None:
        self.optimizers[place].zero_grad(set_to_none=True)
        loss.backward()
        self.devices.average_gradients(network.parameters())
        self.optimizers[place].step()
