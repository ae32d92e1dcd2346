"""Training of a conditional variational autoencoder of pictures."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from phosphene._checks import check_at_least, check_option, check_positive
from phosphene.losses.vae import (
    bernoulli_reconstruction_loss,
    gaussian_divergence,
    gaussian_reconstruction_loss,
)
from phosphene.training.devices import ALONE, Devices
from phosphene.training.ema import EMA
from phosphene.training.schedule import make_schedule

LIKELIHOODS = ("gaussian", "bernoulli")


class VAEStep:
    """Update decoder and encoder together on a batch of (pictures, features).

    The encoder q(z | x, f) says which noise may have made the picture, one z is drawn from it, the
    decoder makes the picture again. The loss is the negative evidence lower bound: reconstruction
    plus divergence of q from the standard normal law, in nats per picture. Afterwards the decoder
    alone makes pictures from normal noise and features, as a GAN's generator does.

    Settings of the published VAE are not public; defaults are those of its time where it had any.

    Parameters
    ----------
    decoder
        Network from (z, f) to pictures in [-1, 1], with attributes `n_noise` and `n_features`.
    encoder
        Network from (pictures, f) to moments of z, (batch, 2, noise): mean and log variance.
    rng
        Source of all draws.
    lr
        Adam step for both networks (Kingma and Ba's default).
    betas, eps
        Adam's averages and term under the fraction (torch's defaults).
    likelihood
        "gaussian" or "bernoulli", see `phosphene.losses.vae`.
    deviation
        Of the Gaussian likelihood; None takes the most likely one.
    kl_weight
        Weight of the divergence; 1 is the bound itself.
    n_kl_warmup
        Steps over which that weight rises linearly from 0, so that z is used before it is made
        cheap (Bowman et al., 2016); 0 has the full weight from the first step.
    feature_jitter
        Standard deviation of normal noise added to the features, the same for both networks.
    ema_decay
        Weight of the past in the averaged decoder; None keeps no average.
    schedule, n_steps, n_warmup
        Course of the learning rate, see `make_schedule`.
    devices
        Processes that train together.

    References
    ----------
    Kingma and Welling, ICLR 2014, https://arxiv.org/abs/1312.6114; Sohn et al., NeurIPS 2015;
    Bowman et al., CoNLL 2016, https://arxiv.org/abs/1511.06349; Kavasidis et al., ACM Multimedia
    2017, https://doi.org/10.1145/3123266.3127907
    """

    noise = "normal"
    """Law of z that pictures are drawn with."""

    def __init__(
        self,
        decoder: nn.Module,
        encoder: nn.Module,
        *,
        rng: torch.Generator,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        likelihood: str = "gaussian",
        deviation: float | None = None,
        kl_weight: float = 1.0,
        n_kl_warmup: int = 0,
        feature_jitter: float = 0.0,
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_option("likelihood", likelihood, LIKELIHOODS)
        check_positive("lr", lr)
        check_at_least("kl_weight", kl_weight, 0)
        check_at_least("n_kl_warmup", n_kl_warmup, 0)
        if deviation is not None:
            check_positive("deviation", deviation)
        if deviation is not None and likelihood != "gaussian":
            raise ValueError(
                f"a deviation belongs to the Gaussian likelihood; got {deviation:g} and "
                f"{likelihood!r}. Set it to None, or choose 'gaussian'."
            )
        self.decoder, self.encoder, self.rng = decoder, encoder, rng
        self.devices = devices
        self.device = next(decoder.parameters()).device
        self.likelihood, self.deviation = likelihood, deviation
        self.kl_weight, self.n_kl_warmup = kl_weight, n_kl_warmup
        self.feature_jitter = feature_jitter
        self.weights = [*decoder.parameters(), *encoder.parameters()]
        self.optimizer = torch.optim.Adam(self.weights, lr=lr, betas=betas, eps=eps, fused=True)
        self.schedule = make_schedule(
            self.optimizer, kind=schedule, n_steps=n_steps, n_warmup=n_warmup
        )
        self.ema = EMA(decoder, decay=ema_decay) if ema_decay is not None else None
        self.parts: dict[str, Any] = {
            "decoder": decoder,
            "encoder": encoder,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "rng": rng,
        }
        if self.ema is not None:
            self.parts["ema"] = self.ema

    @property
    def sampler(self) -> nn.Module:
        """The decoder to make pictures with, in evaluation mode: the average if one is kept."""
        return self.decoder.eval() if self.ema is None else self.ema.module

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update on (pictures, features); labels, if the batch has them, are not used."""
        pictures, f = (tensor.to(self.device) for tensor in batch[:2])
        if self.feature_jitter:
            f = f + self.feature_jitter * self._normal(f.shape)
        pictures, f = self.devices.rows(pictures), self.devices.rows(f)
        self.decoder.train()
        self.encoder.train()
        mean, log_variance = self.encoder(pictures, f).unbind(1)
        decoded = self.decoder(self.draw_noise(mean, log_variance), f)
        reconstruction = self._reconstruction(decoded, pictures)
        divergence = gaussian_divergence(mean, log_variance)
        loss = reconstruction + self.divergence_weight * divergence
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.devices.average_gradients(self.weights)
        self.optimizer.step()
        self.schedule.step()
        if self.ema is not None:
            self.ema.update(self.decoder)
        values = {
            "loss": loss,
            "reconstruction": reconstruction,
            "divergence": divergence,
            "pixel_error": (decoded - pictures).abs().mean(),
        }
        return {name: value.detach() for name, value in values.items()}

    @property
    def divergence_weight(self) -> float:
        """The weight of the divergence at this step; the schedule counts the steps."""
        done = self.schedule.last_epoch
        return self.kl_weight * min(1.0, done / self.n_kl_warmup if self.n_kl_warmup else 1.0)

    def draw_noise(
        self, mean: Float[Tensor, "batch noise"], log_variance: Float[Tensor, "batch noise"]
    ) -> Float[Tensor, "batch noise"]:
        """Draw one z per picture of this process from the encoder's law, with gradients."""
        shape = torch.Size((len(mean) * self.devices.n, mean.shape[1]))
        return mean + (log_variance / 2).exp() * self.devices.rows(self._normal(shape))

    def _reconstruction(self, decoded: Tensor, pictures: Tensor) -> Tensor:
        if self.likelihood == "bernoulli":
            return bernoulli_reconstruction_loss(decoded, pictures)
        return gaussian_reconstruction_loss(
            decoded, pictures, deviation=self.deviation, mean=self._mean_of_batch
        )

    def _mean_of_batch(self, values: Tensor) -> Tensor:
        return self.devices.mean(values.mean())

    def _normal(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.rng, device=self.rng.device).to(self.device)
