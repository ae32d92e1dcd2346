"""Training of a flow from noise to data by matching velocities."""

from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_positive
from phosphene.training.devices import ALONE, Devices
from phosphene.training.ema import EMA
from phosphene.training.schedule import make_schedule
from phosphene.training.seeding import draw_seed, seeded


class FlowGenerator(Protocol):
    """A generator whose `flow` gives velocities at (points, times, condition)."""

    flow: nn.Module

    def condition(
        self, pictures: Tensor | None, index: Tensor | None = None, *, n: int
    ) -> Float[Tensor, "batch condition"]:
        """Return what is known of the picture of each of `n` windows."""
        ...

    def encode(
        self, windows: Float[Tensor, "batch ..."], condition: Float[Tensor, "batch condition"]
    ) -> Float[Tensor, "batch value"]:
        """Return the points that the flow has to end in."""
        ...


class FlowStep:
    """Update a generator's flow on a batch of (windows, pictures, index of each one's picture).

    A point of the data x1 and a normal one x0 are joined by a straight line; at a time t drawn
    evenly from 0 to 1 the flow is asked for the velocity x1 - x0 at (1 - t) x0 + t x1. The loss is
    the mean squared error. What minimises it carries normal noise to the data (Lipman et al.,
    theorem 2). The rest of the generator does not change.

    Parameters
    ----------
    generator
        A `FlowGenerator`, such as `LFPFlow`; only the weights of its `flow` are trained.
    rng
        Source of all draws.
    lr
        AdamW step.
    betas
        Its averages (torch's defaults).
    weight_decay
        Decoupled weight decay.
    condition_jitter
        Standard deviation of noise added to the condition, so that a flow that has seen few
        pictures does not learn each by heart.
    ema_decay
        Weight of the past in the averaged generator; None keeps no average.
    schedule, n_steps, n_warmup
        Course of the learning rate, see `make_schedule`.
    devices
        Processes that train together.

    References
    ----------
    Lipman et al., ICLR 2023, https://arxiv.org/abs/2210.02747, section 4.1 with sigma 0; Liu et
    al., ICLR 2023, https://arxiv.org/abs/2209.03003
    """

    def __init__(
        self,
        generator: nn.Module,
        *,
        rng: torch.Generator,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
        condition_jitter: float = 0.0,
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_positive("lr", lr)
        check_at_least("weight_decay", weight_decay, 0)
        check_at_least("condition_jitter", condition_jitter, 0)
        self.generator, self.rng, self.devices = generator, rng, devices
        self._flow_generator = cast(FlowGenerator, generator)
        self.weights = list(self._flow_generator.flow.parameters())
        self.device = self.weights[0].device
        self._conditions: dict[bytes, Tensor] = {}
        self.condition_jitter = condition_jitter
        self.optimizer = torch.optim.AdamW(
            self.weights, lr=lr, betas=betas, weight_decay=weight_decay, fused=True
        )
        self.schedule = make_schedule(
            self.optimizer, kind=schedule, n_steps=n_steps, n_warmup=n_warmup
        )
        self.ema = EMA(generator, decay=ema_decay) if ema_decay is not None else None
        self.parts: dict[str, Any] = {
            "generator": generator,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "rng": rng,
        }
        if self.ema is not None:
            self.parts["ema"] = self.ema

    @property
    def sampler(self) -> nn.Module:
        """The generator to draw with, in evaluation mode: the average if one is kept."""
        return self.generator.eval() if self.ema is None else self.ema.module

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update on (windows,), or (windows, pictures, index)."""
        pictures, index = (*batch[1:], None, None)[:2]
        ends, condition = self._describe(batch[0], pictures, index)
        starts = self._normal(ends.shape)
        times = torch.rand(len(ends), generator=self.rng, device=self.rng.device).to(self.device)
        if self.condition_jitter and condition.shape[1]:
            condition = condition + self.condition_jitter * self._normal(condition.shape)
        starts, ends, times, condition = (
            self.devices.rows(each) for each in (starts, ends, times, condition)
        )
        self.generator.train()
        points = torch.lerp(starts, ends, times[:, None])
        with seeded(draw_seed(self.rng), device=self.device):  # dropout takes no generator
            found = self._flow_generator.flow(points, times, condition)
        loss = F.mse_loss(found, ends - starts)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.devices.average_gradients(self.weights)
        self.optimizer.step()
        self.schedule.step()
        if self.ema is not None:
            self.ema.update(self.generator)
        return {"loss": loss.detach()}

    @torch.no_grad()
    def _describe(
        self, windows: Tensor, pictures: Tensor | None, index: Tensor | None
    ) -> tuple[Float[Tensor, "batch value"], Float[Tensor, "batch condition"]]:
        """Return where the flow has to end, and what it is told."""
        windows = windows.to(self.device)
        if pictures is None:
            condition = self._flow_generator.condition(None, n=len(windows))
        else:
            known = torch.cat([self._known(picture) for picture in pictures.split(1)])
            condition = known if index is None else known[index.to(self.device)]
        return self._flow_generator.encode(windows, condition), condition

    def _known(self, picture: Float[Tensor, "1 1 height width"]) -> Float[Tensor, "1 condition"]:
        """Return the condition of a picture, which training does not change: it is kept.

        Pictures are described one by one, so that the order in which they come changes no bit.
        """
        content = picture.cpu().numpy().tobytes()
        if content not in self._conditions:
            condition = self._flow_generator.condition(picture.to(self.device), n=1)
            self._conditions[content] = condition
        return self._conditions[content]

    def _normal(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.rng, device=self.rng.device).to(self.device)
