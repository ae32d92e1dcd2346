"""Adversarial training in which a classifier says whether a picture has its class."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from phosphene._checks import check_at_least
from phosphene.losses.gan import binary_gan_loss
from phosphene.training.adversarial_pair import AdversarialPair
from phosphene.training.devices import ALONE, Devices
from phosphene.training.seeding import draw_seed, seeded


class AuxiliaryGANStep:
    """Update on a batch of (pictures, conditions, labels): the generator and what judges it.

    The discriminator is updated on the real pictures, then in an update of its own on generated
    ones, by binary cross-entropy; then the generator, which is to be taken for real by the
    discriminator as it then stands. Classes enter by cross-entropy, from one or both of:

    - the discriminator's own head (AC-GAN, DeLiGAN), which learns the classes of real and of
      generated pictures alike, weight `auxiliary` in all three updates;
    - a frozen picture classifier `guide` (ThoughtViz), weight `guidance` in the generator's.

    A generator with a method `penalty` has it added to its loss. The same noise serves all updates,
    as in the released code. There labels of generated pictures were drawn apart from those of the
    real batch; here both are the batch's.

    Parameters
    ----------
    generator
        Network from (z, condition) to pictures in [-1, 1], with an attribute `n_noise`.
    discriminator
        Network from pictures to an object with `logit` (batch,) and `class_logits` (batch, class)
        or None.
    rng
        Source of all draws, dropout included.
    lr_generator, lr_discriminator
        Adam steps (default: the released ThoughtViz code for pictures of objects).
    betas
        Adam's averages, for both networks (released code: 0.5, and Keras' 0.999).
    eps
        Adam's term under the fraction; Keras has 1e-7.
    noise
        Law of z: "uniform" in (-1, 1) as in the released code, or "normal".
    auxiliary
        Weight of the discriminator's own head.
    guide
        Frozen network from pictures to class logits, trained on pictures under the same `policy`
        that the generator may see.
    guidance
        Weight of the guide (released code: 1).
    inference_mode
        As those released scripts that switch Keras' learning phase off: batch norms use their
        running statistics, which never move from 0 and 1, and nothing is dropped, in training too.
    separate_pass
        The discriminator is shown pictures of a pass in evaluation mode (`predict` in the released
        code); otherwise it sees those of the generator's own pass, which saves a pass.
    policy
        Steps of `diff_augment`, drawn anew for every set of pictures; none published.
    feature_jitter
        Standard deviation of normal noise added to the conditions; none published.
    ema_decay
        Weight of the past in the averaged generator; None keeps no average.
    schedule, n_steps, n_warmup
        Course of both learning rates, see `make_schedule`.
    devices
        Processes that train together.

    References
    ----------
    Odena et al., ICML 2017, https://arxiv.org/abs/1610.09585
    Gurumurthy et al., DeLiGAN, CVPR 2017, https://arxiv.org/abs/1706.02071
    Tirupattur et al., ThoughtViz, ACM Multimedia 2018, https://doi.org/10.1145/3240508.3240641
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        *,
        rng: torch.Generator,
        lr_generator: float = 3e-5,
        lr_discriminator: float = 5e-5,
        betas: tuple[float, float] = (0.5, 0.999),
        eps: float = 1e-7,
        noise: str = "uniform",
        auxiliary: float = 1.0,
        guide: nn.Module | None = None,
        guidance: float = 1.0,
        inference_mode: bool = False,
        separate_pass: bool = False,
        policy: Sequence[str] = (),
        feature_jitter: float = 0.0,
        ema_decay: float | None = None,
        schedule: str = "constant",
        n_steps: int | None = None,
        n_warmup: int = 0,
        devices: Devices = ALONE,
    ) -> None:
        check_at_least("auxiliary", auxiliary, 0)
        check_at_least("guidance", guidance, 0)
        self.pair = AdversarialPair(
            generator, discriminator, rng=rng, lr_generator=lr_generator,
            lr_discriminator=lr_discriminator, betas=betas, eps=eps, noise=noise, policy=policy,
            ema_decay=ema_decay, schedule=schedule, n_steps=n_steps, n_warmup=n_warmup,
            devices=devices,
        )  # fmt: skip
        self.generator, self.discriminator = generator, discriminator
        self.devices, self.device = devices, self.pair.device
        self.auxiliary, self.guidance = auxiliary, guidance
        self.guide = guide.eval().requires_grad_(False) if guidance and guide is not None else None
        self.inference_mode, self.separate_pass = inference_mode, separate_pass
        self.feature_jitter = feature_jitter

    @property
    def parts(self) -> dict[str, Any]:
        """What changes from step to step, by the names that checkpoints have for it."""
        return self.pair.parts

    @property
    def sampler(self) -> nn.Module:
        """The generator to make pictures with, in evaluation mode: the average if one is kept."""
        return self.pair.sampler

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Update both networks on (pictures, conditions, labels)."""
        real, f, labels = (tensor.to(self.device) for tensor in batch)
        if self.feature_jitter:
            f = f + self.feature_jitter * self.pair.draw_normal(f.shape)
        real, f, labels = map(self.devices.rows, (real, f, labels))
        self.generator.train(not self.inference_mode)
        self.discriminator.train(not self.inference_mode)
        z = self.pair.draw_noise(len(f))
        shown = self._predict(z, f) if self.separate_pass else None
        fake = self.generator(z, f)
        shown = fake.detach() if shown is None else shown
        on_real, logit_real = self._update_discriminator(real, labels, is_real=True)
        on_fake, logit_fake = self._update_discriminator(shown, labels, is_real=False)
        values = {
            "loss_discriminator": (on_real + on_fake) / 2,
            "logit_real": logit_real,
            "logit_fake": logit_fake,
            **self._update_generator(fake, labels),
        }
        self.pair.finish_step()
        return {name: value.detach() for name, value in values.items()}

    def _update_discriminator(
        self, images: Tensor, labels: Tensor, *, is_real: bool
    ) -> tuple[Tensor, Tensor]:
        """Update on real or on generated pictures; return the loss and the mean logit."""
        logit, class_logits = self._judge(self.pair.augment(images))
        loss = binary_gan_loss(logit, is_real=is_real)
        if class_logits is not None and self.auxiliary:
            loss = loss + self.auxiliary * F.cross_entropy(class_logits, labels)
        self.pair.update_discriminator(loss)
        return loss, logit.mean()

    def _update_generator(self, fake: Tensor, labels: Tensor) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        augmented = self.pair.augment(fake)
        logit, class_logits = self._judge(augmented)
        values = {}
        loss = binary_gan_loss(logit, is_real=True)
        if class_logits is not None and self.auxiliary:
            values["auxiliary"] = F.cross_entropy(class_logits, labels)
            loss = loss + self.auxiliary * values["auxiliary"]
        if self.guide is not None:
            values["guidance"] = F.cross_entropy(self.guide(augmented), labels)
            loss = loss + self.guidance * values["guidance"]
        penalty = getattr(self.generator, "penalty", None)
        if penalty is not None:
            loss = loss + penalty()
        self.pair.update_generator(loss)
        self.discriminator.requires_grad_(True)
        return {"loss": loss, **values}

    def _judge(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        with seeded(draw_seed(self.pair.rng), device=self.device):  # dropout takes no generator
            judgement = self.discriminator(images)
        return judgement.logit, judgement.class_logits

    @torch.no_grad()
    def _predict(self, z: Tensor, f: Tensor) -> Tensor:
        fake = self.generator.eval()(z, f)
        self.generator.train(not self.inference_mode)
        return fake
