"""Adversarial training of a conditional picture generator."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from phosphene._checks import check_option
from phosphene.losses.gan import hinge_discriminator_loss, hinge_generator_loss
from phosphene.losses.mode_seeking import mode_seeking_loss
from phosphene.losses.vanilla_gan import bce_discriminator_loss, bce_generator_loss
from phosphene.training.adversarial_pair import AdversarialPair
from phosphene.training.devices import ALONE, Devices

LOSSES = {
    "hinge": (
        hinge_discriminator_loss,
        hinge_generator_loss,
        lambda wrong_logits: (1 + wrong_logits).clamp(min=0),
    ),
    "bce": (bce_discriminator_loss, bce_generator_loss, nn.functional.softplus),
}
"""Of the discriminator, of the generator, and of the discriminator for each picture that it should
call generated."""
MODE_SEEKING_NOISES = ("z", "z_and_features")


class GANStep:
    """Update the discriminator once, then the generator once, on a batch of (pictures, features).

    One forward pass of the generator on z1 serves both updates: its weights do not change in
    between, so the numbers are those of two passes (its running statistics advance once).

    Parameters
    ----------
    generator
        Network from (z, f) to pictures in [-1, 1], with attributes `n_noise` and `n_features`.
    discriminator
        Network from (pictures, f) to one logit per picture.
    rng
        Source of all draws.
    lr_generator, lr_discriminator
        Adam steps (3e-4 in the released code; the paper gives none).
    betas
        Adam's averages, for both networks (released code).
    eps
        Adam's term under the fraction; Keras has 1e-7.
    loss
        "hinge" as in the paper, or "bce": the cross-entropy that GANs began with, in the form that
        does not saturate (arXiv:1406.2661).
    noise
        Law of z: "normal" as in the paper, "uniform" in (-1, 1) as in the code.
    n_adversarial_terms
        1: the generator is judged on z1 (paper); 2: on z1 and z2, summed (code).
    halved
        Half the sum of the discriminator's two terms (code).
    mode_seeking
        Weight of the mode seeking term; 0 leaves it out.
    mode_seeking_every
        Steps between mode seeking terms; the weight is multiplied by it. Above 1, the second pass
        of the generator, a quarter of the work, is left out in between.
    mode_seeking_eps
        Added to its ratio: 0 in the paper, 1e-5 in the code.
    mode_seeking_noise
        Noise distance over "z" (paper) or "z_and_features" (code).
    policy
        Steps of `diff_augment`, drawn anew for every set of pictures.
    feature_jitter
        Standard deviation of normal noise added to the features, the same for both networks.
    mismatch
        Weight of a term that calls real pictures with another trial's features generated
        (arXiv:1605.05396, their GAN-CLS); not in the paper. The other trial stands half a batch
        away: where a batch holds class after class, as often each, it has another class.
    guide
        Frozen network from pictures to class logits, trained on pictures under the same `policy`
        that the generator may see. Batches then carry labels as a third tensor.
    guidance
        Weight of the cross-entropy of what the guide sees in a generated picture against the class
        of its trial: the frozen auxiliary classifier of ThoughtViz (2018); not in the paper.
    r1
        Weight of the squared slope of the discriminator on real pictures (arXiv:1801.04406), taken
        every `r1_every` steps.
    r1_every
        Steps between slope penalties; the weight is multiplied by it.
    ema_decay
        Weight of the past in the averaged generator; None keeps no average.
    schedule, n_steps, n_warmup
        Course of both learning rates, see `make_schedule`.
    devices
        Processes that train together.

    References
    ----------
    Singh et al., ICASSP 2023, Eqs. 5 to 7, https://arxiv.org/abs/2302.10121
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        rng: torch.Generator,
        lr_generator: float = 3e-4,
        lr_discriminator: float = 3e-4,
        betas: tuple[float, float] = (0.2, 0.5),
        eps: float = 1e-7,
        loss: str = "hinge",
        noise: str = "normal",
        n_adversarial_terms: int = 1,
        halved: bool = False,
        mode_seeking: float = 1.0,
        mode_seeking_every: int = 1,
        mode_seeking_eps: float = 0.0,
        mode_seeking_noise: str = "z",
        policy: Sequence[str] = ("color", "translation"),
        feature_jitter: float = 0.0,
        mismatch: float = 0.0,
        guide: nn.Module | None = None,
        guidance: float = 0.0,
        r1: float = 0.0,
        r1_every: int = 16,
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_option("loss", loss, LOSSES)
        check_option("mode_seeking_noise", mode_seeking_noise, MODE_SEEKING_NOISES)
        if n_adversarial_terms not in (1, 2):
            raise ValueError(
                f"`n_adversarial_terms` must be 1 or 2; got {n_adversarial_terms}. "
                "The paper has 1, the released code 2."
            )
        self.pair = AdversarialPair(
            generator, discriminator, rng=rng, lr_generator=lr_generator,
            lr_discriminator=lr_discriminator, betas=betas, eps=eps, noise=noise, policy=policy,
            ema_decay=ema_decay, schedule=schedule, n_steps=n_steps, n_warmup=n_warmup,
            devices=devices,
        )  # fmt: skip
        self.generator, self.discriminator = generator, discriminator
        self.devices, self.device = devices, self.pair.device
        self.discriminator_loss, self.generator_loss, self.generated_loss = LOSSES[loss]
        self.n_adversarial_terms, self.halved = n_adversarial_terms, halved
        self.mode_seeking, self.mode_seeking_eps = mode_seeking, mode_seeking_eps
        self.mode_seeking_every = mode_seeking_every
        self.mode_seeking_noise = mode_seeking_noise
        self.feature_jitter, self.mismatch = feature_jitter, mismatch
        if guidance and guide is None:
            raise ValueError(
                f"guidance needs a classifier to guide; got a weight of {guidance:g} and none. "
                "Pass `guide`, or set `guidance` to 0."
            )
        self.guide = guide.eval().requires_grad_(False) if guidance and guide is not None else None
        self.guidance = guidance
        self.r1, self.r1_every = r1, r1_every

    @property
    def parts(self) -> dict[str, Any]:
        """What changes from step to step, by the names that checkpoints have for it."""
        return self.pair.parts

    @property
    def sampler(self) -> nn.Module:
        """The generator to make pictures with, in evaluation mode: the average if one is kept."""
        return self.pair.sampler

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update both networks on (pictures, features), or (pictures, features, labels)."""
        real, f = (tensor.to(self.device) for tensor in batch[:2])
        if self.feature_jitter:
            f = f + self.feature_jitter * self.pair.draw_normal(f.shape)
        real, f = self.devices.rows(real), self.devices.rows(f)
        self.generator.train()
        self.discriminator.train()
        z1 = self.pair.draw_noise(len(f))
        fake = self.generator(z1, f)
        values = self._update_discriminator(real, fake.detach(), f)
        labels = None
        if self.guide is not None:
            labels = self.devices.rows(batch[2].to(self.device))
        values |= self._update_generator(fake, z1, f, labels)
        self.pair.finish_step()
        return {name: value.detach() for name, value in values.items()}

    def _update_discriminator(self, real: Tensor, fake: Tensor, f: Tensor) -> dict[str, Tensor]:
        real_logits = self.discriminator(self.pair.augment(real), f)
        fake_logits = self.discriminator(self.pair.augment(fake), f)
        loss = self.discriminator_loss(real_logits, fake_logits, halved=self.halved)
        if self.mismatch:
            # Balanced batches hold one class after the other: a neighbour would have the same.
            others = self.devices.gather(f)
            others = self.devices.rows(others.roll(len(others) // 2, 0))
            wrong = self.discriminator(self.pair.augment(real), others)
            loss = loss + self.mismatch * self.generated_loss(wrong).mean()
        values = {
            "loss_discriminator": loss,
            "logit_real": real_logits.mean(),
            "logit_fake": fake_logits.mean(),
        }
        if self.r1 and self._is_turn(self.r1_every):
            loss = loss + self.r1 / 2 * self.r1_every * self._slope(real, f)
        self.pair.update_discriminator(loss)
        return values

    def _update_generator(
        self, fake: Tensor, z1: Tensor, f: Tensor, labels: Tensor | None
    ) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        augmented = self.pair.augment(fake)
        values = {}
        loss = self.generator_loss(self.discriminator(augmented, f))
        if self.guide is not None and labels is not None:
            values["guidance"] = nn.functional.cross_entropy(self.guide(augmented), labels)
            loss = loss + self.guidance * values["guidance"]
        seek = self.mode_seeking and self._is_turn(self.mode_seeking_every)
        if seek or self.n_adversarial_terms == 2:
            z2 = self.pair.draw_noise(len(f))
            fake2 = self.generator(z2, f)
            if self.n_adversarial_terms == 2:
                second = self.discriminator(self.pair.augment(fake2), f)
                loss = loss + self.generator_loss(second)
            if seek:
                values["mode_seeking"] = self._mode_seeking(fake, fake2, z1, z2)
                weight = self.mode_seeking * self.mode_seeking_every
                loss = loss + weight * values["mode_seeking"]
        self.pair.update_generator(loss)
        self.discriminator.requires_grad_(True)
        return {"loss": loss, **values}

    def _is_turn(self, every: int) -> bool:
        """Say whether something done every so many steps is due."""
        return self.pair.n_done % every == 0

    def _mode_seeking(self, fake1: Tensor, fake2: Tensor, z1: Tensor, z2: Tensor) -> Tensor:
        if self.mode_seeking_noise == "z_and_features":
            # Equal features add columns without any difference, which lowers the mean.
            n_features = int(self.generator.n_features)  # pyright: ignore[reportArgumentType]
            z1, z2 = (nn.functional.pad(z, (0, n_features)) for z in (z1, z2))
        return mode_seeking_loss(
            fake1, fake2, z1, z2, eps=self.mode_seeking_eps, mean=self._mean_of_batch
        )

    def _slope(self, real: Tensor, f: Tensor) -> Tensor:
        real = real.detach().requires_grad_()
        logits = self.discriminator(self.pair.augment(real), f)
        (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        return slope.square().sum((1, 2, 3)).mean()

    def _mean_of_batch(self, values: Tensor) -> Tensor:
        return self.devices.mean(values.mean())
