"""Adversarial training of a signal generator by the Wasserstein distance."""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_option, check_positive
from phosphene.losses.wasserstein import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    literal_penalty,
    wasserstein_distance,
)
from phosphene.training.batches import Batches, IndexBatches
from phosphene.training.devices import ALONE, Devices
from phosphene.training.ema import EMA
from phosphene.training.schedule import make_schedule
from phosphene.training.seeding import draw_seed, seeded

PENALTIES = ("gradient", "literal")


class WGANStep:
    """Update the critic on a batch of signals; every `n_critic` steps then the generator too.

    Batches are (signals,); (signals, pictures) with one picture for each signal; or (signals,
    pictures, index) with each different picture once and its row for each signal, which encodes it
    once per network and update instead of once per signal and pass (`paired_batches` makes such).
    Generated signals are made for the pictures of the recorded ones.

    Recorded, generated and mixed signals go through the critic one after another, so that its batch
    norms normalise each by its own statistics, as three calls of the thesis' network do. One joint
    pass would take the same arithmetic, and other statistics. The generator's pass serves both
    updates of a step.

    Parameters
    ----------
    generator
        Network from (noise, pictures, index) to signals, pictures and index None without; with the
        attribute `noise_shape`.
    critic
        Network from (signals, pictures, index, codes) to one number per signal, with the attribute
        `picture_encoder`, a network from pictures to codes, or None.
    rng
        Source of all draws, dropout included.
    generator_lr, critic_lr
        Adam steps (thesis, section 4.1).
    betas
        Adam's averages, for both networks (thesis, section 4.1).
    n_critic
        Updates of the critic for each of the generator. Not in the thesis; 5 as Gulrajani et al.
        Steps, and schedules of both, count the critic's.
    penalty
        "gradient": one-sided, on slopes between recorded and generated signals (eq. 2.8);
        "literal": (r + g)^2 of the mean judgements, as chapter 4 says of its code, which bounds no
        slope (see `literal_penalty`).
    penalty_weight
        lambda. Not in the thesis; 10 as Gulrajani et al.
    distance_weighted
        Multiply the penalty by max(0, W) (eq. 2.9).
    drift
        Weight of the critic's mean squared judgement of recorded signals; not in the thesis.
    ema_decay
        Weight of the past in the averaged generator; None keeps no average.
    schedule, n_steps, n_warmup
        Course of both learning rates, see `make_schedule`.
    devices
        Processes that train together.

    References
    ----------
    LFPGAN thesis, sections 2.7 and 4.4, https://github.com/maraspr/LFPGAN; Gulrajani et al.,
    NeurIPS 2017, https://arxiv.org/abs/1704.00028; Hartmann et al., 2018,
    https://arxiv.org/abs/1806.01875
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        *,
        rng: torch.Generator,
        generator_lr: float = 1e-3,
        critic_lr: float = 1e-3,
        betas: tuple[float, float] = (0.0, 0.999),
        n_critic: int = 5,
        penalty: str = "gradient",
        penalty_weight: float = 10.0,
        distance_weighted: bool = True,
        drift: float = 0.0,
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_option("penalty", penalty, PENALTIES)
        check_positive("generator_lr", generator_lr)
        check_positive("critic_lr", critic_lr)
        check_positive("n_critic", n_critic)
        check_at_least("penalty_weight", penalty_weight, 0)
        check_at_least("drift", drift, 0)
        self.generator, self.critic, self.rng, self.devices = generator, critic, rng, devices
        self.device = next(generator.parameters()).device
        self.n_critic, self.penalty, self.penalty_weight = n_critic, penalty, penalty_weight
        self.distance_weighted, self.drift = distance_weighted, drift
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=lr, betas=betas, fused=True)
            for network, lr in ((critic, critic_lr), (generator, generator_lr))
        ]
        self.schedules = [
            make_schedule(
                optimizer,
                kind=schedule,
                n_steps=None if n_steps is None else max(1, n_steps // every),
                n_warmup=n_warmup // every,
            )
            for optimizer, every in zip(self.optimizers, (1, n_critic), strict=True)
        ]
        self.ema = EMA(generator, decay=ema_decay) if ema_decay is not None else None
        self.parts: dict[str, Any] = {
            "generator": generator,
            "critic": critic,
            "optimizer_critic": self.optimizers[0],
            "optimizer_generator": self.optimizers[1],
            "schedule_critic": self.schedules[0],
            "schedule_generator": self.schedules[1],
            "rng": rng,
        }
        if self.ema is not None:
            self.parts["ema"] = self.ema

    @property
    def sampler(self) -> nn.Module:
        """The generator to make signals with, in evaluation mode: the average if one is kept."""
        return self.generator.eval() if self.ema is None else self.ema.module

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update on (signals,), (signals, pictures) or (signals, pictures, index).

        "loss" is the critic's, "distance" its W, "penalty" without lambda; "loss_generator" is
        there where the generator was updated.
        """
        real, pictures, index = self._to_device(batch)
        self.generator.train()
        self.critic.train()
        generates = (self.schedules[0].last_epoch + 1) % self.n_critic == 0
        with seeded(draw_seed(self.rng), device=self.device):  # dropout takes no generator
            with torch.set_grad_enabled(generates):
                fake = self.generator(self.draw_noise(len(real)), pictures, index)
            values = self._update_critic(real, fake.detach(), pictures, index)
            if generates:
                values |= self._update_generator(fake, pictures, index)
        return {name: value.detach() for name, value in values.items()}

    def draw_noise(self, n: int) -> Float[Tensor, "batch chan time"]:
        """Draw normal noise for the n signals of this process."""
        shape = (n * self.devices.n, *self.generator.noise_shape)  # pyright: ignore
        noise = torch.randn(shape, generator=self.rng, device=self.rng.device)
        return self.devices.rows(noise.to(self.device))

    def _to_device(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return this process' rows; pictures that an index points into are all of them."""
        real, *others = (tensor.to(self.device) for tensor in batch)
        real = self.devices.rows(real)
        if len(others) == 2:
            return real, others[0], self.devices.rows(others[1])
        return real, self.devices.rows(others[0]) if others else None, None

    def _update_critic(
        self, real: Tensor, fake: Tensor, pictures: Tensor | None, index: Tensor | None
    ) -> dict[str, Tensor]:
        codes = self._encode(pictures)

        def judge(signals: Tensor) -> Tensor:
            return self.critic(signals, None, index, codes)

        judged = judge(real), judge(fake)
        if self.penalty == "gradient":
            mix = torch.rand(len(real) * self.devices.n, generator=self.rng, device=self.rng.device)
            mix = self.devices.rows(mix.to(self.device))
            penalty = gradient_penalty(judge, real, fake, mix=mix, mean=self._mean)
        else:
            penalty = literal_penalty(*judged, mean=self._mean)
        loss = critic_loss(
            *judged,
            penalty=penalty,
            penalty_weight=self.penalty_weight,
            distance_weighted=self.distance_weighted,
            drift=self.drift,
            mean=self._mean,
        )
        self._descend(0, self.critic, loss)
        distance = wasserstein_distance(*(values.detach() for values in judged), mean=self._mean)
        return {"loss": loss, "distance": distance, "penalty": penalty}

    def _update_generator(
        self, fake: Tensor, pictures: Tensor | None, index: Tensor | None
    ) -> dict[str, Tensor]:
        self.critic.requires_grad_(False)
        loss = generator_loss(self.critic(fake, None, index, self._encode(pictures)))
        self._descend(1, self.generator, loss)
        self.critic.requires_grad_(True)
        if self.ema is not None:
            self.ema.update(self.generator)
        return {"loss_generator": loss}

    def _encode(self, pictures: Tensor | None) -> Tensor | None:
        return None if pictures is None else self.critic.picture_encoder(pictures)  # pyright: ignore

    def _descend(self, place: int, network: nn.Module, loss: Tensor) -> None:
        self.optimizers[place].zero_grad(set_to_none=True)
        loss.backward()
        self.devices.average_gradients(network.parameters())
        self.optimizers[place].step()
        self.schedules[place].step()

    def _mean(self, values: Tensor) -> Tensor:
        return self.devices.mean(values.mean())


def paired_batches(
    signals: Float[Tensor, "window chan time"],
    *,
    pictures: Float[Tensor, "picture color height width"],
    rows: Int64[Tensor, " row"],
    indices: IndexBatches,
) -> Batches:
    """Return batches of (signals, their different pictures, row of its picture for each signal).

    Parameters
    ----------
    signals
        Windows.
    pictures
        All pictures, each once.
    rows
        Row of `pictures` that each window was recorded with.
    indices
        Windows of each batch.
    """
    if len(signals) != len(rows):
        raise ValueError(
            f"every window must have its picture; got {len(signals)} windows and {len(rows)} rows "
            "of pictures. Select the same rows from each."
        )
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < len(pictures):
        raise ValueError(
            f"rows must point at one of the {len(pictures)} pictures; got {int(rows.min())} to "
            f"{int(rows.max())}. Pass all pictures that the windows were recorded with."
        )

    def batch(step: int) -> tuple[Tensor, ...]:
        chosen = indices(step)
        shown, index = rows[chosen].unique(return_inverse=True)
        return signals[chosen], pictures[shown], index

    return batch
