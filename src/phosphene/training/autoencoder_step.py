"""Training of an autoencoder, of signals or of pictures."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_positive
from phosphene.training.devices import ALONE, Devices
from phosphene.training.ema import EMA
from phosphene.training.schedule import make_schedule


class AutoencoderStep:
    """Update an autoencoder by the mean squared error between its input and what comes back.

    Defaults are those of the LFPGAN thesis (sections 4.1 to 4.3).

    Parameters
    ----------
    network
        From samples to samples of the same shape.
    rng
        Source of the noise, which alone needs one.
    lr
        Adam step.
    betas
        Adam's averages.
    noise
        Standard deviation of normal noise added to the input, not to what is asked for: a denoising
        autoencoder (Vincent et al., 2008). Not in the thesis.
    ema_decay
        Weight of the past in the averaged network; None keeps no average.
    schedule, n_steps, n_warmup
        Course of the learning rate, see `make_schedule`.
    devices
        Processes that train together.

    References
    ----------
    LFPGAN thesis, https://github.com/maraspr/LFPGAN; Vincent et al., ICML 2008,
    https://doi.org/10.1145/1390156.1390294
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        rng: torch.Generator | None = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.0, 0.999),
        noise: float = 0.0,
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_positive("lr", lr)
        check_at_least("noise", noise, 0)
        if noise and rng is None:
            raise ValueError(
                f"noise needs a source of draws; got {noise:g} and none. Pass `rng`, or set `noise`"
                " to 0."
            )
        self.network, self.rng, self.devices, self.noise = network, rng, devices, noise
        self.device = next(network.parameters()).device
        self.optimizer = torch.optim.Adam(network.parameters(), lr=lr, betas=betas, fused=True)
        self.schedule = make_schedule(
            self.optimizer, kind=schedule, n_steps=n_steps, n_warmup=n_warmup
        )
        self.ema = EMA(network, decay=ema_decay) if ema_decay is not None else None
        self.parts: dict[str, Any] = {
            "network": network,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
        }
        self.parts |= {} if rng is None else {"rng": rng}
        self.parts |= {} if self.ema is None else {"ema": self.ema}

    @property
    def sampler(self) -> nn.Module:
        """The network to use, in evaluation mode: the average if one is kept."""
        return self.network.eval() if self.ema is None else self.ema.module

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update on the first tensor of a batch: signals or pictures."""
        samples = batch[0].to(self.device)
        seen = samples
        if self.noise and self.rng is not None:
            draws = torch.randn(samples.shape, generator=self.rng, device=self.rng.device)
            seen = samples + self.noise * draws.to(self.device)
        samples, seen = self.devices.rows(samples), self.devices.rows(seen)
        self.network.train()
        loss = F.mse_loss(self.network(seen), samples)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.devices.average_gradients(self.network.parameters())
        self.optimizer.step()
        self.schedule.step()
        if self.ema is not None:
            self.ema.update(self.network)
        return {"loss": loss.detach()}
